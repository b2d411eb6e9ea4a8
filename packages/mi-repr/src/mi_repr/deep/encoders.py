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


class Conv(nn.Module):
    """A 3x3 convolution of stride 2 with zeros around: `[..., H, W, C] -> [..., ceil(H / 2), ceil(W / 2), width]`.

    That of `flax.linen.Conv`, as a product of matrices: XLA's own convolution takes thirty times as long on a CPU
    within `lax.scan`.
    """

    width: int

    @nn.compact
    def __call__(self, x: chex.Array) -> chex.Array:
        """See the class."""
        *batch, height, width, depth = x.shape
        around = [(0, 0)] * len(batch)
        sides = []
        for side in (height, width):
            missing = 2 * -(-side // 2) + 1 - side
            around.append((missing // 2, missing - missing // 2))
            sides.append(-(-side // 2))
        x = jnp.pad(x, [*around, (0, 0)])
        rows, columns = sides
        # Every pixel that the kernel's place (i, j) meets: from there on every second one.
        seen = [x[..., i : i + 2 * rows - 1 : 2, j : j + 2 * columns - 1 : 2, :] for i in range(3) for j in range(3)]
        kernel = self.param("kernel", nn.initializers.lecun_normal(), (3, 3, depth, self.width))
        bias = self.param("bias", nn.initializers.zeros, (self.width,))
        product = jnp.concatenate(seen, axis=-1) @ kernel.reshape(-1, self.width)
        return product + bias.reshape([1] * (x.ndim - 1) + [-1])


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
            layer = Conv(width) if self.overlapping else PatchLayer(width, stride)
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
