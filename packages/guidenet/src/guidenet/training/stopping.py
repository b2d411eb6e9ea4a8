"""The best parameters in validation, and when training may stop."""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from guidenet.network.guided_network import Params


class Best(NamedTuple):
    """What has been best in validation.

    params: the running average that was.
    positive_iu: of it, scalar float32; -1 before the first validation.
    age: validations since, scalar int32.
    """

    params: Params
    positive_iu: jax.Array
    age: jax.Array


def init_best(params: Params) -> Best:
    """Before the first validation.

    Args:
      params: of the shapes to come.
    """
    return Best(_copy(params), jnp.float32(-1), jnp.int32(0))


def update_best(best: Best, params: Params, positive_iu: float) -> Best:
    """After a validation; parameters that are as good as the best ones are not better."""
    if positive_iu > float(best.positive_iu):
        return Best(_copy(params), jnp.float32(positive_iu), jnp.int32(0))
    return best._replace(age=best.age + 1)


def _copy(params: Params) -> Params:
    """Of its own buffers: those of a state are given away to the next update."""
    return jax.tree.map(jnp.copy, params)
