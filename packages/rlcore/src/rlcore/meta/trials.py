"""Trials: a policy that remembers plays episodes in tasks side by side.

A trial is a run of `K` episodes in one task. In the shape descriptions `N` denotes the tasks side by side, `K` the
episodes of a trial and `T` the steps of an episode.
"""

from functools import partial
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np

from rlcore.meta.policy import Family, MetaPolicy
from rlcore.rollout import Trajectory, first_episode, host_rollout, rollout, start
from rlcore.types import FunctionalEnv, Params, Transition, VectorEnv


class Trials(NamedTuple):
    """`K` episodes in each of `N` tasks.

    trajectory: leaves `[K, T, N, ...]`.
    valid: `[K, T, N]` bool; False after the end of an episode that terminated early.
    """

    trajectory: Trajectory
    valid: chex.Array

    def returns(self) -> chex.Array:
        """Undiscounted return of each episode, `[N, K]`."""
        reward = self.trajectory.transition.reward
        return (reward * self.valid).sum(axis=1).T


def run_trials(
    policy: MetaPolicy,
    params: Params,
    env: FunctionalEnv,
    tasks: Any,
    key: chex.PRNGKey,
    *,
    num_episodes: int,
    horizon: int,
) -> Trials:
    """Trials in `N` tasks of a functional environment, all of it traceable; the key is consumed.

    Args:
      policy: what acts and remembers.
      params: the policy's.
      env: environment whose `params` is the task.
      tasks: a pytree of `[N, ...]`.
      key: consumed.
      num_episodes: `K`.
      horizon: `T`.
    """
    num_tasks = jax.tree.leaves(tasks)[0].shape[0]
    trial_key, key = jax.random.split(key)

    def episode(memory: Any, key: chex.PRNGKey) -> tuple[Any, Trials]:
        begin_key, start_key, run_key = jax.random.split(key, 3)
        memory = policy.begin_episode(params, memory, begin_key)
        _, (memory, _), trajectory = rollout(
            env,
            tasks,
            start(env, tasks, start_key),
            lambda loop, obs, key: _act(policy, params, loop, obs, key),
            (memory, jnp.ones(num_tasks, bool)),
            run_key,
            num_steps=horizon,
            horizon=horizon,
            observe=lambda loop, transition, ended: _observe(policy, params, loop, transition, ended),
        )
        return memory, Trials(trajectory, first_episode(trajectory))

    memory = policy.begin_trial(params, trial_key, num_tasks)
    _, trials = jax.lax.scan(episode, memory, jax.random.split(key, num_episodes))
    return trials


def run_host_trials(
    policy: MetaPolicy, params: Params, env: VectorEnv, key: chex.PRNGKey, *, num_episodes: int, horizon: int
) -> Trials:
    """Trials in the `N` tasks of a gymnasium vector environment; the counterpart of `run_trials`.

    Args:
      policy: what acts and remembers; hashable, because its methods are compiled once for each policy.
      params: the policy's.
      env: environment i plays task i; it truncates episodes after `horizon` steps.
      key: consumed.
      num_episodes: `K`.
      horizon: `T`.
    """
    trial_key, key = jax.random.split(key)
    memory = _jit_begin_trial(policy, params, trial_key, env.num_envs)
    episodes = []
    for episode_key in jax.random.split(key, num_episodes):
        begin_key, start_key, run_key = jax.random.split(episode_key, 3)
        memory = _jit_begin_episode(policy, params, memory, begin_key)
        obs, _ = env.reset(seed=_draw_seed(start_key))
        _, (memory, _), trajectory = host_rollout(
            env,
            obs,
            lambda loop, obs, key: _jit_act(policy, params, loop, obs, key),
            (memory, jnp.ones(env.num_envs, bool)),
            run_key,
            num_steps=horizon,
            observe=lambda loop, transition, ended: _jit_observe(policy, params, loop, transition, ended),
        )
        episodes.append(Trials(trajectory, first_episode(trajectory)))
    return jax.tree.map(lambda *leaves: np.stack(leaves), *episodes)


class TrialPlayer:
    """Plays trials of `K` episodes in tasks of one family; compiled once for each number of tasks.

    Args:
      policy: what acts and remembers; hashable.
      family: whose tasks are played.
      num_episodes: `K`.
    """

    def __init__(self, policy: MetaPolicy, family: Family, num_episodes: int):
        self._policy, self._family, self._num_episodes = policy, family, num_episodes
        functional = family.functional
        self._in_jit = None if functional is None else jax.jit(partial(self._play_functional, functional))

    def __call__(self, params: Params, tasks: Any, key: chex.PRNGKey) -> Trials:
        """Trials in `N` tasks of the family; the key is consumed."""
        if self._in_jit is not None:
            return self._in_jit(params, tasks, key)
        seed_key, key = jax.random.split(key)
        env = self._family.make_vec(tasks, seed=_draw_seed(seed_key))
        try:
            return run_host_trials(
                self._policy, params, env, key, num_episodes=self._num_episodes, horizon=self._family.horizon
            )
        finally:
            env.close()

    def _play_functional(self, env: FunctionalEnv, params: Params, tasks: Any, key: chex.PRNGKey) -> Trials:
        horizon = self._family.horizon
        return run_trials(self._policy, params, env, tasks, key, num_episodes=self._num_episodes, horizon=horizon)


def evaluate(
    policy: MetaPolicy, params: Params, family: Family, tasks: Any, key: chex.PRNGKey, *, num_episodes: int
) -> np.ndarray:
    """Returns `[N, K]` of episodes 1 to K in each of `N` tasks: how an agent adapts; the key is consumed."""
    return np.asarray(TrialPlayer(policy, family, num_episodes)(params, tasks, key).returns())


# While a trial runs, the memory travels with `active`, `[N]` bool: the tasks whose episode has not ended early.


def _act(policy: MetaPolicy, params: Params, loop: Any, obs: Any, key: chex.PRNGKey) -> tuple[chex.Array, Any]:
    memory, active = loop
    action, acted = policy.act(params, memory, obs, key)
    return action, (_where_active(active, acted, memory), active)


def _observe(policy: MetaPolicy, params: Params, loop: Any, transition: Transition, ended: chex.Array) -> Any:
    memory, active = loop
    observed = policy.observe(params, memory, transition)
    return _where_active(active, observed, memory), active & ~ended


def _where_active(active: chex.Array, new: Any, old: Any) -> Any:
    """Steps after an early end belong to another episode: they are not remembered."""
    return jax.tree.map(lambda n, o: jnp.where(active.reshape(-1, *[1] * (n.ndim - 1)), n, o), new, old)


def _draw_seed(key: chex.PRNGKey) -> int:
    return int(jax.random.randint(key, (), 0, 2**31 - 1))


_jit_act = jax.jit(_act, static_argnums=0)
_jit_observe = jax.jit(_observe, static_argnums=0)
_jit_begin_trial = jax.jit(lambda policy, params, key, n: policy.begin_trial(params, key, n), static_argnums=(0, 3))
_jit_begin_episode = jax.jit(
    lambda policy, params, memory, key: policy.begin_episode(params, memory, key), static_argnums=0
)
