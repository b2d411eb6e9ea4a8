"""What a user says about one image: a click, a box or a stroke of the brush; and which pixels each of them labels.

In the shape descriptions `H, W` denote the pixels of the image as it is looked at. Marks hold whole pixels.
"""

import dataclasses
import itertools
from typing import Any

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]

CORE = 0.8
"""Of a positive box: the axes of the ellipse inside that is labelled, as what lies in the corners is seldom it."""

MAX_POINTS = 4000
"""Of one stroke."""


@dataclasses.dataclass(frozen=True)
class Click:
    """One labelled pixel.

    image: id of the image.
    y, x: row and column in px of the image as it is looked at.
    positive: of the class, or else not of the class.
    cls: name of the class.
    """

    image: str
    y: int
    x: int
    positive: bool
    cls: str


@dataclasses.dataclass(frozen=True)
class Box:
    """A box around one thing; the rows `top` to `bottom - 1`, the columns `left` to `right - 1`.

    A positive one says that the class fills it: its inside without the corners is labelled. It leaves open what is
    outside, as there may be more of the class. A negative one says that nothing in it is of the class.
    """

    image: str
    top: int
    left: int
    bottom: int
    right: int
    positive: bool
    cls: str


@dataclasses.dataclass(frozen=True)
class Stroke:
    """A line that was painted with a round brush.

    points: `(y, x)` of the brush's centre, one after another.
    radius: of the brush, px; 0 is a line of one pixel.
    """

    image: str
    points: tuple[tuple[int, int], ...]
    radius: int
    positive: bool
    cls: str


Mark = Click | Box | Stroke

KINDS: dict[str, type[Mark]] = {"click": Click, "box": Box, "stroke": Stroke}
"""By their names on the page and in files."""


def as_dict(mark: Mark) -> dict[str, Any]:
    """Its fields and the name of its kind, ready for JSON."""
    kind = next(name for name, cls in KINDS.items() if isinstance(mark, cls))
    return {"kind": kind, **dataclasses.asdict(mark)}


def check_mark(mark: Mark, size: tuple[int, int]) -> None:
    """Raises `ValueError` unless a mark lies in an image of `size`, height and width in px."""
    height, width = size
    if isinstance(mark, Click):
        if not (0 <= mark.y < height and 0 <= mark.x < width):
            raise ValueError(f"y, x must lie in the image of {height} x {width} px, got {mark.y}, {mark.x}")
    elif isinstance(mark, Box):
        if not (0 <= mark.top < mark.bottom <= height and 0 <= mark.left < mark.right <= width):
            edges = f"{mark.top}, {mark.left}, {mark.bottom}, {mark.right}"
            raise ValueError(
                f"top, left, bottom, right must be a box in the image of {height} x {width} px, got {edges}"
            )
    else:
        if not 0 < len(mark.points) <= MAX_POINTS:
            raise ValueError(f"points must be 1 to {MAX_POINTS} of a stroke, got {len(mark.points)}")
        if not 0 <= mark.radius <= max(size):
            raise ValueError(f"radius must be from 0 to {max(size)} px, got {mark.radius}")
        for y, x in mark.points:
            if not (0 <= y < height and 0 <= x < width):
                raise ValueError(f"points must lie in the image of {height} x {width} px, got {y}, {x}")


def covered(mark: Mark, size: tuple[int, int]) -> Mask:
    """`[H, W]`: the pixels that a mark labels.

    Args:
      mark: which `check_mark` let pass.
      size: height and width of the image, px.
    """
    found = np.zeros(size, bool)
    if isinstance(mark, Click):
        found[mark.y, mark.x] = True
    elif isinstance(mark, Stroke):
        for start, end in itertools.pairwise((mark.points[0], *mark.points)):
            _brush(found, start, end, mark.radius)
    elif mark.positive:
        found = _core(mark, size)
    else:
        found[mark.top : mark.bottom, mark.left : mark.right] = True
    return found


def _brush(found: Mask, start: tuple[int, int], end: tuple[int, int], radius: int) -> None:
    """Sets all pixels whose centres lie within `radius + 1/2` of a line, in place."""
    top, left = (max(min(ends) - radius, 0) for ends in zip(start, end, strict=True))
    bottom, right = (max(ends) + radius + 1 for ends in zip(start, end, strict=True))
    part = found[top:bottom, left:right]
    rows, columns = np.ogrid[top : top + part.shape[0], left : left + part.shape[1]]
    down, along = end[0] - start[0], end[1] - start[1]
    y, x = rows - start[0], columns - start[1]
    share = np.clip((y * down + x * along) / max(down**2 + along**2, 1), 0, 1)
    part |= (y - share * down) ** 2 + (x - share * along) ** 2 <= (radius + 0.5) ** 2


def _core(box: Box, size: tuple[int, int]) -> Mask:
    """An ellipse in the middle of the box; at least one pixel."""
    rows = _from_middle(box.top, box.bottom, size[0])
    columns = _from_middle(box.left, box.right, size[1])
    core = rows[:, None] ** 2 + columns**2 <= CORE**2
    core[(box.top + box.bottom - 1) // 2, (box.left + box.right - 1) // 2] = True
    return core


def _from_middle(start: int, end: int, length: int) -> npt.NDArray[np.float64]:
    """Of each pixel's centre, in half lengths of the box."""
    return (2 * np.arange(length, dtype=np.float64) + 1 - start - end) / (end - start)
