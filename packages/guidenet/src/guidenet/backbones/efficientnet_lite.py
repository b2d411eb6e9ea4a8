"""EfficientNet-Lite0: mobile inverted bottlenecks with ReLU6 and no squeeze-and-excitation.

Source: github.com/tensorflow/tpu, models/official/efficientnet/lite (Apache-2.0). Batch normalisation is folded into
the convolutions. In the shape descriptions `B` denotes images, `H, W` pixels.
"""

from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from guidenet.backbones.layers import Conv, DepthwiseConv, he_normal


class Block(NamedTuple):
    """One inverted bottleneck: expand by 1x1, filter by a depthwise convolution, project by 1x1."""

    size: int
    stride: int
    expansion: int
    channels: int


_STAGES = (
    (1, Block(3, 1, 1, 16)),
    (2, Block(3, 2, 6, 24)),
    (2, Block(5, 2, 6, 40)),
    (3, Block(3, 2, 6, 80)),
    (3, Block(5, 1, 6, 112)),
    (4, Block(5, 2, 6, 192)),
    (1, Block(3, 1, 6, 320)),
)

BLOCKS: tuple[Block, ...] = tuple(
    block if i == 0 else block._replace(stride=1) for repeats, block in _STAGES for i in range(repeats)
)
"""All sixteen, in order."""

STEM_CHANNELS = 32

LAST_BLOCK = {8: 4, 16: 10, 32: 15}
"""By stride in px: the last block, from 0, whose output has it."""


class EfficientNetLite0(nn.Module):
    """`[B, H, W, 3]` RGB in 0..255 to a list of features at `strides`; more channels are passed on as they are."""

    strides: tuple[int, ...]

    @nn.compact
    def __call__(self, image: jax.Array) -> list[jax.Array]:
        """See the class."""
        x = jnp.concatenate([(image[..., :3] - 127) / 128, image[..., 3:]], axis=-1)
        x = _relu6(Conv(STEM_CHANNELS, stride=2, name="stem")(x))
        found: dict[int, jax.Array] = {}
        for i, block in enumerate(BLOCKS[: LAST_BLOCK[max(self.strides)] + 1]):
            x = _Bottleneck(block, name=f"block{i}")(x)
            found[i] = x
        return [found[LAST_BLOCK[stride]] for stride in self.strides]


class _Bottleneck(nn.Module):
    block: Block

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        size, stride, expansion, channels = self.block
        y = x
        if expansion > 1:
            y = _relu6(nn.Dense(expansion * x.shape[-1], kernel_init=he_normal, name="expand")(y))
        y = _relu6(DepthwiseConv(size, stride, name="depthwise")(y))
        y = nn.Dense(channels, kernel_init=he_normal, name="project")(y)
        return x + y if x.shape == y.shape else y


def _relu6(x: jax.Array) -> jax.Array:
    return jnp.clip(x, 0, 6)
