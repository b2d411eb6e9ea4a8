"""Layers of the backbones, written so that they are fast on a CPU.

In the shape descriptions `B` denotes images, `H, W` pixels or cells, `C, D` channels.
"""

import functools
from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp

Initializer = Callable[..., jax.Array]
he_normal: Initializer = nn.initializers.he_normal()


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after an axis so that `ceil(size / stride)` come out; the odd one is put after it."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def shifted_depthwise(x: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
    """Depthwise convolution as a sum over the kernel's places of shifted inputs times weights.

    On a CPU it is much faster than XLA's grouped convolution, which is meant for accelerators.

    Args:
      x: `[B, H, W, C]`, padded.
      kernel: `[k, k, C]`.
      stride: of the result, px.
    """
    return _shifted(x, kernel, stride)


def _shifted(x: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
    size = kernel.shape[0]
    height, width = ((side - size) // stride + 1 for side in x.shape[1:3])
    result = jnp.zeros((x.shape[0], height, width, x.shape[3]), x.dtype)
    for i in range(size):
        for j in range(size):
            window = x[:, i : i + stride * (height - 1) + 1 : stride, j : j + stride * (width - 1) + 1 : stride]
            result = result + window * kernel[i, j][None, None, None]
    return result


def _forward(x: jax.Array, kernel: jax.Array, stride: int) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    return _shifted(x, kernel, stride), (x, kernel)


def _backward(stride: int, kept: tuple[jax.Array, jax.Array], gradient: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Ten times faster than what JAX derives, which adds up an array padded to the input's size for each place."""
    x, kernel = kept
    size = kernel.shape[0]
    spans = [stride * (side - 1) + 1 for side in gradient.shape[1:3]]
    rows, columns = ((size - 1, side - span, stride - 1) for side, span in zip(x.shape[1:3], spans, strict=True))
    spread = jax.lax.pad(gradient, jnp.zeros((), gradient.dtype), ((0, 0, 0), rows, columns, (0, 0, 0)))

    # One image at a time stays in the cache.
    def add(total: jax.Array, image: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, None]:
        x, gradient = image
        places = [
            jnp.sum(x[i : i + spans[0] : stride, j : j + spans[1] : stride] * gradient, axis=(0, 1))
            for i in range(size)
            for j in range(size)
        ]
        return total + jnp.stack(places).reshape(total.shape), None

    kernel_gradient, _ = jax.lax.scan(add, jnp.zeros_like(kernel), (x, gradient))
    return _shifted(spread, kernel[::-1, ::-1], 1), kernel_gradient


shifted_depthwise.defvjp(_forward, _backward)


def grouped_depthwise(x: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
    """The same by XLA's grouped convolution, for accelerators."""
    return jax.lax.conv_general_dilated(
        x,
        kernel[:, :, None],
        (stride, stride),
        "VALID",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=x.shape[-1],
    )


def pointwise(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """A 1x1 convolution `[..., C] -> [..., D]` as one product of matrices: its gradient is four times faster."""
    return (x.reshape(-1, x.shape[-1]) @ kernel).reshape(*x.shape[:-1], kernel.shape[-1])


def depthwise(x: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
    """The one of the two that is fast here; arguments as for `shifted_depthwise`."""
    convolve = shifted_depthwise if jax.default_backend() == "cpu" else grouped_depthwise
    return convolve(x, kernel, stride)


class Weights(nn.Module):
    """The parameters of a layer, `kernel` of some shape and `bias`, for functions that do the layer's work.

    shape: of the kernel; the last axis is that of the bias.
    init: of the kernel.
    """

    shape: tuple[int, ...]
    init: Initializer = he_normal

    @nn.compact
    def __call__(self) -> tuple[jax.Array, jax.Array]:
        """Kernel and bias."""
        kernel = self.param("kernel", self.init, self.shape)
        return kernel, self.param("bias", nn.initializers.zeros, self.shape[-1:])


class Conv(nn.Module):
    """`[B, H, W, C] -> [B, H', W', features]`; padding as of `same_padding` unless zeros before and after are given."""

    features: int
    size: int = 3
    stride: int = 1
    padding: tuple[int, int] | None = None

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """The convolution."""
        kernel = self.param("kernel", he_normal, (self.size, self.size, x.shape[-1], self.features))
        bias = self.param("bias", nn.initializers.zeros, (self.features,))
        rows, columns = (self.padding or same_padding(side, self.size, self.stride) for side in x.shape[1:3])
        x = jax.lax.conv_general_dilated(
            x, kernel, (self.stride, self.stride), (rows, columns), dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        return x + bias[None, None, None]
