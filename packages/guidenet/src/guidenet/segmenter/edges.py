"""Edges of masks laid along those of the image, specks removed and holes filled: between cells of 16 px and pixels.

A guided filter (He, Sun and Tang 2013): in each window of the image the probability of a class is fitted by a linear
function of colour, p = a' colour + b, and a pixel gets the mean of its windows' functions. What the colours of a window
do not tell apart stays as it was, so that a flat image is only smoothed. The functions are fitted on means of
`STEP` x `STEP` px and applied to the pixels (He and Sun 2015).

The filter is linear and keeps constants, so filtered probabilities of classes and background still sum to 1.

In the shape descriptions `H, W` denote pixels, `h, w` blocks of `STEP` px, `K` classes.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.ndimage

from guidenet.images import Pixels
from guidenet.network.geometry import Grid
from guidenet.segmenter.prediction import probabilities, upsample_to

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]

STEP = 4
"""Side of a block, px."""

RADIUS = 8
"""Of a window, blocks: at 512 px, 32 px to each side."""

SMOOTHNESS = 1e-3
"""Variance of colours, of 0..1, that counts as flat."""

MIN_AREA = 64
"""Px of the smallest piece or hole that is kept: a quarter of a cell of 16 px."""

_SMALLEST = 1e-4
"""The background's probability and the odds of classes are kept above this, so that their logarithms are numbers."""


class Edges(NamedTuple):
    """What is kept of an image for its edges.

    planes: `[3, H, W]` uint8, red, green and blue.
    colours: `[h, w, 3]` in 0..1, means of blocks.
    mean: `[h, w, 3]` of the windows.
    inverse: `[h, w, 3, 3]` of the covariances of the windows, to which `SMOOTHNESS` is added.
    """

    planes: Pixels
    colours: Floats
    mean: Floats
    inverse: Floats


def find_edges(pixels: Pixels) -> Edges:
    """What the filter needs of an image `[H, W, 3]`, whatever is segmented in it."""
    colours = _block_means(pixels.astype(np.float32) / 255)
    mean = _window_means(colours)
    products = _window_means(colours[..., :, None] * colours[..., None, :])
    covariance = products - mean[..., :, None] * mean[..., None, :]
    covariance[..., range(3), range(3)] += SMOOTHNESS
    return Edges(np.ascontiguousarray(np.moveaxis(pixels, -1, 0)), colours, mean, _inverse(covariance))


def follow_edges(edges: Edges, scores: Floats, cells: Grid) -> Floats:
    """Logits `[K, H, W]` whose masks end at the edges of the image.

    Args:
      edges: of the image.
      scores: `[K, R, Q]` logits of cells, of each class against the background.
      cells: where they lie.
    """
    height, width = edges.planes.shape[1:]
    rows, columns = edges.colours.shape[:2]
    blocks = Grid(rows, columns, STEP, (STEP - 1) / 2)
    logits = upsample_to(scores, cells, (STEP * rows, STEP * columns), (rows, columns))
    found = np.empty((len(logits), height, width), np.float32)
    for coefficients, result in zip(_fit(edges, probabilities(logits)), found, strict=True):
        *slopes, offset = upsample_to(coefficients, blocks, (height, width), (height, width))
        result[:] = offset
        for slope, plane in zip(slopes, edges.planes, strict=True):
            slope *= plane
            result += slope
    found /= np.maximum(1 - found.sum(axis=0), _SMALLEST)
    # Of the odds, so that a class that is nowhere is so beside another class too.
    np.maximum(found, _SMALLEST, out=found)
    return np.log(found, out=found)


def _fit(edges: Edges, p: Floats) -> Floats:
    """Of probabilities `[K, h, w]`: `[K, 4, h, w]`, slopes by red, green and blue in 0..255, and the offset."""
    coefficients = np.empty((len(p), 4, *p.shape[1:]), np.float32)
    for values, result in zip(p, coefficients, strict=True):
        mean = _window_means(values)
        covariance = _window_means(values[..., None] * edges.colours) - mean[..., None] * edges.mean
        slopes = np.einsum("hwij,hwj->hwi", edges.inverse, covariance)
        result[:3] = np.moveaxis(_window_means(slopes), -1, 0) / 255
        result[3] = _window_means(mean - (slopes * edges.mean).sum(axis=-1))
    return coefficients


def _block_means(x: npt.NDArray[np.floating]) -> Floats:
    """`[H, W, C]` to `[h, w, C]`; beyond the far borders are the values at them."""
    height, width = (-side % STEP for side in x.shape[:2])
    x = np.pad(x, ((0, height), (0, width), (0, 0)), mode="edge")
    blocks = x.reshape(x.shape[0] // STEP, STEP, x.shape[1] // STEP, STEP, x.shape[2])
    return blocks.mean(axis=(1, 3), dtype=np.float32)


def _inverse(matrices: npt.NDArray[np.floating]) -> Floats:
    """Of symmetric `[..., 3, 3]`, by cofactors: ten times faster than a solver for each."""
    rows = np.moveaxis(matrices, -2, 0)
    cofactors = np.stack([np.cross(rows[i - 2], rows[i - 1]) for i in range(3)], axis=-2)
    return cofactors / (cofactors[..., 0, :] * rows[0]).sum(axis=-1)[..., None, None]


def _window_means(x: Floats) -> Floats:
    """Means over windows of `[h, w, ...]`; beyond the border are the values at it."""
    for axis in (0, 1):
        x = scipy.ndimage.uniform_filter1d(x, 2 * RADIUS + 1, axis=axis, mode="nearest")
    return x


def remove_specks(logits: Floats, min_area: int) -> Floats:
    """Takes pieces of a class, and holes in it, of fewer than `min_area` px out of `logits [K, H, W]`, in place.

    The sign of a logit is changed there and not its size. A hole gets the class that most of its border has.
    What covers a whole image is neither, however small that is.
    """
    min_area = min(min_area, logits[0].size)
    labels = logits[0] > 0 if len(logits) == 1 else np.where(logits.max(axis=0) > 0, logits.argmax(axis=0) + 1, 0)
    flat, found = logits.reshape(len(logits), -1), labels.ravel()
    for label in range(1, len(logits) + 1):
        specks, _ = _small_pieces(labels == label, min_area)
        flat[:, specks] = -np.abs(flat[:, specks])
        found[specks] = 0
    holes, numbers = _small_pieces(labels == 0, min_area)
    if len(holes):
        classes = _classes_beside(labels, holes, numbers, len(logits))[numbers]
        holes, classes = holes[classes > 0], classes[classes > 0]
        flat[classes - 1, holes] = np.abs(flat[:, holes]).max(axis=0)
    return logits


def _small_pieces(mask: npt.NDArray[np.bool_], min_area: int) -> tuple[Places, Places]:
    """Flat positions `[P]` of pixels in pieces of a mask that are smaller than `min_area` px, and their pieces."""
    pieces, _ = scipy.ndimage.label(mask)
    sizes = np.bincount(pieces.ravel())
    sizes[0] = min_area
    places = np.flatnonzero((sizes < min_area)[pieces])
    return places, pieces.ravel()[places]


def _classes_beside(labels: npt.NDArray[np.integer], places: Places, pieces: Places, num_classes: int) -> Places:
    """By the number of a piece, the class that most of the pixels beside it have; 0 where there is none."""
    width = labels.shape[1] + 2
    padded = np.pad(labels, 1).ravel()
    rows, columns = np.divmod(places, labels.shape[1])
    middle = (rows + 1) * width + columns + 1
    beside = np.concatenate([padded[middle + step] for step in (-width, width, -1, 1)]).astype(np.int64)
    kinds = num_classes + 1
    votes = np.bincount(np.tile(pieces, 4) * kinds + beside, minlength=kinds * (int(pieces.max()) + 1))
    votes = votes.reshape(-1, kinds)
    votes[:, 0] = 0
    return np.where(votes.any(axis=1), votes.argmax(axis=1), 0)
