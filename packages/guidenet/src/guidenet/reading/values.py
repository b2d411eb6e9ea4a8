"""What the numbers of a mask may mean: light and dark, classes, objects one by one.

In the shape descriptions `H, W` denote pixels.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from guidenet.reading.errors import AmbiguousError, ReadError

Ids = npt.NDArray[np.int64]
"""`[H, W]`: 0 background, 1.. classes or objects, -1 unknown."""

KINDS = ("auto", "binary", "classes", "instances", "alpha")
"""How a mask is read."""

VOID = 255
"""The index of unknown pixels in files of 8 bits, as in PASCAL VOC and DAVIS."""

_VOID_16 = 65535
_LIGHT, _DARK = 224, 32
"""Of 8 bits: nearly white from the one on, nearly black below the other."""

_TRIMAP = range(96, 160)
"""Greys that stand for unknown, where 255 is the object."""

_NOISE = 8
"""Noise and soft edges have at least so many greys."""

_SHOWN = 6

_INVERTED = "has 0 as white, so its values are not as they are seen"
_LABELS = ", or a PNG of 8 bits must have its labels"

_BAND = 17
"""Greys that one grey is spread over where a format changes values."""


class Found(NamedTuple):
    """Labels, and how they were read.

    ids: `[H, W]`.
    reading: one of `KINDS` but `auto`.
    """

    ids: Ids
    reading: str


class Plane(NamedTuple):
    """One channel of a mask.

    name: of the file, for messages.
    values: `[H, W]`, as they were written.
    eight: they are of 8 bits.
    loss: the format, where they are near what they were only.
    inverted: they are as they are seen, and were written the other way round.
    largest: the one that is white, where it is neither 255 nor 65535; else 0.
    """

    name: str
    values: npt.NDArray[Any]
    eight: bool = True
    loss: str = ""
    inverted: bool = False
    largest: int = 0


def read_plane(plane: Plane, kind: str) -> Found:
    """Labels of one channel.

    Args:
      plane: the channel.
      kind: `auto`, `binary`, `classes` or `instances`.

    Raises:
      ReadError: it has values that the kind has no meaning for, or is ambiguous.
    """
    values = plane.values
    if values.dtype.kind == "f":
        if not np.isfinite(values).all():
            raise ReadError(plane.name, "must have finite values, and has nan or inf")
        if (values == np.floor(values)).all():
            plane = plane._replace(values=values.astype(np.int64), eight=bool(values.max(initial=0) <= VOID))
        elif kind in ("classes", "instances"):
            raise ReadError(plane.name, f"must have whole numbers to be read as {kind}, and has fractions")
        elif values.min() >= 0 and values.max() <= 1:
            plane = plane._replace(values=np.round(values * 255).astype(np.int64), eight=True)
        elif len(np.unique(values)) > 2:
            problem = "must have fractions from 0 to 1, whole numbers or two values"
            raise ReadError(plane.name, f"{problem}, and has fractions from {values.min():g} to {values.max():g}")
        elif kind == "auto":
            raise ambiguous(plane.name, f"has fractions from {values.min():g} to {values.max():g}", ("binary",))
    if kind == "auto":
        return _guess(plane)
    return Found(_binary(plane) if kind == "binary" else _indices(plane, kind), kind)


def ambiguous(name: str, problem: str, readings: Sequence[str], more: str = "") -> AmbiguousError:
    """The error that names the readings, and the option that chooses."""
    remedy = f"kind (--mask-labels) must be {' or '.join(readings)}{more}"
    return AmbiguousError(name, problem, remedy, readings)


def describe(values: Sequence[int] | npt.NDArray[Any]) -> str:
    """`0, 1, 2, .., 255`."""
    shown = [str(value) for value in values]
    if len(shown) > _SHOWN:
        shown = [*shown[: _SHOWN - 1], "..", shown[-1]]
    return ", ".join(shown)


def _guess(plane: Plane) -> Found:
    """The labels if there is one way to read them."""
    values = plane.values
    levels, counts = np.unique(values, return_counts=True)
    have = {int(level) for level in levels}
    if plane.loss:
        return _guess_lossy(plane, levels, counts)
    whites = (plane.largest,) if plane.largest else (VOID, _VOID_16)
    if any(have <= {0, white} for white in whites):
        return Found((values > 0).astype(np.int64), "binary")
    if not plane.inverted:
        if have <= {0, 1} or (0 in have and have <= {-1, 0, 1}):
            return Found(values.astype(np.int64), "binary")
        if plane.eight and VOID in have and _is_one_class(have, dict(zip(map(int, levels), counts, strict=True))):
            return Found(_indices(plane, "classes"), "classes")
    scale = VOID / plane.largest if plane.largest else 1
    if (plane.eight or plane.largest) and _is_soft(levels * scale, counts):
        return Found((values * scale >= 128).astype(np.int64), "binary")
    if min(have) < -1:
        raise ReadError(plane.name, f"must have labels from -1, unknown, on, and has the values {describe(levels)}")
    problem = f"has the values {describe(levels)}"
    if plane.inverted:
        raise ambiguous(plane.name, f"{problem}, and {_INVERTED}", ("binary",), _LABELS)
    problem += ", which may be classes, objects one by one, or dark and light"
    error = ambiguous(plane.name, problem, ("classes", "instances", "binary"))
    if plane.eight and _is_like_grey(dict(zip(map(int, levels), counts, strict=True))):
        error.readings = ("binary",)  # the others must be asked for
    raise error


def _guess_lossy(plane: Plane, levels: npt.NDArray[Any], counts: npt.NDArray[np.int64]) -> Found:
    """Black and white with noise. Edges have many greys; one grey that is large is neither, as of a trimap."""
    scale = VOID / (plane.largest or (VOID if plane.eight else _VOID_16))
    seen = np.round(levels * scale).astype(np.int64)
    is_mid = (seen >= _DARK) & (seen < _LIGHT)
    light, mid = counts[seen >= _LIGHT].sum(), counts[is_mid].sum()
    is_grey = np.isin(seen, _TRIMAP)
    greys = np.convolve(np.bincount(seen[is_grey], counts[is_grey], VOID), np.ones(_BAND))
    is_trimap = 16 * mid > light and 2 * greys.max() > mid
    if levels.max(initial=0) == 0 or (light and mid <= light and not is_trimap):
        return Found((plane.values * scale >= 128).astype(np.int64), "binary")
    problem = f"is {plane.loss} with greys from {levels[0]} to {levels[-1]}, and not black and white"
    if seen[-1] < 128:
        raise ReadError(plane.name, f"{problem}, which may change labels", "a PNG of 8 bits must have them")
    raise ambiguous(plane.name, problem, ("binary",), _LABELS)


def _is_one_class(have: set[int], counts: dict[int, int]) -> bool:
    """One class with a border of unknown pixels, as `SegmentationClassAug` has them; no trimap."""
    others = have - {0, VOID}
    if len(others) != 1:
        return False
    (label,) = others
    return label not in _TRIMAP and label < _LIGHT and counts[VOID] <= 2 * counts[label]


def _is_like_grey(counts: dict[int, int]) -> bool:
    """A trimap, or black and white with few greys at its edges: as labels these were the objects, and white unknown."""
    greys = [level for level in counts if 0 < level < VOID]
    if not {0, VOID} <= set(counts) or not all(_DARK <= grey < _LIGHT for grey in greys):
        return False
    return counts[VOID] > 2 * sum(counts[grey] for grey in greys) or (len(greys) == 1 and greys[0] in _TRIMAP)


def _is_soft(levels: npt.NDArray[Any], counts: npt.NDArray[np.int64]) -> bool:
    """Black and white with soft edges or noise: many greys, and few pixels of them."""
    is_mid = (levels >= _DARK) & (levels < _LIGHT)
    light, mid = counts[levels >= _LIGHT].sum(), counts[is_mid].sum()
    is_grey = (levels > 0) & (levels < VOID)
    noisy = np.count_nonzero(is_grey) >= _NOISE and (
        np.count_nonzero(is_mid) >= _NOISE or bool((is_grey & (levels >= _LIGHT)).any())
    )
    return bool(noisy and light > 0 and 4 * mid <= light and levels.min() >= 0)


def _binary(plane: Plane) -> Ids:
    """1 where it is light. Of two values the larger one is, unless a format changes them."""
    values = plane.values
    levels = np.unique(values)
    if len(levels) == 1 and levels[0] in ((0,) if plane.loss else (0, 1)):
        return values.astype(np.int64)
    white = plane.largest or (VOID if plane.eight else int(levels[-1]))
    bound = (white + 1) / 2
    if len(levels) == 2 and not plane.loss and not ((plane.eight or plane.largest) and levels[0] >= bound):
        return (values == levels[1]).astype(np.int64)
    if levels[-1] < bound:
        light = f"{-(-white // 2)} and up"
        problem = f"must have light pixels ({light}) to be read as binary, and has the values {describe(levels)}"
        raise ReadError(plane.name, problem)
    return (values >= bound).astype(np.int64)


def _indices(plane: Plane, kind: str) -> Ids:
    """The values as labels."""
    values, name = plane.values, plane.name
    if plane.loss or plane.inverted:
        why = f"is {plane.loss}, which may change values" if plane.loss else _INVERTED
        raise ReadError(name, f"must have labels as they were written to be read as {kind}, and {why}")
    levels = np.unique(values)
    if levels.min(initial=0) < -1:
        raise ReadError(name, f"must have labels from -1, unknown, on, and has the values {describe(levels)}")
    ids = values.astype(np.int64)
    if levels.max(initial=0) <= VOID:
        # Where 254 is an object, 255 is the next one.
        return ids if kind == "instances" and VOID - 1 in levels else np.where(ids == VOID, -1, ids)
    return ids if kind == "instances" and _VOID_16 - 1 in levels else np.where(ids == _VOID_16, -1, ids)
