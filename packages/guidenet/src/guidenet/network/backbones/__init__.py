"""Backbones: networks between an image and its features, and where their cells lie."""

from collections.abc import Sequence

import flax.linen as nn
import jax

from guidenet.network.backbones.record import Colour, Options
from guidenet.network.geometry import Grid

__all__ = ["fill_colour", "make_backbone", "make_grids", "make_grids_of", "num_channels"]


def make_backbone(config: Options) -> nn.Module:
    """The module for a config: `init(key, image)`, `apply(params, image)`.

    It takes `[B, H, W, 3]` RGB in 0..255 to a list of features, one for each stride of the config.
    """
    return config.record.make(config)


def num_channels(config: Options) -> list[int]:
    """Of the features at each stride."""
    return [config.record.num_channels(config, stride) for stride in config.strides]


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


def make_grids_of(config: Options, maps: Sequence[jax.Array | None]) -> list[Grid]:
    """Where the cells of features lie that are there already, `[..., R, Q, C]`, the finest first; None is left out."""
    there = [x.shape for x in maps if x is not None]
    offsets = config.record.offsets
    return [Grid(x[-3], x[-2], stride, offsets[stride]) for x, stride in zip(there, config.strides, strict=False)]


def fill_colour(config: Options) -> Colour:
    """RGB in 0..255 that the backbone sees as zero, for what lies outside an image or under a mask."""
    return config.record.fill_colour(config.inputs)
