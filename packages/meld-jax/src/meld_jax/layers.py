"""Layers of the latent state model.

In the shape descriptions `...` stands for any leading batch dimensions.
"""

from collections.abc import Callable, Sequence

import chex
import flax.linen as nn
import jax

Activation = Callable[[jax.Array], jax.Array]

_ACTIVATIONS: dict[str, Activation] = {"relu": nn.relu, "leaky_relu": lambda x: nn.leaky_relu(x, 0.2)}


def get_activation(name: str) -> Activation:
    """The function of that name; the leaky one has TensorFlow's slope, 0.2."""
    return _ACTIVATIONS[name]


class Linear(nn.Module):
    """`[..., Di] -> [..., size]`, as one product of matrices: XLA's CPU gradients of others cost more."""

    size: int
    use_bias: bool = True

    @nn.compact
    def __call__(self, x: chex.Array) -> chex.Array:
        """See the class."""
        return nn.Dense(self.size, self.use_bias)(x.reshape(-1, x.shape[-1])).reshape(*x.shape[:-1], self.size)


class PlainMLP(nn.Module):
    """`[..., Di] -> [..., output_size]`, its last layer linear."""

    hidden_sizes: Sequence[int]
    output_size: int
    activation: Activation

    @nn.compact
    def __call__(self, x: chex.Array) -> chex.Array:
        """See the class."""
        for size in self.hidden_sizes:
            x = self.activation(Linear(size)(x))
        return Linear(self.output_size)(x)


class JoinedMLP(nn.Module):
    """An MLP of two vectors joined; what its first layer makes of one of them can be prepared for all steps at once."""

    hidden_sizes: Sequence[int]
    output_size: int
    activation: Activation

    def setup(self) -> None:
        """Makes the layers."""
        self.outer = Linear(self.hidden_sizes[0])
        self.inner = Linear(self.hidden_sizes[0], use_bias=False)
        self.rest = [Linear(size) for size in (*self.hidden_sizes[1:], self.output_size)]

    def prepare(self, outer: chex.Array) -> chex.Array:
        """`[..., hidden]` of the vector that is known beforehand."""
        return self.outer(outer)

    def __call__(self, prepared: chex.Array, inner: chex.Array) -> chex.Array:
        """`[..., output_size]` of what was prepared and the other vector."""
        x = prepared + self.inner(inner)
        for layer in self.rest:
            x = layer(self.activation(x))
        return x
