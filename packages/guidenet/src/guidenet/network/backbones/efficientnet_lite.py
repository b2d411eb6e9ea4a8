"""EfficientNet-Lite0: mobile inverted bottlenecks with ReLU6 and no squeeze-and-excitation.

Source: github.com/tensorflow/tpu, models/official/efficientnet/lite (Apache-2.0). Batch normalisation is folded into
the convolutions. In the shape descriptions `B` denotes images, `H, W` pixels.
"""

import flax.linen as nn
import jax
import jax.numpy as jnp

from guidenet.network.backbones.bottleneck import Block, Bottleneck
from guidenet.network.backbones.layers import Conv

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

LAST_BLOCK = {4: 2, 8: 4, 16: 10, 32: 15}
"""By stride in px: the last block, from 0, whose output has it."""

OFFSETS = {4: 2.0, 8: 3.0, 16: 9.0, 32: 15.5}
"""By stride in px: the offset of the first cell's centre, px, as measured with the trained weights by
`benchmarks/cell_centres.py`. By the geometry of padded convolutions it would be the stride less 1; the trained kernels
look at the near side of their windows."""

MEAN = (127.0, 127.0, 127.0)
"""RGB in 0..255."""


def num_channels(stride: int) -> int:
    """Of the features at a stride, px."""
    return BLOCKS[LAST_BLOCK[stride]].channels


class EfficientNetLite0(nn.Module):
    """`[B, H, W, 3]` RGB in 0..255 to a list of features at `strides`; more channels are passed on as they are."""

    strides: tuple[int, ...]

    @nn.compact
    def __call__(self, image: jax.Array) -> list[jax.Array]:
        """Features at each stride."""
        x = jnp.concatenate([(image[..., :3] - MEAN[0]) / 128, image[..., 3:]], axis=-1)
        x = jnp.clip(Conv(STEM_CHANNELS, stride=2, name="stem")(x), 0, 6)
        found: dict[int, jax.Array] = {}
        for i, block in enumerate(BLOCKS[: LAST_BLOCK[max(self.strides)] + 1]):
            x = Bottleneck(block, name=f"block{i}")(x)
            found[i] = x
        return [found[LAST_BLOCK[stride]] for stride in self.strides]
