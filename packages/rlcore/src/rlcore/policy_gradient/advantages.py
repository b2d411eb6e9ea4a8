"""Who earned what: advantages from rewards and values.

In the shape descriptions `T` denotes time steps, `...` any batch dimensions.
"""

import chex
import jax
import jax.numpy as jnp


def episode_discounts(
    discount: chex.Array, ended: chex.Array, gamma: float, gae_lambda: float
) -> tuple[chex.Array, chex.Array]:
    """Both discounts of `generalised_advantages` where credit stays within episodes, `[T, ...]` each.

    The value after a step counts unless the step terminated the episode: after a time limit it still does. The
    advantage of the next row counts unless that row is of another episode, however this one ended.

    Args:
      discount: `[T, ...]` 0 where the step terminated the episode, else 1.
      ended: `[T, ...]` bool, where the step was the last one of its episode, by termination or a time limit.
      gamma: the discount of the return, per step.
      gae_lambda: the share of later advantages.
    """
    chex.assert_equal_shape([discount, ended])
    return gamma * discount, gamma * gae_lambda * (1 - ended.astype(discount.dtype))


def generalised_advantages(
    reward: chex.Array, value: chex.Array, next_value: chex.Array, discount: chex.Array, trace: chex.Array
) -> chex.Array:
    """A_t = delta_t + c_t A_{t+1} with delta_t = r_t + d_t V(s'_t) - V(s_t) (Schulman et al., 2016, equation 16).

    The caller says with d and c how far credit reaches: `episode_discounts` cuts it at the ends of episodes; without
    a cut, rewards of later episodes of the same trial count too.

    Args:
      reward: `[T, ...]`
      value: `[T, ...]` V(s_t).
      next_value: `[T, ...]` V(s'_t) of what the step led to, which is not s_{t+1} where an episode ended.
      discount: `[T, ...]` d_t, of the value after the step.
      trace: `[T, ...]` c_t, of the next row's advantage; there is none after the last row.

    Returns:
      `[T, ...]`
    """
    chex.assert_equal_shape([reward, value, next_value, discount, trace])

    def add(later: chex.Array, step: tuple[chex.Array, chex.Array]) -> tuple[chex.Array, chex.Array]:
        delta, trace = step
        advantage = delta + trace * later
        return advantage, advantage

    delta = reward + discount * next_value - value
    return jax.lax.scan(add, jnp.zeros_like(reward[0]), (delta, trace), reverse=True)[1]


def standardise(values: chex.Array, weight: chex.Array | None = None) -> chex.Array:
    """Values of mean 0 and standard deviation 1 over all dimensions; equal ones become 0.

    Args:
      values: `[...]`
      weight: `[...]` of each, 0 for those that do not count, which become 0 too; None counts all.
    """
    if weight is None:
        return (values - jnp.mean(values)) / (jnp.std(values) + 1e-8)
    deviation = values - weighted_mean(values, weight)
    return jnp.where(weight > 0, deviation / (jnp.sqrt(weighted_mean(deviation**2, weight)) + 1e-8), 0)


def weighted_mean(values: chex.Array, weight: chex.Array) -> chex.Array:
    """Sum w x / sum w over all dimensions, a scalar; 0 where nothing counts."""
    chex.assert_equal_shape([values, weight])
    return jnp.sum(weight * values) / jnp.maximum(jnp.sum(weight), 1e-8)
