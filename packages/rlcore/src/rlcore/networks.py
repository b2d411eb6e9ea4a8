"""Networks as flax modules: every one of them is used through `init(key, ...) -> params` and `apply(params, ...)`.

In the shape descriptions `...` stands for any leading batch dimensions, `E` for the members of an ensemble.
"""

from collections.abc import Callable, Sequence

import chex
import flax.linen as nn
import jax.numpy as jnp

from rlcore.convolution import convolve, convolve_transpose
from rlcore.distributions import TanhNormal

LOG_STD_RANGE = (-20.0, 2.0)


def scaled_uniform(scale: float) -> nn.initializers.Initializer:
    """Uniform in [-scale, scale): small last layers start a policy near zero actions, a critic near zero values."""
    symmetric = nn.initializers.uniform(2 * scale)
    return lambda key, shape, dtype=jnp.float32: symmetric(key, shape, dtype) - jnp.asarray(scale, dtype)


class MLP(nn.Module):
    """`[..., Di] -> [..., output_size]`: hidden layers and a linear one.

    final_scale: half-width of the last layer's uniform initialisation; None leaves flax's default.
    layer_norm: normalise every hidden layer before its activation.
    activation: of the hidden layers.
    """

    hidden_sizes: Sequence[int]
    output_size: int
    final_scale: float | None = None
    layer_norm: bool = False
    activation: Callable[[chex.Array], chex.Array] = nn.relu

    @nn.compact
    def __call__(self, x: chex.Array) -> chex.Array:
        """See the class."""
        batch, x = x.shape[:-1], x.reshape(-1, x.shape[-1])  # XLA's CPU gradients cost more with more batch dimensions
        for size in self.hidden_sizes:
            x = nn.Dense(size)(x)
            x = self.activation(nn.LayerNorm()(x) if self.layer_norm else x)
        init = nn.linear.default_kernel_init if self.final_scale is None else scaled_uniform(self.final_scale)
        return nn.Dense(self.output_size, kernel_init=init)(x).reshape(*batch, self.output_size)


class EnsembleMLP(nn.Module):
    """`[..., Di] -> [E, ..., output_size]`: independent MLPs on one input, evaluated together.

    Several inputs, `[..., D1]`, `[..., D2]`, are joined to one.
    """

    num_members: int
    hidden_sizes: Sequence[int]
    output_size: int
    final_scale: float | None = None
    layer_norm: bool = False

    @nn.compact
    def __call__(self, *inputs: chex.Array) -> chex.Array:
        """See the class."""
        x = jnp.concatenate(inputs, axis=-1)
        members = nn.vmap(
            MLP,
            in_axes=0,
            out_axes=0,
            axis_size=self.num_members,
            variable_axes={"params": 0},
            split_rngs={"params": True},
        )
        # A copy of the input for each member: products of one layout need no transposed copies of what comes out.
        copies = jnp.broadcast_to(x, (self.num_members, *x.shape))
        return members(self.hidden_sizes, self.output_size, self.final_scale, self.layer_norm)(copies)


class TanhNormalPolicy(nn.Module):
    """`[..., Do] -> TanhNormal` over actions `[..., action_size]` in (-1, 1)."""

    hidden_sizes: Sequence[int]
    action_size: int
    final_scale: float | None = 1e-3
    layer_norm: bool = False

    @nn.compact
    def __call__(self, obs: chex.Array) -> TanhNormal:
        """See the class."""
        out = MLP(self.hidden_sizes, 2 * self.action_size, self.final_scale, self.layer_norm)(obs)
        mean, log_std = jnp.split(out, 2, axis=-1)
        return TanhNormal(mean, jnp.clip(log_std, *LOG_STD_RANGE))


class _Convolution(nn.Module):
    """Kernel and bias, named and initialised as in flax's layers.

    features: channels that come out. size: of the kernel, rows and columns. stride: on both axes.
    """

    features: int
    size: tuple[int, int] = (3, 3)
    stride: int = 1

    @nn.compact
    def __call__(self, x: chex.Array) -> chex.Array:
        """See the class."""
        kernel = self.param("kernel", nn.initializers.lecun_normal(), (*self.size, x.shape[-1], self.features))
        bias = self.param("bias", nn.initializers.zeros, (self.features,))
        x, kernel, bias = nn.dtypes.promote_dtype(x, kernel, bias, dtype=None)
        y = self._apply(x.reshape(-1, *x.shape[-3:]), kernel) + bias.reshape(1, 1, 1, -1)
        return y.reshape(*x.shape[:-3], *y.shape[1:])

    def _apply(self, x: chex.Array, kernel: chex.Array) -> chex.Array:
        raise NotImplementedError


class Conv(_Convolution):
    """`[..., H, W, C] -> [..., ceil(H / stride), ceil(W / stride), features]`: flax's layer, fast on a CPU too."""

    def _apply(self, x: chex.Array, kernel: chex.Array) -> chex.Array:
        return convolve(x, kernel, self.stride)


class ConvTranspose(_Convolution):
    """`[..., H, W, C] -> [..., stride H, stride W, features]`: flax's layer, fast on a CPU too."""

    def _apply(self, x: chex.Array, kernel: chex.Array) -> chex.Array:
        return convolve_transpose(x, kernel, self.stride)


class ConvEncoder(nn.Module):
    """`[..., H, W, C]` uint8 images to `[..., output_size]` features in (-1, 1), by strided convolutions."""

    channels: Sequence[int] = (32, 64, 64)
    output_size: int = 64

    @nn.compact
    def __call__(self, image: chex.Array) -> chex.Array:
        """See the class."""
        x = image.astype(jnp.float32) / 255 - 0.5
        for width in self.channels:
            x = nn.relu(Conv(width, (4, 4), stride=2)(x))
        x = x.reshape(*x.shape[:-3], -1)
        return nn.tanh(nn.LayerNorm()(nn.Dense(self.output_size)(x)))
