"""How the weight beta of the information bottleneck of the inverse objectives is set as training goes.

All arrays are scalars.
"""

from typing import NamedTuple

import chex
import jax.numpy as jnp
import optax

from mi_repr.deep.config import MAX_BETA, PretrainConfig

_TUNED_SHARE = 1 / 3
"""Of the updates, before beta follows the action loss."""

_TUNED_RATE = 0.02
"""Largest change of log beta in an update; also the rate of the average of the action loss that beta follows."""


class Bottleneck(NamedTuple):
    """Where the weight stands.

    log_beta: its logarithm.
    action_loss: running average.
    reference_loss: what it was without a bottleneck to speak of.
    """

    log_beta: chex.Array
    action_loss: chex.Array
    reference_loss: chex.Array


def init_bottleneck(config: PretrainConfig) -> Bottleneck:
    """The weight before the first update."""
    log_beta = jnp.log(jnp.asarray(config.initial_beta, jnp.float32))
    return Bottleneck(log_beta, action_loss=jnp.zeros(()), reference_loss=jnp.zeros(()))


def step_bottleneck(
    config: PretrainConfig, before: Bottleneck, num_updates: chex.Array, action_loss: chex.Array
) -> Bottleneck:
    """The weight after `num_updates`, of which the last had this `action_loss`."""
    progress = num_updates / config.num_updates
    low, high = jnp.log(config.initial_beta), jnp.log(config.final_beta)
    if config.bottleneck == "ramp":
        share = jnp.clip((progress - 0.2) / 0.3, 0.0, 1.0)
        return before._replace(log_beta=low + share * (high - low))
    average = jnp.where(
        num_updates == 1, action_loss, optax.incremental_update(action_loss, before.action_loss, _TUNED_RATE)
    )
    reference = jnp.where(progress <= _TUNED_SHARE, average, before.reference_loss)
    excess = (average - reference) / config.loss_tolerance
    follow = before.log_beta + _TUNED_RATE * jnp.clip(1.0 - excess, -1.0, 1.0)
    log_beta = jnp.where(progress <= _TUNED_SHARE, low, jnp.minimum(follow, jnp.log(MAX_BETA)))
    return Bottleneck(log_beta, average, reference)
