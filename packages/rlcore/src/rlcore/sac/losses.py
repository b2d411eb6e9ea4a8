"""The equations of the soft actor-critic, one function each.

In the shape descriptions `...` stands for any batch dimensions and `E` for the critics of the ensemble. Each serves
continuous and discrete actions: what an expectation under the policy is, a sample or an exact sum, the action head
decides. Gradients are stopped by the caller, who knows what is trained. Every mean can weigh its samples: `weight`,
broadcastable to `[...]`, multiplies them and is not normalised.
"""

import chex
import jax.numpy as jnp


def weighted_mean(samples: chex.Array, weight: chex.Array | None) -> chex.Array:
    """Mean of weight times samples, a scalar; not divided by the sum of weights."""
    return jnp.mean(samples if weight is None else weight * samples)


def soft_value(q: chex.Array, log_prob: chex.Array, temperature: chex.Array) -> chex.Array:
    """V(s) = E[min Q(s, a) - alpha log pi(a|s)], `[...]` (Haarnoja et al., 2018, equation 3).

    Args:
      q: `[...]` expected smallest Q under the policy.
      log_prob: `[...]` expected log-probability under the policy.
      temperature: scalar alpha.
    """
    chex.assert_equal_shape([q, log_prob])
    chex.assert_rank(temperature, 0)
    return q - temperature * log_prob


def bellman_target(reward: chex.Array, discount: chex.Array, next_value: chex.Array) -> chex.Array:
    """Y = r + d V(s'), `[...]` (Haarnoja et al., 2018, equation 2).

    Args:
      reward: `[...]`, scaled already.
      discount: `[...]` the algorithm's discount, 0 where the episode terminated.
      next_value: `[...]`
    """
    chex.assert_equal_shape([reward, discount, next_value])
    return reward + discount * next_value


def critic_loss(q: chex.Array, target: chex.Array, weight: chex.Array | None = None) -> chex.Array:
    """Sum over critics of the mean of (Q(s, a) - y)^2, a scalar (thesis, equation 10).

    Args:
      q: `[E, ...]` of the actions taken.
      target: `[...]`
      weight: of the samples.
    """
    chex.assert_equal_shape([q[0], target])
    return weighted_mean(jnp.sum((q - target[None]) ** 2, axis=0), weight)


def value_loss(value: chex.Array, target: chex.Array, weight: chex.Array | None = None) -> chex.Array:
    """Mean of (V(s) - E[min Q - alpha log pi])^2, a scalar (Haarnoja et al., 2018, first version, equation 5).

    Args:
      value: `[...]`
      target: `[...]` the soft value under the current policy.
      weight: of the samples.
    """
    chex.assert_equal_shape([value, target])
    return weighted_mean((value - target) ** 2, weight)


def actor_loss(
    q: chex.Array, log_prob: chex.Array, temperature: chex.Array, weight: chex.Array | None = None
) -> chex.Array:
    """Mean of E[alpha log pi(a|s) - min Q(s, a)], a scalar (thesis, equation 11, times alpha).

    Args:
      q: `[...]` expected smallest Q under the policy; its gradient reaches the actor through the action (continuous) or
        the probabilities (discrete).
      log_prob: `[...]`
      temperature: scalar alpha.
      weight: of the samples.
    """
    return -weighted_mean(soft_value(q, log_prob, temperature), weight)


def temperature_loss(
    log_temperature: chex.Array, log_prob: chex.Array, target_entropy: float, weight: chex.Array | None = None
) -> chex.Array:
    """Mean of -alpha (E[log pi(a|s)] + target entropy), a scalar (Haarnoja et al., 2018, equation 18).

    Args:
      log_temperature: scalar log alpha.
      log_prob: `[...]`, without gradient.
      target_entropy: in nats.
      weight: of the samples.
    """
    chex.assert_rank(log_temperature, 0)
    return -jnp.exp(log_temperature) * weighted_mean(log_prob + target_entropy, weight)
