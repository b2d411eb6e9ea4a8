"""An outer step: what parameters are worth after the inner steps that they lead to.

In the shape descriptions `M` denotes tasks, `A` the batches of a trial, one more than its inner steps, `C` the rows of
a batch. What is mapped over tasks is written for one of them.
"""

from collections.abc import Callable
from typing import Any

import chex
import jax
import jax.numpy as jnp
from rlcore.policy_gradient import TRPOConfig, losses, standardise, trust_region_step, weighted_mean
from rlcore.types import Metrics, Params

from metarl_baselines.gradient.adaptation import OuterTerms, Played


def average(values: Callable[..., Any], *arguments: Any) -> Any:
    """Means over tasks of what a function makes of each, leaves of the arguments being `[M, ...]`."""
    return jax.tree.map(lambda leaf: jnp.mean(leaf, axis=0), jax.vmap(values)(*arguments))


def outer_loss(
    outcome: Callable[[Params, Any, Played], OuterTerms],
    exploration_coef: float,
    params: Params,
    own: Any,
    played: Played,
) -> tuple[chex.Array, chex.Array]:
    """The surrogate loss after adapting, and how far the policy after adapting has moved; means over tasks, scalars.

    Exploring adds -r log pi of what was played before the first inner step, with r the reward of what was played after
    the last one, in units of its spread over all tasks about its mean (E-MAML, Stadie et al., 2018; in place of their
    return, ProMP's code takes the mean reward of a step, and means of log pi over steps).

    Args:
      outcome: from parameters, what a task has of its own and its trial `[A, C]` to what they make of it.
      exploration_coef: weight of exploring; 0 leaves it out.
      params: of the policy.
      own: what tasks have of their own, `[M, ...]`.
      played: `[M, A, C]`
    """
    last = jax.tree.map(lambda leaf: leaf[:, -1], played).episodes
    reward, weight = standardise(last.reward, last.weight), last.weight

    def of_task(own: Any, played: Played, reward: chex.Array, weight: chex.Array) -> tuple[chex.Array, chex.Array]:
        found, last = outcome(params, own, played), last_batch(played)
        loss = losses.surrogate_loss(found.log_prob, last.log_prob, last.advantage, last.episodes.weight)
        if exploration_coef:
            loss -= exploration_coef * weighted_mean(reward, weight) * found.start_log_prob
        return loss, found.kl

    return average(of_task, own, played, reward, weight)


def make_outer_step(
    config: TRPOConfig,
    outcome: Callable[[Params, Any, Played], OuterTerms],
    penalty: Callable[[Params], chex.Array] = lambda params: jnp.zeros(()),
    exploration_coef: float = 0.0,
) -> Callable[[Params, Any, Played], tuple[Params, Metrics]]:
    """A step of TRPO on the loss after adapting.

    Args:
      config: the options.
      outcome: see `outer_loss`.
      penalty: added to the loss.
      exploration_coef: see `outer_loss`.

    Returns:
      `(params, own [M, ...], played [M, A, C]) -> (params, metrics)`.
    """

    def step(params: Params, own: Any, played: Played) -> tuple[Params, Metrics]:
        def loss(params: Params) -> chex.Array:
            return outer_loss(outcome, exploration_coef, params, own, played)[0] + penalty(params)

        def kl(params: Params) -> chex.Array:
            return outer_loss(outcome, exploration_coef, params, own, played)[1]

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
