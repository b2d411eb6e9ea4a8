"""A small backbone, trained from scratch. In the shape descriptions `B` denotes images, `H, W` pixels."""

from collections.abc import Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp

from guidenet.network.backbones.layers import Conv

CHANNELS = (16, 32, 64)
"""Of the three layers."""

OFFSETS = {4: 3.0, 8: 7.0}
"""By stride in px: the offset of the first cell's centre, px."""

MEAN = (127.5, 127.5, 127.5)
"""RGB in 0..255."""


def num_channels(channels: Sequence[int], stride: int) -> int:
    """Of the features at a stride in px, of layers with these channels."""
    return channels[{4: 1, 8: 2}[stride]]


class Small(nn.Module):
    """`[B, H, W, 3]` RGB in 0..255 to a list of features at `strides`; more channels are passed on as they are.

    Three convolutions of stride 2; the features at strides 4 and 8 are normalised over their channels.

    channels: of the three layers.
    """

    strides: tuple[int, ...]
    channels: Sequence[int]

    @nn.compact
    def __call__(self, image: jax.Array) -> list[jax.Array]:
        """Features at each stride."""
        x = jnp.concatenate([image[..., :3] / MEAN[0] - 1, image[..., 3:]], axis=-1)
        found: dict[int, jax.Array] = {}
        for i, channels in enumerate(self.channels):
            x = nn.relu(Conv(channels, stride=2, name=f"conv{i}")(x))
            found[2 ** (i + 1)] = x
        return [nn.LayerNorm(name=f"norm{stride}")(found[stride]) for stride in self.strides]
