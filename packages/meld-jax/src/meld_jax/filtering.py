"""Belief filtering: the posterior over a trial, frame by frame.

In the shape descriptions `B` denotes trials, `L` the frames of a trial: one for each step, one for each start of an
episode. Episodes lie one behind the other, and what is left behind the last one is not valid.
"""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
from rlcore.types import Params

from meld_jax.model import Evidence, Latent, LatentModel


class Trial(NamedTuple):
    """Everything there is to know of a trial, one entry for each frame, none of them twice.

    image: uint8 `[..., L, H, W, C]`.
    action: `[..., L, Da]` what led to the frame; zeros at the start of an episode.
    reward: `[..., L]` earned on arrival, the posterior's evidence; 0 at the start of an episode.
    training_reward: `[..., L]` the same of what the model explains and the critics learn.
    second_reward: `[..., L]` the same of what a second stage takes for evidence.
    discount: `[..., L]` 0 where the episode terminated on arrival, else 1; of no meaning where nothing arrives.
    first: `[..., L]` bool, whether an episode starts here.
    valid: `[..., L]` bool; False behind the last frame.
    """

    image: chex.Array
    action: chex.Array
    reward: chex.Array
    training_reward: chex.Array
    second_reward: chex.Array
    discount: chex.Array
    first: chex.Array
    valid: chex.Array


def filter_trials(model: LatentModel, params: Params, trials: Trial, noise: chex.Array) -> tuple[Latent, chex.Array]:
    """The posterior at every frame of some trials.

    Args:
      model: its networks.
      params: its parameters.
      trials: leaves `[B, L, ...]`.
      noise: `[L, B, D1 + D2]` standard normal.

    Returns:
      The posterior, leaves `[B, L, ...]`; at frames that are not valid it is what it was before. And the z2
      `[B, L, D2]` that each frame follows on; of the first one it is zeros.
    """
    evidence = model.apply(params, trials.image, trials.reward, trials.action, trials.first, method="prepare")
    evidence, valid = jax.tree.map(lambda leaf: jnp.swapaxes(leaf, 0, 1), (evidence, trials.valid))
    here, later = (jax.tree.map(lambda leaf, at=at: leaf[at], evidence) for at in (0, slice(1, None)))
    start = model.apply(params, here, noise[0], method="begin")

    def step(latent: Latent, inputs: tuple[Evidence, chex.Array, chex.Array]) -> tuple[Latent, Latent]:
        evidence, valid, noise = inputs
        new = model.apply(params, latent.z2, evidence, noise, method="advance")
        latent = jax.tree.map(lambda new, old: jnp.where(valid[:, None], new, old), new, latent)
        return latent, latent

    _, rest = jax.lax.scan(step, start, (later, valid[1:], noise[1:]))
    latents = jax.tree.map(lambda one, others: jnp.concatenate([one[None], others]).swapaxes(0, 1), start, rest)
    before = jnp.concatenate([jnp.zeros_like(latents.z2[:, :1]), latents.z2[:, :-1]], axis=1)
    return latents, before
