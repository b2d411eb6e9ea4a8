"""Edges of masks laid along those of the image: between cells and pixels.

A guided filter (He, Sun and Tang 2013): in each window of the image the probability of a class is fitted by a linear
function of colour, p = a' colour + b, and a pixel gets the mean of its windows' functions. What the colours of a window
do not tell apart stays as it was, so that a flat image is only smoothed. The functions are fitted on means of
`STEP` x `STEP` px and applied to the pixels (He and Sun 2015).

The filter is linear and keeps constants, so filtered probabilities of classes and background still sum to 1.

In the shape descriptions `H, W` denote pixels, `h, w` blocks of `STEP` px, `K` classes, `C` planes.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from guidenet.images import Pixels
from guidenet.network.geometry import Grid
from guidenet.segmenter.prediction import probabilities, upsample_to

Floats = npt.NDArray[np.float32]

STEP = 4
"""Side of a block, px."""

SMOOTHNESS = 1e-3
"""Variance of colours, of 0..1, that counts as flat."""

_SMALLEST = 1e-4
"""The background's probability and the odds of classes are kept above this, so that their logarithms are numbers."""

_ROWS = ((0, 1, 2), (1, 3, 4), (2, 4, 5))
"""Of a symmetric matrix of 3 x 3, whose six different entries are kept."""


class Edges(NamedTuple):
    """What is kept of an image for its edges.

    size: `H, W`.
    radius: of a window, blocks, a power of 2.
    pixels: `[STEP, STEP, 3, h, w]` uint8: by row and column in the block red, green and blue, so that what is done to
      all blocks runs through memory from end to end.
    colours: `[3, h, w]` in 0..1, means of blocks.
    mean: `[3, h, w]` of the windows.
    inverse: `[6, h, w]` of the covariances of the windows, to which `SMOOTHNESS` is added: the upper triangle.
    """

    size: tuple[int, int]
    radius: int
    pixels: Pixels
    colours: Floats
    mean: Floats
    inverse: Floats


def find_edges(pixels: Pixels, stride: int) -> Edges:
    """What the filter needs of an image, whatever is segmented in it.

    Args:
      pixels: `[H, W, 3]`.
      stride: of the cells whose scores will be filtered, px, a power of 2. Windows reach two cells to each side: no
        score is off by more, and what lies further has other colours.
    """
    radius = max(2 * stride // STEP, 1)
    height, width = pixels.shape[:2]
    blocks = _blocks(pixels)
    colours = blocks.sum(axis=(0, 1), dtype=np.uint16).astype(np.float32)
    colours /= 255 * STEP**2
    pairs = [(i, j) for i in range(3) for j in range(i, 3)]
    moments = _window_means(np.stack([*colours, *(colours[i] * colours[j] for i, j in pairs)]), radius)
    mean, covariance = moments[:3], moments[3:]
    for entry, (i, j) in zip(covariance, pairs, strict=True):
        entry -= mean[i] * mean[j]
        if i == j:
            entry += SMOOTHNESS
    return Edges((height, width), radius, blocks, colours, mean, _inverse(covariance))


def follow_edges(edges: Edges, scores: Floats, cells: Grid) -> Floats:
    """Logits `[K, H, W]` whose masks end at the edges of the image.

    Args:
      edges: of the image.
      scores: `[K, R, Q]` logits of cells, of each class against the background.
      cells: where they lie.
    """
    height, width = edges.size
    rows, columns = edges.colours.shape[1:]
    p = probabilities(upsample_to(scores, cells, (STEP * rows, STEP * columns), (rows, columns)))
    found = np.empty((len(p), height, width), np.float32)
    for values, result in zip(p, found, strict=True):
        result[:] = _apply(edges, _fit(edges, values))[:height, :width]
    rest = 1 - found.sum(axis=0)
    found /= np.maximum(rest, _SMALLEST, out=rest)
    # Of the odds, so that a class that is nowhere is so beside another class too.
    np.maximum(found, _SMALLEST, out=found)
    return np.log(found, out=found)


def _fit(edges: Edges, p: Floats) -> Floats:
    """Of probabilities `[h, w]`: `[4, h, w]`, slopes by red, green and blue in 0..255, and the offset."""
    mean, *products = _window_means(np.stack([p, *(p * edges.colours)]), edges.radius)
    covariance = [product - mean * colour for product, colour in zip(products, edges.mean, strict=True)]
    fitted = np.empty((4, *p.shape), np.float32)
    for i, entries in enumerate(_ROWS):
        fitted[i] = sum(edges.inverse[entry] * covariance[j] for j, entry in enumerate(entries))
    fitted[3] = mean - (fitted[:3] * edges.mean).sum(axis=0)
    fitted = _window_means(fitted, edges.radius)
    fitted[:3] /= 255
    return fitted


def _apply(edges: Edges, fitted: Floats) -> Floats:
    """The functions `[4, h, w]`, interpolated bilinearly between blocks, at the pixels: `[STEP * h, STEP * w]`."""
    rows, columns = fitted.shape[1:]
    result = np.empty((rows, STEP, columns, STEP), np.float32)
    for row, between in enumerate(_between_blocks(fitted, axis=1)):
        for column, values in enumerate(_between_blocks(between, axis=2)):
            values[:3] *= edges.pixels[row, column]
            result[:, row, :, column] = values.sum(axis=0)
    return result.reshape(rows * STEP, columns * STEP)


def _between_blocks(x: Floats, axis: int) -> Iterator[Floats]:
    """`[4, h, w]` of the centres of blocks, interpolated to the pixels in them: to the first of each block, and so on.

    Beyond the outermost centres their values hold.
    """
    length = x.shape[axis]
    steps = np.zeros((*x.shape[:axis], length + 1, *x.shape[axis + 1 :]), np.float32)
    inner = steps[_part(axis, 1, length)]
    np.subtract(x[_part(axis, 1, length)], x[_part(axis, 0, length - 1)], out=inner)
    before, after = steps[_part(axis, 0, length)], steps[_part(axis, 1, length + 1)]
    for i in range(STEP):
        share = (i - (STEP - 1) / 2) / STEP
        values = (before if share < 0 else after) * np.float32(share)
        values += x
        yield values


def _blocks(pixels: Pixels) -> Pixels:
    """`[H, W, 3]` as `Edges.pixels`; beyond the far borders are the values at them."""
    height, width = (-side % STEP for side in pixels.shape[:2])
    if height or width:
        pixels = np.pad(pixels, ((0, height), (0, width), (0, 0)), mode="edge")
    blocks = pixels.reshape(pixels.shape[0] // STEP, STEP, pixels.shape[1] // STEP, STEP, 3)
    return np.ascontiguousarray(blocks.transpose(1, 3, 4, 0, 2))


def _inverse(matrices: Floats) -> Floats:
    """Of symmetric matrices, by cofactors; both `[6, h, w]`, the upper triangle."""
    a, b, c, d, e, f = matrices
    cofactors = np.stack([d * f - e * e, c * e - b * f, b * e - c * d, a * f - c * c, b * c - a * e, a * d - b * b])
    return cofactors / (a * cofactors[0] + b * cofactors[1] + c * cofactors[2])


def _window_means(x: Floats, radius: int) -> Floats:
    """Means over windows of `[C, h, w]`; beyond the border are the values at it."""
    return _window_sums(_window_sums(x, 1, radius), 2, radius) / np.float32((2 * radius + 1) ** 2)


def _window_sums(x: Floats, axis: int, radius: int) -> Floats:
    """Sums of windows along an axis, each of two of half the length: no sum over the whole image loses digits."""
    length, shape = x.shape[axis], list(x.shape)
    shape[axis] += 2 * radius
    wide = np.empty(shape, np.float32)
    wide[_part(axis, 0, radius)] = x[_part(axis, 0, 1)]
    wide[_part(axis, radius, radius + length)] = x
    wide[_part(axis, radius + length, shape[axis])] = x[_part(axis, length - 1, length)]
    # All is added as one row. What is then added across the ends of the axis is cut off: windows there are not whole.
    step = math.prod(shape[axis + 1 :])
    flat = wide.ravel()
    sums, size = flat, 1
    while size < 2 * radius:
        sums, size = sums[: -size * step] + sums[size * step :], 2 * size
    last = 2 * radius * step
    result = np.empty_like(flat)
    np.add(sums[: len(flat) - last], flat[last:], out=result[:-last])
    return result.reshape(shape)[_part(axis, 0, length)]


def _part(axis: int, start: int, stop: int) -> tuple[slice, ...]:
    """The index of a part of an axis."""
    return (*[slice(None)] * axis, slice(start, stop))
