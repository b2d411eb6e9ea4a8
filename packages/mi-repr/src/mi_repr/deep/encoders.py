"""Image encoders.

In the shape descriptions `...` stands for any leading batch dimensions, `H` and `W` for the height and width of an
image, `C` for its channels, `F` for features.
"""

from collections.abc import Sequence
from typing import NamedTuple

import chex
import flax.linen as nn
import jax.numpy as jnp

from mi_repr.deep.config import EncoderConfig

MIN_SIDE = 8
"""Pixels: the least height and width of an image."""


class Encoding(NamedTuple):
    """What an encoder makes of images.

    mean: `[..., F]`, the representation that the agent sees.
    std: `[..., F]` of the Gaussian p(z given s); None where the representation is deterministic.
    """

    mean: chex.Array
    std: chex.Array | None


class PatchLayer(nn.Module):
    """A convolution whose stride is its size: `[..., H, W, C] -> [..., ceil(H / size), ceil(W / size), width]`.

    Where the sides are no multiples of the size, zeros are added at the lower and the right edge.
    """

    width: int
    size: int

    @nn.compact
    def __call__(self, x: chex.Array) -> chex.Array:
        """See the class."""
        *batch, height, width, depth = x.shape
        rows, columns = -(-height // self.size), -(-width // self.size)
        missing = (rows * self.size - height, columns * self.size - width)
        if any(missing):
            x = jnp.pad(x, [(0, 0)] * len(batch) + [(0, missing[0]), (0, missing[1]), (0, 0)])
        x = x.reshape(*batch, rows, self.size, columns, self.size, depth)
        x = jnp.moveaxis(x, -4, -3).reshape(*batch, rows, columns, self.size**2 * depth)
        return nn.Dense(self.width, kernel_init=nn.initializers.he_normal())(x)


class Trunk(nn.Module):
    """`[..., H, W, C]` uint8 to `[..., features]` by five layers and a linear one.

    overlapping: 3x3 convolutions of stride 2 in place of patches.
    """

    channels: Sequence[int]
    output_size: int
    overlapping: bool

    @nn.compact
    def __call__(self, image: chex.Array) -> chex.Array:
        """See the class."""
        sides = image.shape[-3:-1]
        if min(sides) < MIN_SIDE:
            raise ValueError(f"images must be at least {MIN_SIDE} pixels a side, got {sides[0]} x {sides[1]}")
        x = image.astype(jnp.float32) / 255
        strides = (4, 2, 2, 2, 2) if min(sides) >= 64 else (2, 2, 2, 2, 2)
        for width, stride in zip(self.channels, strides, strict=True):
            layer = nn.Conv(width, (3, 3), strides=2) if self.overlapping else PatchLayer(width, stride)
            x = nn.relu(layer(x))
        return nn.Dense(self.output_size)(x.reshape(*x.shape[:-3], -1))


class Encoder(nn.Module):
    """`[..., H, W, C]` uint8 to an `Encoding`; images of any size and any number of channels.

    gaussian: whether the representation is a sample of a Gaussian with a learned width, as J_inv's bottleneck needs.
    """

    config: EncoderConfig
    gaussian: bool = False

    @nn.compact
    def __call__(self, image: chex.Array) -> Encoding:
        """See the class."""
        config = self.config
        trunk = Trunk(config.channels, config.feature_size, config.kind == "conv")(image)
        if not self.gaussian:
            return Encoding(trunk, None)
        hidden = nn.relu(trunk)
        mean = nn.Dense(config.feature_size)(hidden)
        # softplus(-2.25) = 0.1 at first. With the prior's width the untrained means are lost in the noise.
        std = nn.softplus(nn.Dense(config.feature_size)(hidden) - 2.25) + 1e-4
        return Encoding(mean, std)
