"""The terms of the evidence lower bound (thesis, equations 15 and 36), one function each.

In the shape descriptions `...` stands for any batch dimensions, `D` for the event. All are in nats.
"""

import math

import chex
import jax.numpy as jnp

from meld_jax.images import for_each_picture
from meld_jax.model import Normal

_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


def image_log_likelihood(image: chex.Array, mean: chex.Array, std: float | chex.Array) -> chex.Array:
    """Log p(x_t | s_t), summed over pixels, `[...]`.

    Args:
      image: `[..., H, W, C]` in [0, 1].
      mean: the same shape, the decoder's.
      std: of every pixel, or `[H, W, C]` of each.
    """
    chex.assert_equal_shape([image, mean])
    std = for_each_picture(jnp.broadcast_to(std, image.shape[-3:]), image)
    return jnp.sum(_log_density(image, mean, std), axis=(-3, -2, -1))


def reward_log_likelihood(reward: chex.Array, mean: chex.Array, std: float) -> chex.Array:
    """Log p(r_t | s_t), `[...]`."""
    chex.assert_equal_shape([reward, mean])
    return _log_density(reward, mean, std)


def kl_divergence(posterior: Normal, prior: Normal) -> chex.Array:
    """KL(posterior || prior), summed over dimensions, `[...]`."""
    chex.assert_equal_shape([*posterior, *prior])
    ratio = posterior.std / prior.std
    distance = (posterior.mean - prior.mean) / prior.std
    return jnp.sum(0.5 * (ratio**2 + distance**2 - 1) - jnp.log(ratio), axis=-1)


def masked_mean(values: chex.Array, mask: chex.Array) -> chex.Array:
    """Mean of `values: [...]` where `mask: [...]` bool holds, 0 where it holds nowhere; a scalar."""
    chex.assert_equal_shape([values, mask])
    return jnp.sum(values * mask) / jnp.maximum(jnp.sum(mask), 1)


def _log_density(value: chex.Array, mean: chex.Array, std: float | chex.Array) -> chex.Array:
    return -0.5 * ((value - mean) / std) ** 2 - jnp.log(std) - _HALF_LOG_2PI
