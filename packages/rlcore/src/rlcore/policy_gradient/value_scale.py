"""Units for values, so that the loss of large returns does not drown that of the policy."""

from typing import NamedTuple

import chex
import jax.numpy as jnp

_SMALLEST_STD = 1e-4


class ValueScale(NamedTuple):
    """Mean and standard deviation of what values should be, as moving averages.

    mean, square: scalars, of the targets and of their squares.
    num_batches: scalar int32, how many were seen.
    """

    mean: chex.Array
    square: chex.Array
    num_batches: chex.Array

    @property
    def std(self) -> chex.Array:
        """A scalar, never 0."""
        return jnp.sqrt(jnp.maximum(self.square - self.mean**2, _SMALLEST_STD**2))

    def to_units(self, value: chex.Array) -> chex.Array:
        """In which values are learned."""
        return (value - self.mean) / self.std

    def from_units(self, value: chex.Array) -> chex.Array:
        """Back to units of reward."""
        return value * self.std + self.mean

    def update(self, target: chex.Array, rate: float) -> "ValueScale":
        """After one more batch of targets; a mean over batches until a batch's share has fallen to `rate`."""
        if rate == 0:
            return self
        share = jnp.maximum(rate, 1 / (1 + self.num_batches))
        mean, square = jnp.mean(target), jnp.mean(target**2)
        return ValueScale(
            self.mean + share * (mean - self.mean),
            self.square + share * (square - self.square),
            self.num_batches + 1,
        )


def init_value_scale() -> ValueScale:
    """Mean 0 and standard deviation 1, which the first batch replaces."""
    return ValueScale(jnp.zeros(()), jnp.ones(()), jnp.zeros((), jnp.int32))
