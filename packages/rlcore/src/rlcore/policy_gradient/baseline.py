"""A baseline without a network: linear in features of the observation and of time (Duan et al., 2016).

In the shape descriptions `...` stands for any batch dimensions, `B` for steps, `F` for features, `T` for steps in the
order of time.
"""

import chex
import jax
import jax.numpy as jnp

from rlcore.policy_gradient.advantages import generalised_advantages

_LARGEST = 10.0
_STEP_SCALE = 100.0


def linear_features(obs: chex.Array, step: chex.Array) -> chex.Array:
    """o, o^2, t, t^2, t^3 and 1, `[..., F]` with F = 2 Do + 4; o is clipped to [-10, 10], t counts hundreds of steps.

    Args:
      obs: `[..., Do]`
      step: `[...]` int, of the episode.
    """
    chex.assert_equal_shape_prefix([obs, step], step.ndim)
    obs = jnp.clip(obs, -_LARGEST, _LARGEST)
    time = (step.astype(obs.dtype) / _STEP_SCALE)[..., None]
    return jnp.concatenate([obs, obs**2, time, time**2, time**3, jnp.ones_like(time)], axis=-1)


def fit_linear(features: chex.Array, target: chex.Array, weight: chex.Array, damping: float = 1e-5) -> chex.Array:
    """Coefficients `[F]` of least sum_b w_b (x_b w - y_b)^2 + damping |w|^2.

    They come from a QR factorisation of the features. The normal equations would square the condition of the problem,
    which float32 does not survive: features reach 100, and powers of time resemble each other.

    Args:
      features: `[B, F]`
      target: `[B]`
      weight: `[B]` of the steps, 0 for those that do not count.
      damping: must be positive, so that features which never vary are no trouble.
    """
    chex.assert_rank([features, target, weight], [2, 1, 1])
    size, root = features.shape[1], jnp.sqrt(weight)
    rows = jnp.concatenate([root[:, None] * features, jnp.sqrt(damping) * jnp.eye(size, dtype=features.dtype)])
    q, r = jnp.linalg.qr(rows)
    wanted = jnp.concatenate([root * target, jnp.zeros(size, target.dtype)])
    return jax.lax.linalg.triangular_solve(r, (wanted @ q)[:, None], left_side=True)[:, 0]


def linear_values(
    obs: chex.Array, step: chex.Array, reward: chex.Array, ended: chex.Array, weight: chex.Array, discount: float
) -> tuple[chex.Array, chex.Array]:
    """Values before and after each step, `[T]` each, fitted to what was earned at these very steps.

    Where credit ends, nothing follows; so a time limit counts as a termination.

    Args:
      obs: `[T, Do]`
      step: `[T]` int, since credit began.
      reward: `[T]`
      ended: `[T]` bool, whether credit ends with the step.
      weight: `[T]` of the steps, 0 for those that do not count.
      discount: of the return, per step.
    """
    zero, trace = jnp.zeros_like(reward), discount * (1 - ended.astype(reward.dtype))
    features = linear_features(obs, step)
    value = features @ fit_linear(features, generalised_advantages(reward, zero, zero, zero, trace), weight)
    return value, jnp.where(ended, 0.0, jnp.roll(value, -1))
