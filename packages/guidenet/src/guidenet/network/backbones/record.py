"""What there is to know of a backbone, in one record; `table.py` has them all."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import flax.linen as nn

Colour = tuple[float, float, float]
"""RGB in 0..255."""


class Options(Protocol):
    """What a record needs to know of a `BackboneConfig`, whose fields these are."""

    @property
    def record(self) -> "Backbone":
        """Of the backbone that the options are for."""
        ...

    @property
    def strides(self) -> tuple[int, ...]:
        """Where features are read, px, ascending."""
        ...

    @property
    def channels(self) -> tuple[int, ...]:
        """Of the layers; empty is the usual ones."""
        ...

    @property
    def inputs(self) -> str:
        """What the weights were trained on."""
        ...


@dataclasses.dataclass(frozen=True, eq=False)
class Backbone:
    """A network between an image and its features.

    name: as options have it.
    offsets: by stride in px at which features can be read: the offset of the centre of the first cell from the centre
      of the first pixel, px, on both axes.
    make: the module for some options: `[B, H, W, 3]` RGB in 0..255 to a list of features, one for each stride.
    num_channels: of the features at a stride in px, for some options.
    fill_colour: what the module sees as zero, by the options' `inputs`.
    first_layer: the name of the layer that sees the image.
    channels: the usual ones of the layers whose channels can be chosen; empty where none can.
    load: trained parameters, from a file or, for None, from where they are installed, and the options' `channels`;
      None where there are no trained parameters.
    untrained_layers: layers that trained parameters may lack.
    num_cells: along an axis of some px, at a stride in px; None is one for each stride, for sides that are multiples of
      the coarsest.
    """

    name: str
    offsets: Mapping[int, float]
    make: Callable[[Options], nn.Module]
    num_channels: Callable[[Options, int], int]
    fill_colour: Callable[[str], Colour]
    first_layer: str
    channels: tuple[int, ...] = ()
    load: Callable[[str | Path | None, Sequence[int]], dict[str, Any]] | None = None
    untrained_layers: tuple[str, ...] = ()
    num_cells: Callable[[int, int], int] | None = None

    @property
    def strides(self) -> tuple[int, ...]:
        """At which features can be read, px."""
        return tuple(self.offsets)
