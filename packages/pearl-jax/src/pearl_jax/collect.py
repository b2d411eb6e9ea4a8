"""From trials in train tasks to the rows of the replay.

In the shape descriptions `K` denotes the episodes of a trial, `T` the steps of an episode, `M` the tasks visited.
"""

import chex
import jax
import jax.numpy as jnp
from rlcore.replay import add
from rlcore.types import Transition

from pearl_jax.agent import ContextReplay
from pearl_jax.representation import Row


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
