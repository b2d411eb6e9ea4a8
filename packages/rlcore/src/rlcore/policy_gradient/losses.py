"""The losses of policy gradients, one function for each equation.

In the shape descriptions `...` stands for any batch dimensions; means are over all of them. What is old, the advantages
and the targets carry no gradient: they are data. A `weight` of steps is 0 for those that do not count; None counts all.
"""

import chex
import jax.numpy as jnp

from rlcore.policy_gradient.advantages import weighted_mean


def score_loss(log_prob: chex.Array, advantage: chex.Array, weight: chex.Array | None = None) -> chex.Array:
    """-mean[log pi(a|s) A], a scalar, whose gradient is REINFORCE's (Williams, 1992).

    Args:
      log_prob: `[...]` of the actions taken, under the policy that is trained.
      advantage: `[...]`
      weight: `[...]` of each step.
    """
    chex.assert_equal_shape([log_prob, advantage])
    return -_mean(log_prob * advantage, weight)


def surrogate_loss(
    log_prob: chex.Array, old_log_prob: chex.Array, advantage: chex.Array, weight: chex.Array | None = None
) -> chex.Array:
    """-mean[pi(a|s) / pi_old(a|s) A], a scalar (Schulman et al., 2015, equation 14).

    Args:
      log_prob: `[...]` of the actions taken, under the policy that is trained.
      old_log_prob: `[...]` under the policy that took them.
      advantage: `[...]`
      weight: `[...]` of each step.
    """
    chex.assert_equal_shape([log_prob, old_log_prob, advantage])
    return -_mean(jnp.exp(log_prob - old_log_prob) * advantage, weight)


def clipped_surrogate_loss(
    log_prob: chex.Array,
    old_log_prob: chex.Array,
    advantage: chex.Array,
    clip: float,
    weight: chex.Array | None = None,
) -> chex.Array:
    """-mean[min(rho A, clip(rho, 1 - eps, 1 + eps) A)], a scalar (Schulman et al., 2017, equation 7).

    Args:
      log_prob: `[...]` of the actions taken, under the policy that is trained.
      old_log_prob: `[...]` under the policy that took them.
      advantage: `[...]`
      clip: eps.
      weight: `[...]` of each step.
    """
    chex.assert_equal_shape([log_prob, old_log_prob, advantage])
    ratio = jnp.exp(log_prob - old_log_prob)
    return -_mean(jnp.minimum(ratio * advantage, jnp.clip(ratio, 1 - clip, 1 + clip) * advantage), weight)


def value_loss(value: chex.Array, target: chex.Array) -> chex.Array:
    """mean[(V(s) - target)^2] / 2, a scalar (Schulman et al., 2017, equation 9)."""
    chex.assert_equal_shape([value, target])
    return 0.5 * jnp.mean((value - target) ** 2)


def clipped_share(log_prob: chex.Array, old_log_prob: chex.Array, clip: float) -> chex.Array:
    """The share of ratios outside [1 - eps, 1 + eps], a scalar: how far the policy has moved."""
    return jnp.mean(jnp.abs(jnp.exp(log_prob - old_log_prob) - 1) > clip)


def approximate_kl(log_prob: chex.Array, old_log_prob: chex.Array) -> chex.Array:
    """KL(pi_old || pi) in nats, a scalar, from samples of pi_old: mean[rho - 1 - log rho], never negative."""
    log_ratio = log_prob - old_log_prob
    return jnp.mean(jnp.expm1(log_ratio) - log_ratio)


def _mean(values: chex.Array, weight: chex.Array | None) -> chex.Array:
    return jnp.mean(values) if weight is None else weighted_mean(values, weight)
