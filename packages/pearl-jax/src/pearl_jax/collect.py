"""Trials in train tasks, and from them the rows of the replay.

In the shape descriptions `K` denotes the episodes of a trial, `T` the steps of an episode, `M` the tasks visited.
"""

from typing import Any

import chex
import jax
import jax.numpy as jnp
import numpy as np
from metarl_envs import TaskFamily, take_tasks
from rlcore.experiment import NonFiniteError
from rlcore.meta import Trials, run_host_trials, run_trials
from rlcore.replay import add
from rlcore.types import Params

from pearl_jax.agent import ContextReplay, PearlPolicy
from pearl_jax.representation import Row


class Collector:
    """Plays trials of a fixed number of episodes in tasks of one family."""

    def __init__(self, family: TaskFamily, policy: PearlPolicy, num_episodes: int):
        self._family, self._policy, self._num_episodes = family, policy, num_episodes
        self._in_jit = jax.jit(self._play_functional)

    def __call__(self, params: Params, tasks: Any, ids: np.ndarray, difficulty: float, key: chex.PRNGKey) -> Trials:
        """Trials in the tasks `ids: [M]` of `tasks`, eased to a difficulty; the key is consumed.

        Raises:
          NonFiniteError: an observation or a reward is not finite; the message names the step and the task.
        """
        if self._family.functional is not None:
            trials = self._in_jit(params, tasks, jnp.asarray(ids, jnp.int32), jnp.float32(difficulty), key)
        else:
            chosen = self._family.ease(take_tasks(tasks, ids), difficulty)
            seed_key, key = jax.random.split(key)
            env = self._family.make_vec(chosen, seed=int(jax.random.randint(seed_key, (), 0, 2**31 - 1)))
            try:
                trials = run_host_trials(
                    self._policy, params, env, key, num_episodes=self._num_episodes, horizon=self._family.horizon
                )
            finally:
                env.close()
        check_finite(trials, ids)
        return trials

    def _play_functional(
        self, params: Params, tasks: Any, ids: chex.Array, difficulty: chex.Array, key: chex.PRNGKey
    ) -> Trials:
        chosen = self._family.ease(take_tasks(tasks, ids), difficulty)
        return run_trials(
            self._policy,
            params,
            self._family.functional,
            chosen,
            key,
            num_episodes=self._num_episodes,
            horizon=self._family.horizon,
        )


def check_finite(trials: Trials, ids: np.ndarray) -> None:
    """Stops numbers that are not finite before they reach a replay.

    Raises:
      NonFiniteError: names the signal, its value, the step, the episode and the task.
    """
    transition = trials.trajectory.transition
    signals = {"reward": transition.reward, "observation": transition.next_obs, **trials.trajectory.info}
    for name, values in signals.items():
        values = np.asarray(values)
        if np.isfinite(values).all():
            continue
        episode, step, column = np.argwhere(~np.isfinite(values))[0][:3]
        value = values[episode, step, column]
        raise NonFiniteError(
            f"the environment's {name} is {value} at step {step} of episode {episode} in train task {ids[column]}"
        )


def make_rows(trials: Trials, training_reward: str, num_extra_episodes: int) -> tuple[Row, chex.Array, chex.Array]:
    """The rows of some trials, those that the encoder may not see first.

    Args:
      trials: `[K, T, M, ...]`.
      training_reward: `reward`, or a name in the trajectories' info.
      num_extra_episodes: the last so many episodes of each trial are not for the encoder.

    Returns:
      Rows `[M, K * T, ...]`, oldest first; which of them are valid, `[M, K * T]`; how many of the newest valid ones the
      encoder may see, `[M]` int32.

    Raises:
      ValueError: the environment reports no signal of the name `training_reward`.
    """
    transition, info = trials.trajectory.transition, trials.trajectory.info
    if training_reward != "reward" and training_reward not in info:
        allowed = ", ".join(["reward", *sorted(info)])
        raise ValueError(f"training_reward must be one of {allowed}, got {training_reward}")
    reward = transition.reward if training_reward == "reward" else info[training_reward]
    rows = Row(transition.obs, transition.action, reward, transition.discount, transition.next_obs, transition.reward)

    def lay_out(leaf: chex.Array) -> chex.Array:
        leaf = jnp.moveaxis(jnp.roll(leaf, num_extra_episodes, axis=0), 2, 0)
        return leaf.reshape(leaf.shape[0], -1, *leaf.shape[3:])

    num_context = jnp.sum(trials.valid[: trials.valid.shape[0] - num_extra_episodes], axis=(0, 1), dtype=jnp.int32)
    return jax.tree.map(lay_out, rows), lay_out(trials.valid), num_context


def store(
    data: ContextReplay, ids: chex.Array, trials: Trials, training_reward: str, num_extra_episodes: int
) -> ContextReplay:
    """Adds trials in the tasks `ids: [M]` int32 to the replay; the encoder now sees these."""
    rows, valid, num_context = make_rows(trials, training_reward, num_extra_episodes)
    return ContextReplay(add(data.replay, ids, rows, valid), data.num_recent.at[ids].set(num_context))
