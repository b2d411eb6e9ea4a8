"""From trials in train tasks to the rows of the replay.

In the shape descriptions `K` denotes the episodes of a trial, `T` the steps of an episode, `M` the tasks visited.
"""

import chex
import jax
import jax.numpy as jnp
import numpy as np
from rlcore.experiment import NonFiniteError
from rlcore.meta import Trials
from rlcore.replay import add
from rlcore.rollout import Trajectory
from rlcore.types import Transition

from pearl_jax.agent import ContextReplay
from pearl_jax.representation import Row


def training_signal(trajectory: Trajectory, name: str) -> chex.Array:
    """The signal of that name: `reward`, or one that the environment reports in its info.

    Raises:
      ValueError: it reports none of that name.
    """
    if name == "reward":
        return trajectory.transition.reward
    if name not in trajectory.info:
        allowed = ", ".join(["reward", *sorted(trajectory.info)])
        raise ValueError(f"training_reward must be one of {allowed}, got {name}")
    return trajectory.info[name]


def check_finite(trials: Trials, training_reward: str, kind: str, ids: np.ndarray) -> None:
    """Stops numbers that are not finite before they reach a replay or a table.

    Args:
      trials: `[K, T, M, ...]`.
      training_reward: the name of the signal that trains.
      kind: `train` or `test`, for the message.
      ids: `[M]` which of those tasks they are.

    Raises:
      NonFiniteError: names the signal, its value, the step, the episode and the task.
    """
    transition = trials.trajectory.transition
    signals = {
        "reward": transition.reward,
        training_reward: training_signal(trials.trajectory, training_reward),
        "observation": transition.obs,
        "next observation": transition.next_obs,
    }
    for name, values in signals.items():
        values = np.asarray(values)
        finite = np.isfinite(values).reshape(*values.shape[:3], -1).all(axis=-1)
        bad = np.argwhere(~finite & np.asarray(trials.valid))
        if bad.size:
            episode, step, column = bad[0]
            value = values[episode, step, column]
            raise NonFiniteError(
                f"the environment's {name} is {value} at step {step} of episode {episode} in {kind} task {ids[column]}"
            )


def make_rows(
    transition: Transition, training_reward: chex.Array, valid: chex.Array, num_extra_episodes: int
) -> tuple[Row, chex.Array, chex.Array]:
    """The rows of some trials, those that the encoder may not see first.

    Args:
      transition: `[K, T, M, ...]`, with the benchmark's own reward.
      training_reward: `[K, T, M]` what trains the actor and the critics.
      valid: `[K, T, M]` bool.
      num_extra_episodes: the last so many episodes of each trial are not for the encoder.

    Returns:
      Rows `[M, K * T, ...]`, oldest first; which of them are valid, `[M, K * T]`; how many of the newest valid ones the
      encoder may see, `[M]` int32.
    """
    obs, action, reward, discount, next_obs = transition
    rows = Row(obs, action, training_reward, discount, next_obs, reward)

    def lay_out(leaf: chex.Array) -> chex.Array:
        leaf = jnp.moveaxis(jnp.roll(leaf, num_extra_episodes, axis=0), 2, 0)
        return leaf.reshape(leaf.shape[0], -1, *leaf.shape[3:])

    num_context = jnp.sum(valid[: valid.shape[0] - num_extra_episodes], axis=(0, 1), dtype=jnp.int32)
    return jax.tree.map(lay_out, rows), lay_out(valid), num_context


def store(
    data: ContextReplay,
    ids: chex.Array,
    transition: Transition,
    training_reward: chex.Array,
    valid: chex.Array,
    num_extra_episodes: int,
) -> ContextReplay:
    """Adds trials in the tasks `ids: [M]` int32 to the replay, see `make_rows`; the encoder now sees these."""
    rows, row_valid, num_context = make_rows(transition, training_reward, valid, num_extra_episodes)
    return ContextReplay(add(data.replay, ids, rows, row_valid), data.num_recent.at[ids].set(num_context))
