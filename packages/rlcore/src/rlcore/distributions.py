"""Distributions over actions and latent variables.

In the shape descriptions `...` stands for any leading batch dimensions, `D` for the event.
"""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

_LOG_SQRT_2PI = 0.9189385332046727


class TanhNormal(NamedTuple):
    """A diagonal Normal squashed by tanh, in closed form: finite wherever its pre-activation is.

    mean: `[..., D]` of the pre-activation.
    log_std: `[..., D]` of the pre-activation.
    """

    mean: chex.Array
    log_std: chex.Array

    def mode(self) -> chex.Array:
        """The squashed mean, `[..., D]`: the deterministic action (not the density's own maximum)."""
        return jnp.tanh(self.mean)

    def sample_and_log_prob(self, key: chex.PRNGKey) -> tuple[chex.Array, chex.Array]:
        """A reparameterised sample `[..., D]` and its log-density `[...]`; the key is consumed."""
        noise = jax.random.normal(key, self.mean.shape, self.mean.dtype)
        raw = self.mean + noise * jnp.exp(self.log_std)
        return jnp.tanh(raw), self._log_prob_of_raw(raw, noise)

    def log_prob(self, action: chex.Array) -> chex.Array:
        """Log-density `[...]` of an action `[..., D]` inside (-1, 1).

        An action that has been rounded to the border is moved inside by one float's resolution, so the answer is
        finite; where the pre-activation is at hand `sample_and_log_prob` is exact.
        """
        limit = 1 - jnp.finfo(action.dtype).epsneg
        raw = jnp.arctanh(jnp.clip(action, -limit, limit))
        return self._log_prob_of_raw(raw, (raw - self.mean) * jnp.exp(-self.log_std))

    def _log_prob_of_raw(self, raw: chex.Array, noise: chex.Array) -> chex.Array:
        log_normal = -0.5 * noise**2 - self.log_std - _LOG_SQRT_2PI
        # log(1 - tanh(u)^2) without the subtraction that cancels; even in u, so that the exponential cannot overflow.
        size = jnp.abs(raw)
        log_slope = 2 * (jnp.log(2.0) - size - jnp.log(1 + jnp.exp(-2 * size)))
        return jnp.sum(log_normal - log_slope, axis=-1)


class Gaussian(NamedTuple):
    """A Normal with diagonal covariance. mean, variance: `[..., D]`."""

    mean: chex.Array
    variance: chex.Array

    def sample(self, key: chex.PRNGKey) -> chex.Array:
        """A reparameterised sample `[..., D]`; the key is consumed."""
        noise = jax.random.normal(key, self.mean.shape, self.mean.dtype)
        return self.mean + jnp.sqrt(self.variance) * noise

    def log_prob(self, sample: chex.Array) -> chex.Array:
        """Log-density `[...]` of samples `[..., D]`."""
        squares = jnp.square(sample - self.mean) / self.variance
        return -jnp.sum(0.5 * (squares + jnp.log(self.variance)) + _LOG_SQRT_2PI, axis=-1)

    def entropy(self) -> chex.Array:
        """In nats, `[...]`."""
        return jnp.sum(0.5 * (1 + jnp.log(self.variance)) + _LOG_SQRT_2PI, axis=-1)

    def kl_divergence(self, other: "Gaussian") -> chex.Array:
        """KL(self || other) in nats, `[...]`."""
        spread = (self.variance + jnp.square(self.mean - other.mean)) / other.variance
        return 0.5 * jnp.sum(jnp.log(other.variance / self.variance) + spread - 1, axis=-1)


def standard_gaussian(shape: tuple[int, ...]) -> Gaussian:
    """N(0, I) of the given shape `[..., D]`."""
    return Gaussian(jnp.zeros(shape, jnp.float32), jnp.ones(shape, jnp.float32))


class GaussianFactors(NamedTuple):
    """Gaussians in natural parameters: a product of densities is a sum of these.

    precision: `[..., D]` inverse variance, at least 0; a factor of precision 0 says nothing.
    weighted_mean: `[..., D]` precision times mean.
    """

    precision: chex.Array
    weighted_mean: chex.Array

    def product(self, axis: int) -> "GaussianFactors":
        """Multiplies the factors along `axis`: the thesis's equation 9, in any order the same."""
        return GaussianFactors(jnp.sum(self.precision, axis), jnp.sum(self.weighted_mean, axis))

    def normalise(self) -> Gaussian:
        """The Gaussian with these natural parameters; every precision must be above 0."""
        variance = 1 / self.precision
        return Gaussian(self.weighted_mean * variance, variance)
