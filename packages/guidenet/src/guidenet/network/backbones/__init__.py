"""Backbones: networks between an image and its features, and where their cells lie."""

import flax.linen as nn

from guidenet.network.backbones.record import Colour, Options
from guidenet.network.geometry import Grid

__all__ = ["fill_colour", "make_backbone", "make_grids", "num_channels"]


def make_backbone(config: Options) -> nn.Module:
    """The module for a config: `init(key, image)`, `apply(params, image)`.

    It takes `[B, H, W, 3]` RGB in 0..255 to a list of features, one for each stride of the config.
    """
    return config.record.make(config)


def num_channels(config: Options) -> int:
    """Of the features at all strides together."""
    return sum(config.record.num_channels(config, stride) for stride in config.strides)


def make_grids(config: Options, height: int, width: int) -> list[Grid]:
    """Where the cells lie, at each stride, in an image of `height` by `width` px.

    Raises:
      ValueError: the sides are not multiples of the coarsest stride, and the backbone has cells for such sides only.
    """
    record, coarsest = config.record, max(config.strides)
    num_cells = record.num_cells
    if num_cells is None:
        if height % coarsest or width % coarsest or not height or not width:
            raise ValueError(f"image sides must be multiples of {coarsest}, got {height} x {width}")
        num_cells = int.__floordiv__
    return [
        Grid(num_cells(height, stride), num_cells(width, stride), stride, record.offsets[stride])
        for stride in config.strides
    ]


def fill_colour(config: Options) -> Colour:
    """RGB in 0..255 that the backbone sees as zero, for what lies outside an image or under a mask."""
    return config.record.fill_colour(config.inputs)
