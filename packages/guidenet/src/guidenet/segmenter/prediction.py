"""What a segmenter says about an image. In the shape descriptions `K` denotes classes, `H, W` pixels."""

import dataclasses
import functools

import numpy as np
import numpy.typing as npt

from guidenet.network.geometry import Grid, locate_pixels

MAX_CLASSES = 254
"""Labels are bytes, and 255 means unknown in label images."""

_CHUNK = 1 << 16
"""Pixels that are interpolated at a time, so that they stay in the cache."""


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
        return labels_of(self.logits)

    @functools.cached_property
    def probabilities(self) -> npt.NDArray[np.float32]:
        """`[K, H, W]` of each class; what is missing to 1 is background."""
        return probabilities(self.logits)

    @property
    def masks(self) -> dict[str, npt.NDArray[np.bool_]]:
        """`[H, W]` of each class by its name."""
        return {name: self.labels == i + 1 for i, name in enumerate(self.classes)}


def labels_of(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """`[H, W]` of logits `[K, H, W]`: 1 + the class whose logit is largest; 0, background, where none is above 0."""
    if len(logits) == 1:
        return (logits[0] > 0).astype(np.uint8)
    if not len(logits):
        return np.zeros(logits.shape[1:], np.uint8)
    return np.where(logits.max(axis=0) > 0, logits.argmax(axis=0) + 1, 0).astype(np.uint8)


def probabilities(logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """`[K, ...]` of each class; what is missing to 1 is background, whose logit is 0."""
    top = np.maximum(logits.max(axis=0, initial=0), 0)
    odds = np.exp(logits - top)
    return odds / (np.exp(-top) + odds.sum(axis=0))


def upsample_to(
    scores: npt.NDArray[np.float32], grid: Grid, inner: tuple[int, int], size: tuple[int, int]
) -> npt.NDArray[np.float32]:
    """Bilinear interpolation `[K, R, Q] -> [K, *size]` of cells of an image whose `inner` px were `size` px before.

    By hand rather than as a product of matrices: numpy's has threads of its own, which wait for each other in vain
    while others use the cores.
    """
    left, along = locate_pixels(size[1], grid.columns, grid.stride, grid.offset, inner[1])
    top, down = locate_pixels(size[0], grid.rows, grid.stride, grid.offset, inner[0])
    result = np.empty((len(scores), *size), np.float32)
    rows = max(_CHUNK // size[1], 1)
    for cells, pixels in zip(scores, result, strict=True):
        columns = np.ascontiguousarray(cells.T)
        lines = np.ascontiguousarray(_between(columns, _steps(columns), left, along).T)
        steps = _steps(lines)
        for start in range(0, size[0], rows):
            part = slice(start, start + rows)
            _between(lines, steps, top[part], down[part], pixels[part])
    return result


def _steps(cells: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """From each of the first axis to the next, `[R, N]`; after the last there is none."""
    return np.diff(cells, axis=0, append=cells[-1:])


def _between(
    cells: npt.NDArray[np.float32],
    steps: npt.NDArray[np.float32],
    before: npt.NDArray[np.int64],
    share: npt.NDArray[np.float32],
    out: npt.NDArray[np.float32] | None = None,
) -> npt.NDArray[np.float32]:
    """Linear interpolation along the first axis, `[R, N] -> [P, N]`, with `before` and `share` `[P]` as of `locate`."""
    # With the default mode and an array to write to, numpy would make a copy first.
    result = np.take(steps, before, axis=0, out=out, mode="clip")
    result *= share[:, None]
    result += np.take(cells, before, axis=0, mode="clip")
    return result
