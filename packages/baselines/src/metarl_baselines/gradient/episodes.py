"""Episodes that a policy played between two inner steps, and what their actions were worth.

In the shape descriptions `M` denotes tasks, `A` the batches of a trial, one more than its inner steps, `S` the steps of
a trial, `C` those of the longest possible batch, `...` any batch dimensions.
"""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
from rlcore.meta import Visit
from rlcore.policy_gradient import generalised_advantages, linear_values, standardise
from rlcore.rollout import find_ends

from metarl_baselines.gradient.config import AdaptationConfig


class Episodes(NamedTuple):
    """Whole episodes of a task, one after the other; rows behind the last one do not count.

    obs: `[..., C, Do]`
    action: `[..., C, Da]` as the policy drew it.
    reward: `[..., C]`
    step: `[..., C]` int32, steps of the episode before this one.
    episode: `[..., C]` int32, its number in the trial.
    valid: `[..., C]` bool, whether the row counts.
    """

    obs: chex.Array
    action: chex.Array
    reward: chex.Array
    step: chex.Array
    episode: chex.Array
    valid: chex.Array

    @property
    def weight(self) -> chex.Array:
        """`[..., C]` 1 for rows that count, else 0."""
        return self.valid.astype(jnp.float32)


def blank_episodes(shape: tuple[int, ...], obs_size: int, action_size: int) -> Episodes:
    """No rows that count, of a shape `[..., C]`."""
    number, count = jnp.zeros(shape, jnp.float32), jnp.zeros(shape, jnp.int32)
    obs, action = jnp.zeros((*shape, obs_size), jnp.float32), jnp.zeros((*shape, action_size), jnp.float32)
    return Episodes(obs, action, number, count, count, jnp.zeros(shape, bool))


def cut_visit(
    visit: Visit, training_reward: chex.Array, *, num_episodes: int, num_steps: int, capacity: int
) -> Episodes:
    """The batches `[M, A, C]` of a visit: one for each inner step, and one of what was played after the last one.

    An inner step sees the benchmark's own reward, the only one there is at test time; what was played after the last
    one has the reward that trains. Behind the last batch, steps are left out; so is an episode that has no end there.

    Args:
      visit: `[S, M]`
      training_reward: `[S, M]`
      num_episodes: before each inner step.
      num_steps: inner steps, `A - 1`.
      capacity: `C`.
    """
    transition, num_tasks = visit.trajectory.transition, visit.episode.shape[1]
    batch = jnp.minimum(visit.episode // num_episodes, num_steps)
    begins = jnp.concatenate([jnp.ones_like(batch[:1], bool), batch[1:] != batch[:-1]])
    time = jnp.broadcast_to(jnp.arange(batch.shape[0], dtype=jnp.int32)[:, None], batch.shape)
    row = time - jax.lax.cummax(jnp.where(begins, time, 0))
    task = jnp.broadcast_to(jnp.arange(num_tasks)[None], batch.shape)

    def lay_out(leaf: chex.Array) -> chex.Array:
        leaf = jnp.asarray(leaf)
        blank = jnp.zeros((num_tasks, num_steps + 1, capacity, *leaf.shape[2:]), leaf.dtype)
        return blank.at[task, batch, row].set(leaf, mode="drop")

    reward = jnp.where(batch == num_steps, training_reward, transition.reward)
    # Rows count up to the last one that ended an episode.
    rank = jnp.arange(1, capacity + 1)[None, None]
    last = jnp.max(jnp.where(lay_out(find_ends(visit.trajectory)), rank, 0), axis=-1, keepdims=True)
    return Episodes(
        obs=lay_out(transition.obs),
        action=lay_out(transition.action),
        reward=lay_out(reward),
        step=lay_out(visit.step_in_episode()),
        episode=lay_out(visit.episode),
        valid=rank <= last,
    )


def advantages(config: AdaptationConfig, episodes: Episodes) -> chex.Array:
    """What each action of one batch was worth, `[C]`, standardised; 0 where a row does not count.

    The linear baseline is fitted to the very episodes that are compared with it.
    """
    follows = jnp.roll(episodes.valid & (episodes.step > 0), -1).at[-1].set(False)
    reward, weight = jnp.where(episodes.valid, episodes.reward, 0), episodes.weight
    value, next_value = linear_values(episodes.obs, episodes.step, reward, ~follows, weight, config.discount)
    discount = config.discount * follows.astype(reward.dtype)
    advantage = generalised_advantages(reward, value, next_value, discount, config.gae_lambda * discount)
    return standardise(advantage, weight)
