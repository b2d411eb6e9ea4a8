"""An outer step: what parameters are worth after the inner steps that they lead to.

In the shape descriptions `M` denotes tasks, `A` the batches of a trial, one more than its inner steps, `C` the rows of
a batch. What is mapped over tasks is written for one of them.
"""

from collections.abc import Callable
from typing import Any

import chex
import jax
import jax.numpy as jnp
from rlcore.policy_gradient import TRPOConfig, losses, trust_region_step
from rlcore.types import Metrics, Params

from metarl_baselines.gradient.adaptation import OuterTerms, Played


def average(values: Callable[..., Any], *arguments: Any) -> Any:
    """Means over tasks of what a function makes of each, leaves of the arguments being `[M, ...]`."""
    return jax.tree.map(lambda leaf: jnp.mean(leaf, axis=0), jax.vmap(values)(*arguments))


def make_outer_step(
    config: TRPOConfig,
    outcome: Callable[[Params, Any, Played], OuterTerms],
    penalty: Callable[[Params], chex.Array] = lambda params: jnp.zeros(()),
) -> Callable[[Params, Any, Played], tuple[Params, Metrics]]:
    """A step of TRPO on the mean over tasks of the surrogate loss after adapting.

    Args:
      config: the options.
      outcome: from parameters, what a task has of its own and its trial `[A, C]` to what they make of it.
      penalty: added to the loss.

    Returns:
      `(params, own [M, ...], played [M, A, C]) -> (params, metrics)`.
    """

    def step(params: Params, own: Any, played: Played) -> tuple[Params, Metrics]:
        def of_task(params: Params, own: Any, played: Played) -> tuple[chex.Array, chex.Array]:
            found, last = outcome(params, own, played), last_batch(played)
            loss = losses.surrogate_loss(found.log_prob, last.log_prob, last.advantage, last.episodes.weight)
            return loss, found.kl

        def loss(params: Params) -> chex.Array:
            return average(lambda *of: of_task(params, *of)[0], own, played) + penalty(params)

        def kl(params: Params) -> chex.Array:
            return average(lambda *of: of_task(params, *of)[1], own, played)

        params, taken = trust_region_step(loss, kl, params, config)
        return params, {
            "loss/policy": loss(params),
            "policy/kl": taken.kl,
            "policy/improvement": taken.improvement,
            "policy/step": taken.scale,
        }

    return step


def last_batch(played: Played) -> Played:
    """What was played after the last inner step, `[C]`, of a trial `[A, C]`."""
    return jax.tree.map(lambda leaf: leaf[-1], played)
