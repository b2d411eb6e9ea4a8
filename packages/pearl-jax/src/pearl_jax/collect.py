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

from pearl_jax.agent import ContextReplay
from pearl_jax.representation import Row


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
