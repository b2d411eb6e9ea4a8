"""A small backbone, trained from scratch. In the shape descriptions `B` denotes images, `H, W` pixels."""

from collections.abc import Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp

from guidenet.network.backbones.layers import Conv


class Small(nn.Module):
    """`[B, H, W, 3]` RGB in 0..255 to a list of features at `strides`; more channels are passed on as they are.

    Three convolutions of stride 2; the features at strides 4 and 8 are normalised over their channels.

    channels: of the three layers.
    """

    strides: tuple[int, ...]
    channels: Sequence[int]

    @nn.compact
    def __call__(self, image: jax.Array) -> list[jax.Array]:
        """See the class."""
        x = jnp.concatenate([image[..., :3] / 127.5 - 1, image[..., 3:]], axis=-1)
        found: dict[int, jax.Array] = {}
        for i, channels in enumerate(self.channels):
            x = nn.relu(Conv(channels, stride=2, name=f"conv{i}")(x))
            found[2 ** (i + 1)] = x
        return [nn.LayerNorm(name=f"norm{stride}")(found[stride]) for stride in self.strides]
