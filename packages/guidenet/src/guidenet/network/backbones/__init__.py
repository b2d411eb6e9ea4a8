"""Backbones: networks between an image and its features, and where their cells lie."""

from typing import Protocol

import flax.linen as nn
import jax

from guidenet.network.backbones import vgg
from guidenet.network.backbones.efficientnet_lite import BLOCKS, LAST_BLOCK, EfficientNetLite0
from guidenet.network.backbones.small import Small
from guidenet.network.backbones.vgg import VGG16
from guidenet.network.config import VGG16_CHANNELS, BackboneConfig
from guidenet.network.geometry import Grid

__all__ = ["VGG16", "EfficientNetLite0", "Small", "fill_colour", "make_backbone", "make_grids", "num_channels"]

_SMALL_CHANNELS = (16, 32, 64)


class Backbone(Protocol):
    """`[B, H, W, 3]` RGB in 0..255 to features at each stride of the config; a flax module."""

    def __call__(self, image: jax.Array) -> list[jax.Array]:
        """See the class."""
        ...


def make_backbone(config: BackboneConfig) -> nn.Module:
    """The module for a config: `init(key, image)`, `apply(params, image)`."""
    if config.name == "efficientnet-lite0":
        return EfficientNetLite0(config.strides)
    if config.name == "vgg16":
        return VGG16(config.channels or VGG16_CHANNELS, config.inputs)
    return Small(config.strides, config.channels or _SMALL_CHANNELS)


def num_channels(config: BackboneConfig) -> int:
    """Of the features at all strides together."""
    if config.name == "efficientnet-lite0":
        return sum(BLOCKS[LAST_BLOCK[stride]].channels for stride in config.strides)
    if config.name == "vgg16":
        return (config.channels or VGG16_CHANNELS)[5]
    channels = config.channels or _SMALL_CHANNELS
    return sum(channels[{4: 1, 8: 2}[stride]] for stride in config.strides)


def make_grids(config: BackboneConfig, height: int, width: int) -> list[Grid]:
    """Where the cells lie, at each stride, in an image of `height` by `width` px.

    Raises:
      ValueError: the sides are not multiples of the coarsest stride, which the geometry of all but `vgg16` needs.
    """
    if config.name == "vgg16":
        # fc6 spans pool5's cells i..i+6, whose middle one covers pixels 32 (i + 3) - 80 to 31 further on.
        return [Grid(vgg.num_cells(height), vgg.num_cells(width), 32, 32 * 3 - 80 + 15.5)]
    coarsest = max(config.strides)
    if height % coarsest or width % coarsest or not height or not width:
        raise ValueError(f"image sides must be multiples of {coarsest}, got {height} x {width}")
    # Of an even side, the cells of a padded convolution of stride 2 are centred on every second cell, from 1 on.
    return [Grid(height // stride, width // stride, stride, stride - 1) for stride in config.strides]


def fill_colour(config: BackboneConfig) -> tuple[float, float, float]:
    """RGB in 0..255 that the backbone sees as zero, for what lies outside an image or under a mask."""
    if config.name == "vgg16":
        red, green, blue = vgg.MEAN[config.inputs]
        return red, green, blue
    return (127.0, 127.0, 127.0) if config.name == "efficientnet-lite0" else (127.5, 127.5, 127.5)
