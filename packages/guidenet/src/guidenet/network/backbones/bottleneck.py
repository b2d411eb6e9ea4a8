"""Inverted bottlenecks, written so that they are fast on a CPU.

Most of an encoder's time and nearly all of its memory go into the expanded features of its first blocks: they are many
times as large as what goes in and what comes out. Here they are made with their padding already around them, and for a
large image in strips that stay in the cache.

In the shape descriptions `B` denotes images, `H, W` cells, `C` channels that go in, `E` expanded ones, `D` those that
come out.
"""

from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from guidenet.network.backbones.layers import Weights, depthwise, pointwise, same_padding

STRIP_BYTES = 12 * 2**20
"""Expanded features of an image are made in strips of about this size."""


class Block(NamedTuple):
    """One inverted bottleneck: expand by 1x1, filter by a depthwise convolution, project by 1x1."""

    size: int
    stride: int
    expansion: int
    channels: int


Layer = tuple[jax.Array, jax.Array]
"""Kernel and bias."""


class Bottleneck(nn.Module):
    """`[B, H, W, C] -> [B, ceil(H / stride), ceil(W / stride), D]`; a shortcut where shapes are equal."""

    block: Block

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """The block's features."""
        size, stride, expansion, channels = self.block
        expanded = expansion * x.shape[-1]
        expand = Weights((x.shape[-1], expanded), name="expand")() if expansion > 1 else None
        init = nn.initializers.normal((2 / size**2) ** 0.5)
        filters = Weights((size, size, expanded), init, name="depthwise")()
        project = Weights((expanded, channels), name="project")()
        y = bottleneck(x, expand, filters, project, stride)
        return x + y if x.shape == y.shape else y


def bottleneck(
    x: jax.Array, expand: Layer | None, filters: Layer, project: Layer, stride: int, strip_bytes: int = STRIP_BYTES
) -> jax.Array:
    """A bottleneck without its shortcut: `[B, H, W, C]` to `[B, ceil(H / stride), ceil(W / stride), D]`.

    Args:
      x: the features.
      expand: `[C, E]`, `[E]`; None is none, and E = C.
      filters: `[k, k, E]`, `[E]`.
      project: `[E, D]`, `[D]`.
      stride: of the depthwise convolution.
      strip_bytes: see `STRIP_BYTES`.
    """
    size, height = filters[0].shape[0], -(-x.shape[1] // stride)
    rows, columns = (same_padding(side, size, stride) for side in x.shape[1:3])
    if expand is not None:
        # What is padded is zero after the expansion too if its bias is the weight of a channel that is 1 in the image.
        x = jnp.concatenate([x, jnp.ones((*x.shape[:3], 1), x.dtype)], axis=-1)
    x = jnp.pad(x, ((0, 0), rows, columns, (0, 0)))

    def whole(part: jax.Array) -> jax.Array:
        if expand is not None:
            part = _relu6(pointwise(part, jnp.concatenate([expand[0], expand[1][None]])))
        part = _relu6(depthwise(part, filters[0], stride) + filters[1][None, None, None])
        return pointwise(part, project[0]) + project[1][None, None, None]

    num_strips = _num_strips(x.shape, filters[0].shape[-1], height, strip_bytes)
    if num_strips == 1:
        return whole(x)
    step = height // num_strips
    covered = stride * (step - 1) + size

    def strip(start: jax.Array) -> jax.Array:
        return whole(jax.lax.dynamic_slice_in_dim(x, start, covered, axis=1))[0]

    strips = jax.lax.map(strip, stride * step * jnp.arange(num_strips))
    return strips.reshape(1, height, *strips.shape[2:])


def _num_strips(shape: tuple[int, ...], expanded: int, height: int, strip_bytes: int) -> int:
    """A power of two that divides the rows; batches, which are for throughput, stay whole."""
    if shape[0] > 1 or jax.default_backend() != "cpu":
        return 1
    num_bytes, strips = 4 * shape[1] * shape[2] * expanded, 1
    while num_bytes > strips * strip_bytes and height % (2 * strips) == 0:
        strips *= 2
    return strips


def _relu6(x: jax.Array) -> jax.Array:
    return jnp.clip(x, 0, 6)
