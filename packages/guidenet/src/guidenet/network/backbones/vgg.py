"""VGG-16 in fully convolutional form, to fc6: the thesis's backbone (B.1.1).

Sources: Simonyan and Zisserman (2015); Shelhamer et al. (2016). The first convolution has 81 zeros on each side, so
that fc6, a 7x7 convolution without padding, covers the image; pools keep what is left over at the end, as Caffe's do.

In the shape descriptions `B` denotes images, `H, W` pixels.
"""

from collections.abc import Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from guidenet.network.backbones.layers import Conv, same_padding

CONVOLUTIONS = (2, 2, 3, 3, 3)
"""Of each stage; a pool follows each."""

PADDING = 81

VGG16_CHANNELS = (64, 128, 256, 512, 512, 4096)
"""Of the five stages and of fc6."""

OFFSETS = {32: 32 * 3 - 80 + 15.5}
"""By stride in px: the offset of the first cell's centre, px. fc6 spans the cells i to i + 6 of the last pool, whose
middle one covers the 32 pixels from 32 (i + 3) - 80 on."""

MEAN: dict[str, tuple[float, float, float]] = {
    "caffe": (122.67891434, 116.66876762, 104.00698793),
    "torchvision": (123.675, 116.28, 103.53),
}
"""RGB in 0..255."""

_STD = (58.395, 57.12, 57.375)


class VGG16(nn.Module):
    """`[B, H, W, 3]` RGB in 0..255 to a list of one item, fc6 at stride 32; more channels are passed on as they are.

    channels: of the five stages and of fc6.
    inputs: `caffe` or `torchvision`, as `BackboneConfig.inputs`.
    dropout: whether to drop half of the channels of fc6 is left to the head.
    """

    channels: Sequence[int]
    inputs: str = "caffe"

    @nn.compact
    def __call__(self, image: jax.Array) -> list[jax.Array]:
        """Features of fc6."""
        x = image[..., :3] - np.array(MEAN[self.inputs], np.float32)[None, None, None]
        x = x[..., ::-1] if self.inputs == "caffe" else x / np.array(_STD, np.float32)[None, None, None]
        x = jnp.concatenate([x, image[..., 3:]], axis=-1)
        padding = PADDING
        for i, (count, channels) in enumerate(zip(CONVOLUTIONS, self.channels[:5], strict=True)):
            for j in range(count):
                x = nn.relu(Conv(channels, padding=(padding, padding), name=f"conv{i + 1}_{j + 1}")(x))
                padding = 1
            x = _pool(x)
        return [nn.relu(Conv(self.channels[5], size=7, padding=(0, 0), name="fc6")(x))]


def num_cells(size: int) -> int:
    """Cells of fc6 along an axis of `size` px."""
    size += 2 * PADDING - 2
    for _ in CONVOLUTIONS:
        size = -(-size // 2)
    return size - 6


def _pool(x: jax.Array) -> jax.Array:
    padding = [same_padding(side, 2, 2) for side in x.shape[1:3]]
    return nn.max_pool(x, (2, 2), (2, 2), padding)
