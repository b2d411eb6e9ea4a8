"""Trials: a policy that remembers plays one episode after another in tasks side by side.

In the shape descriptions `N` denotes the tasks side by side, `S` the steps of a trial, `K` its episodes and `T` the
steps of the longest possible one, the horizon. Episodes that end early are followed by others, so that tasks side by
side may be in different episodes, and every step that is played is there to be learned from.
"""

import contextlib
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np

from rlcore.meta.arguments import check_play, count_tasks, stack_tasks
from rlcore.meta.policy import Family, MetaPolicy
from rlcore.meta.signals import check_finite
from rlcore.rollout import Trajectory, host_rollout, number_episodes, rollout, start
from rlcore.types import FuncEnv, Params, Transition, VectorEnv


class Trials(NamedTuple):
    """`K` episodes in each of `N` tasks, episode by episode.

    trajectory: leaves `[K, T, N, ...]`.
    valid: `[K, T, N]` bool; False behind the end of an episode that was shorter.
    """

    trajectory: Trajectory
    valid: chex.Array

    def returns(self) -> chex.Array:
        """Undiscounted return of each episode, `[N, K]`."""
        reward = self.trajectory.transition.reward
        return (reward * self.valid).sum(axis=1).T


class Visit(NamedTuple):
    """`S` steps in each of `N` tasks, in the order of time.

    trajectory: leaves `[S, N, ...]`.
    episode: `[S, N]` int32, the number of the step's episode in its trial, from 0.
    """

    trajectory: Trajectory
    episode: chex.Array

    @property
    def num_steps(self) -> int:
        """Steps played, of all tasks together."""
        return int(np.prod(self.episode.shape))

    def step_in_episode(self) -> chex.Array:
        """`[S, N]` int32, the steps of its episode before a step."""
        xp = np if isinstance(self.episode, np.ndarray) else jnp
        steps = xp.arange(self.episode.shape[0], dtype=xp.int32)[:, None]
        begins = xp.concatenate([xp.ones_like(self.episode[:1], bool), self.episode[1:] != self.episode[:-1]])
        # The newest start so far is a running maximum over time.
        return steps - xp.maximum.accumulate(xp.where(begins, steps, 0))

    def by_episode(self, num_episodes: int, horizon: int, *, with_obs: bool = True) -> Trials:
        """The first `K` episodes of each task, on the host; steps of later ones are left out.

        Args:
          num_episodes: `K`.
          horizon: `T`.
          with_obs: whether observations are laid out too, of which pictures are most of the work; else they are None.
        """
        visit = self
        if not with_obs:
            transition = self.trajectory.transition._replace(obs=None, next_obs=None)
            visit = self._replace(trajectory=self.trajectory._replace(transition=transition))
        visit = jax.tree.map(np.asarray, visit)
        episode, step = visit.episode, visit.step_in_episode()
        rows, columns = np.nonzero(episode < num_episodes)
        where = episode[rows, columns], step[rows, columns], columns

        def lay_out(leaf: np.ndarray) -> np.ndarray:
            result = np.zeros((num_episodes, horizon, *leaf.shape[1:]), leaf.dtype)
            result[where] = leaf[rows, columns]
            return result

        return Trials(jax.tree.map(lay_out, visit.trajectory), lay_out(np.ones(episode.shape, bool)))


def play_trial(
    policy: MetaPolicy,
    params: Params,
    env: FuncEnv,
    tasks: Any,
    key: chex.PRNGKey,
    *,
    num_steps: int,
    horizon: int,
) -> Visit:
    """A trial in `N` tasks of a functional environment, all of it traceable; the key is consumed.

    Args:
      policy: what acts and remembers.
      params: the policy's.
      env: environment whose `params` is the task.
      tasks: a pytree of `[N, ...]`.
      key: consumed.
      num_steps: `S`.
      horizon: `T`.
    """
    num_tasks = jax.tree.leaves(tasks)[0].shape[0]
    trial_key, episode_key, start_key, run_key, key = jax.random.split(key, 5)
    memory = policy.begin_episode(params, policy.begin_trial(params, trial_key, num_tasks), episode_key)

    def observe(loop: Any, transition: Transition, ended: chex.Array) -> Any:
        memory, key = loop
        border_key, key = jax.random.split(key)
        return _observe(policy, params, memory, transition, ended, border_key), key

    def act(loop: Any, obs: Any, key: chex.PRNGKey) -> tuple[chex.Array, Any]:
        action, memory = policy.act(params, loop[0], obs, key)
        return action, (memory, loop[1])

    carry = start(env, tasks, start_key)
    _, _, trajectory = rollout(
        env, tasks, carry, act, (memory, key), run_key, num_steps=num_steps, horizon=horizon, observe=observe
    )
    return Visit(trajectory, number_episodes(trajectory))


def play_host_trial(
    policy: MetaPolicy,
    params: Params,
    env: VectorEnv,
    key: chex.PRNGKey,
    *,
    num_steps: int,
    num_episodes: int | None = None,
) -> Visit:
    """A trial in the `N` tasks of a gymnasium vector environment; the counterpart of `play_trial`.

    Args:
      policy: what acts and remembers; hashable, because it is compiled once for each policy.
      params: the policy's.
      env: environment i plays task i, and truncates episodes at the horizon.
      key: consumed.
      num_steps: `S`.
      num_episodes: stop as soon as every task has so many.
    """
    seed_key, key = jax.random.split(key)
    obs, _ = env.reset(seed=draw_seed(seed_key))
    num_ended = np.zeros(env.num_envs, int)

    # What was seen waits for the next action, so that a step takes one dispatch.
    def observe(loop: Any, transition: Transition, ended: np.ndarray) -> Any:
        return loop[0], (transition, ended)

    def act(loop: Any, obs: Any, key: chex.PRNGKey) -> tuple[chex.Array, Any]:
        memory, seen = loop
        if seen is None:
            action, memory = begin_trial_and_act(policy, params, obs, key, env.num_envs)
        else:
            transition, ended = seen
            action, memory = observe_and_act(policy, params, memory, transition, ended, obs, key)
        return action, (memory, None)

    def has_enough(ended: np.ndarray) -> bool:
        num_ended[:] += ended
        return num_episodes is not None and bool((num_ended >= num_episodes).all())

    _, _, trajectory = host_rollout(
        env, obs, act, (None, None), key, num_steps=num_steps, observe=observe, until=has_enough, goes_on=False
    )
    return Visit(trajectory, number_episodes(trajectory))


class TrialPlayer:
    """Plays trials in tasks of one family, in environments that live as long as it does.

    There is one vector environment for each number of tasks that was played side by side, made when it is first
    needed; where it has `set_tasks`, it plays all others of that number too. Use it as a context, or `close` it.
    """

    def __init__(self, family: Family) -> None:
        """Makes nothing yet; raises ValueError where `family` is none."""
        playable = getattr(family, "functional", None) is not None or hasattr(family, "make_vec")
        if not (hasattr(family, "horizon") and playable):
            raise ValueError(f"family must be a task family, such as benchmark.family, got {family!r}")
        self._family = family
        self._envs: dict[int, VectorEnv] = {}

    def __enter__(self) -> "TrialPlayer":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the environments, all of them even if one cannot be."""
        with contextlib.ExitStack() as stack:
            while self._envs:
                stack.callback(self._envs.popitem()[1].close)

    def play(
        self,
        policy: MetaPolicy,
        params: Params,
        tasks: Any,
        key: chex.PRNGKey,
        *,
        num_steps: int | None = None,
        num_episodes: int | None = None,
        names: Sequence[str] | None = None,
    ) -> Visit:
        """A trial in each of `N` tasks of the family; the key is consumed.

        Args:
          policy: what acts and remembers; hashable, because it is compiled once for each policy.
          params: the policy's.
          tasks: `N` tasks.
          key: consumed.
          num_steps: `S`; None for what `num_episodes` take at most.
          num_episodes: `K`; environments of gymnasium stop as soon as every task has so many.
          names: of the tasks, for messages.

        Raises:
          ValueError: an argument is not what is said here.
          NonFiniteError: an observation, an action or a reward is not finite; says whose, and when it began.
        """
        num_steps = check_play(policy, tasks, key, num_steps, num_episodes, self._family.horizon)
        functional = self._family.functional
        if functional is not None:
            horizon = self._family.horizon
            visit = _jit_play(policy, params, functional, stack_tasks(tasks), key, num_steps=num_steps, horizon=horizon)
        else:
            env = self._set_up(tasks)
            visit = play_host_trial(policy, params, env, key, num_steps=num_steps, num_episodes=num_episodes)
        check_finite(visit, names)
        return visit

    def _set_up(self, tasks: Any) -> VectorEnv:
        num_tasks = count_tasks(tasks)
        env = self._envs.get(num_tasks)
        if env is not None and hasattr(env, "set_tasks"):
            env.set_tasks(tasks)
            return env
        if env is not None:
            self._envs.pop(num_tasks).close()
        env = self._family.make_vec(tasks, seed=0)  # every trial begins with a reset of its own seed
        self._envs[num_tasks] = env
        return env


def evaluate(
    policy: MetaPolicy, params: Params, family: Family, tasks: Any, key: chex.PRNGKey, *, num_episodes: int
) -> np.ndarray:
    """Returns `[N, K]` of episodes 1 to K in each of `N` tasks: how an agent adapts; the key is consumed."""
    with TrialPlayer(family) as player:
        visit = player.play(policy, params, tasks, key, num_episodes=num_episodes)
    return np.asarray(visit.by_episode(num_episodes, family.horizon, with_obs=False).returns())


def draw_seed(key: chex.PRNGKey) -> int:
    """A seed for an environment; the key is consumed."""
    return int(jax.random.randint(key, (), 0, 2**31 - 1))


def _observe(
    policy: MetaPolicy, params: Params, memory: Any, transition: Transition, ended: chex.Array, key: chex.PRNGKey
) -> Any:
    """Takes in a transition; where it ended an episode, the next one begins."""
    memory = policy.observe(params, memory, transition)

    def begin(memory: Any) -> Any:
        begun = policy.begin_episode(params, memory, key)
        return jax.tree.map(
            lambda new, old: jnp.where(ended.reshape(-1, *[1] * (new.ndim - 1)), new, old), begun, memory
        )

    return jax.lax.cond(jnp.any(ended), begin, lambda memory: memory, memory)


_jit_play = jax.jit(play_trial, static_argnames=("policy", "env", "num_steps", "horizon"))


@partial(jax.jit, static_argnums=(0, 4))
def begin_trial_and_act(
    policy: MetaPolicy, params: Params, obs: Any, key: chex.PRNGKey, n: int
) -> tuple[chex.Array, Any]:
    """The first actions `[N, ...]` of a trial in `n` tasks, and the memory; jitted; the key is consumed."""
    trial_key, episode_key, act_key = jax.random.split(key, 3)
    memory = policy.begin_episode(params, policy.begin_trial(params, trial_key, n), episode_key)
    return policy.act(params, memory, obs, act_key)


def observe_and_act(
    policy: MetaPolicy,
    params: Params,
    memory: Any,
    transition: Transition,
    ended: np.ndarray,
    obs: Any,
    key: chex.PRNGKey,
) -> tuple[chex.Array, Any]:
    """The next actions `[N, ...]` of a trial, after a transition, and the memory; jitted; the key is consumed.

    The memory that it is given is donated, and steps that end no episode are a program of their own: so a memory that
    holds many steps is not copied at each of them.
    """
    return _jit_observe_and_act(policy, params, memory, transition, ended, obs, key, bool(np.any(ended)))


@partial(jax.jit, static_argnums=(0, 7), donate_argnums=2)
def _jit_observe_and_act(
    policy: MetaPolicy,
    params: Params,
    memory: Any,
    transition: Transition,
    ended: chex.Array,
    obs: Any,
    key: chex.PRNGKey,
    any_ended: bool,
) -> tuple[chex.Array, Any]:
    border_key, act_key = jax.random.split(key)
    if any_ended:
        memory = _observe(policy, params, memory, transition, ended, border_key)
    else:
        memory = policy.observe(params, memory, transition)
    return policy.act(params, memory, obs, act_key)
