"""Masks as COCO writes them: run lengths down the columns, and polygons.

Both are exact: decoded masks equal those of COCO's own tools in every pixel. A polygon is drawn as there: its corners
are rounded to fifths of a pixel, its edges to lines of such fifths, and a pixel is inside by where the edges cross the
middle of its column.

In the shape descriptions `H, W` denote pixels.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]

_FINENESS = 5  # fractions of a pixel, COCO's

_FARTHEST = 1e6
"""Corners of polygons lie within so many px: memory goes with the length of their edges."""


def decode_counts(counts: Sequence[int], size: tuple[int, int]) -> Mask:
    """`[H, W]` of run lengths, of 0 and 1 in turns, beginning with 0, down the columns from left to right.

    Args:
      counts: px.
      size: height and width, px.

    Raises:
      ValueError: they are not `H * W` in total, or one is negative.
    """
    lengths = np.asarray(counts, np.int64)
    if (lengths < 0).any() or lengths.sum() != size[0] * size[1]:
        raise ValueError(f"counts must be run lengths of {size[0]} x {size[1]} px in total, got {lengths.sum()}")
    values = np.arange(len(lengths)) % 2 == 1
    return np.repeat(values, lengths).reshape(size[1], size[0]).T


def encode_counts(mask: Mask) -> list[int]:
    """Run lengths of `[H, W]`, see `decode_counts`."""
    flat = np.asarray(mask, bool).T.ravel()
    changes = np.flatnonzero(np.diff(flat, prepend=False))
    return [int(count) for count in np.diff(changes, prepend=0, append=len(flat))]


def unpack_counts(text: str | bytes) -> list[int]:
    """Run lengths of COCO's compressed text: from the fourth on differences to the one two before, 5 bits a letter.

    Raises:
      ValueError: the text has other letters, or ends in the middle of a number.
    """
    counts: list[int] = []
    value, shift = 0, 0
    for letter in text.encode() if isinstance(text, str) else text:
        code = letter - 48
        if not 0 <= code < 64:
            raise ValueError(f"counts must be letters from '0' to 'o', got {chr(letter)!r}")
        value |= (code & 31) << shift
        shift += 5
        if code & 32:
            continue
        if code & 16:
            value -= 1 << shift
        counts.append(value + counts[-2] if len(counts) > 2 else value)
        value, shift = 0, 0
    if shift:
        raise ValueError(f"counts must not end within a number, got {text!r}")
    return counts


def pack_counts(counts: Sequence[int]) -> str:
    """COCO's compressed text of run lengths, see `unpack_counts`."""
    letters: list[str] = []
    for i, count in enumerate(counts):
        value = int(count) - (int(counts[i - 2]) if i > 2 else 0)
        more = True
        while more:
            code, value = value & 31, value >> 5
            more = value != (-1 if code & 16 else 0)
            letters.append(chr(48 + (code | 32 if more else code)))
    return "".join(letters)


def draw_polygons(polygons: Iterable[Sequence[float]], size: tuple[int, int]) -> Mask:
    """`[H, W]`: the union of polygons.

    Args:
      polygons: each `x0, y0, x1, y1, ..`, px from the upper left corner of the image.
      size: height and width, px.

    Raises:
      ValueError: a polygon is not of at least three points, or a number is not finite or far beyond any image.
    """
    mask = np.zeros(size, bool)
    for polygon in polygons:
        corners = np.asarray(polygon, np.float64)
        if corners.ndim != 1:
            raise ValueError(f"polygons must be lists x0, y0, x1, y1, .. of numbers, got {polygon!r}")
        if len(corners) < 6 or len(corners) % 2:
            raise ValueError(f"polygon must be x, y of at least 3 points, got {len(corners)} numbers")
        if not (np.abs(corners) <= _FARTHEST).all():
            raise ValueError(f"polygon must have numbers within {_FARTHEST:g} px, got {polygon!r}")
        mask |= _draw(corners.reshape(-1, 2), size)
    return mask


def _draw(corners: npt.NDArray[np.float64], size: tuple[int, int]) -> Mask:
    height, width = size
    fine = (_FINENESS * corners + 0.5).astype(np.int64)  # towards zero, as COCO does
    edges = [_line(start, end) for start, end in zip(fine, np.roll(fine, -1, axis=0), strict=True)]
    x, y = np.concatenate(edges).T
    stepped = x[1:] != x[:-1]
    column = (np.minimum(x[1:], x[:-1])[stepped] + 0.5) / _FINENESS - 0.5
    row = (np.minimum(y[1:], y[:-1])[stepped] + 0.5) / _FINENESS - 0.5
    counted = (np.floor(column) == column) & (column >= 0) & (column <= width - 1)
    row = np.ceil(np.clip(row[counted], 0, height)).astype(np.int64)
    place = column[counted].astype(np.int64) * height + row
    # Inside changes at every crossing, as one goes down the columns.
    crossings = np.bincount(place, minlength=height * width + 1)[: height * width]
    return (np.cumsum(crossings) % 2 == 1).reshape(width, height).T


def _line(start: npt.NDArray[np.int64], end: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """`[n, 2]` points from start to end, one for each step along the longer axis."""
    longer = 0 if abs(end[0] - start[0]) >= abs(end[1] - start[1]) else 1
    low, high = (start, end) if start[longer] <= end[longer] else (end, start)
    steps = np.arange(high[longer] - low[longer] + 1)
    slope = (high[1 - longer] - low[1 - longer]) / max(len(steps) - 1, 1)
    points = np.empty((len(steps), 2), np.int64)
    points[:, longer] = low[longer] + steps
    points[:, 1 - longer] = (low[1 - longer] + slope * steps + 0.5).astype(np.int64)
    return points if low is start else points[::-1]
