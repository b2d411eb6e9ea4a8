"""A running average of parameters, to be tested: what one gradient step gains on some tasks it loses on others."""

from typing import TypeVar

import chex
import jax.numpy as jnp
import optax

Tree = TypeVar("Tree")


def average_params(average: Tree, params: Tree, rate: float, num_averaged: chex.Array) -> Tree:
    """The average after one more update.

    It is the mean of what it has seen until an update's share has fallen to `rate`: a moving average that starts at
    the initial parameters would keep them for long.

    Args:
      average: so far.
      params: after the update.
      rate: the share of every update; 1 gives `params`.
      num_averaged: scalar int32, how many updates `average` has seen.
    """
    if rate == 1:
        return params
    return optax.incremental_update(params, average, jnp.maximum(rate, 1 / (1 + num_averaged)))
