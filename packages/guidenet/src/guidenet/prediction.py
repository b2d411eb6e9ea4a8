"""What a segmenter says about an image. In the shape descriptions `K` denotes classes, `H, W` pixels."""

import dataclasses
import functools

import numpy as np
import numpy.typing as npt

from guidenet.geometry import Grid, pixel_weights

MAX_CLASSES = 254
"""Labels are bytes, and 255 means unknown in label images."""


@dataclasses.dataclass(frozen=True, eq=False)
class Prediction:
    """The segmentation of one image, at its own resolution.

    classes: `K` names.
    logits: `[K, H, W]` float32 of each class against the background, whose logit is 0.
    """

    classes: tuple[str, ...]
    logits: npt.NDArray[np.float32]

    @functools.cached_property
    def labels(self) -> npt.NDArray[np.uint8]:
        """`[H, W]`: 0 background, i + 1 for `classes[i]`."""
        if not self.classes:
            return np.zeros(self.logits.shape[1:], np.uint8)
        if len(self.classes) == 1:
            return (self.logits[0] > 0).astype(np.uint8)
        best = self.logits.argmax(axis=0)
        return np.where(self.logits.max(axis=0) > 0, best + 1, 0).astype(np.uint8)

    @functools.cached_property
    def probabilities(self) -> npt.NDArray[np.float32]:
        """`[K, H, W]` of each class; what is missing to 1 is background."""
        top = np.maximum(self.logits.max(axis=0, initial=0), 0)
        odds = np.exp(self.logits - top)
        return odds / (np.exp(-top) + odds.sum(axis=0))

    @property
    def masks(self) -> dict[str, npt.NDArray[np.bool_]]:
        """`[H, W]` of each class by its name."""
        return {name: self.labels == i + 1 for i, name in enumerate(self.classes)}


def upsample_to(
    scores: npt.NDArray[np.float32], grid: Grid, inner: tuple[int, int], size: tuple[int, int]
) -> npt.NDArray[np.float32]:
    """Bilinear interpolation `[K, R, Q] -> [K, *size]` of cells of an image whose `inner` px were `size` px before."""
    rows = pixel_weights(size[0], grid.rows, grid.stride, grid.offset, inner[0])
    columns = pixel_weights(size[1], grid.columns, grid.stride, grid.offset, inner[1])
    return np.asarray(rows @ (scores @ columns.T), np.float32)
