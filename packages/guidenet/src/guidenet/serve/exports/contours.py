"""Outlines of a mask as polygons, along the sides of its pixels or with fewer corners.

In the shape descriptions `H, W` denote pixels, `P` points `(x, y)`, px from the upper left corner of the image.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.spatial import Delaunay

Mask = npt.NDArray[np.bool_]
Points = npt.NDArray[np.float64]
Corner = tuple[int, int]
"""The number of an outline, and of a point of it."""

# Right, down, left, up: the mask lies to the right of the way.
_AHEAD = ((1, 0), (0, 1), (-1, 0), (0, -1))


def trace(mask: Mask) -> list[Points]:
    """`[P, 2]` of each outline of `[H, W]`: outer ones clockwise on the screen, those of holes the other way round."""
    fenced = np.pad(mask, 1)
    inner = fenced[1:-1, 1:-1]
    sides = (
        (inner & ~fenced[:-2, 1:-1], (0, 0)),  # each with its start, from the pixel's corner
        (inner & ~fenced[1:-1, 2:], (1, 0)),
        (inner & ~fenced[2:, 1:-1], (1, 1)),
        (inner & ~fenced[1:-1, :-2], (0, 1)),
    )
    left: set[tuple[int, int, int]] = set()
    for direction, (found, (dx, dy)) in enumerate(sides):
        rows, columns = found.nonzero()
        left.update(zip((columns + dx).tolist(), (rows + dy).tolist(), [direction] * len(rows), strict=True))
    outlines: list[Points] = []
    while left:
        start = side = left.pop()
        corners: list[tuple[int, int]] = []
        while True:
            x, y, direction = side
            x, y = x + _AHEAD[direction][0], y + _AHEAD[direction][1]
            # To the right first: pixels that only touch at a corner are apart, as in find_pieces.
            for turn in (1, 0, 3):
                side = (x, y, (direction + turn) % 4)
                if side in left or side == start:
                    break
            if side[2] != direction:
                corners.append((x, y))
            if side == start:
                break
            left.remove(side)
        outlines.append(np.array(corners, np.float64))
    return outlines


def signed_area(points: Points) -> float:
    """Positive for outer outlines, negative for holes, px."""
    x, y = points.T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)


def simplify(points: Points, tolerance: float) -> Points:
    """Fewer corners, such that none that is left out lies further than `tolerance` px from the new line."""
    # The two corners that are furthest apart, or nearly, stay: the way between them is halved again and again.
    far = int(((points - points[0]) ** 2).sum(axis=1).argmax())
    ring = np.concatenate([points, points[:1]])
    keep = np.zeros(len(ring), bool)
    keep[[0, far, -1]] = True
    parts = [(0, far), (far, len(points))]
    while parts:
        start, end = parts.pop()
        if end - start < 2:
            continue
        distance = _distances(ring[start + 1 : end], ring[start], ring[end])
        furthest = int(distance.argmax())
        if distance[furthest] > tolerance:
            middle = start + 1 + furthest
            keep[middle] = True
            parts += [(start, middle), (middle, end)]
    found = ring[:-1][keep[:-1]]
    return found if len(found) >= 3 else points


def polygon(outlines: list[Points]) -> Points:
    """One polygon of an outline and of its holes: cuts without width lead to each hole and back.

    Together the cuts are as short as can be.
    """
    cuts = _cuts(outlines) if len(outlines) > 1 else {}
    outer = int(np.argmax([signed_area(outline) for outline in outlines]))
    lengths = [len(outline) for outline in outlines]
    known = {outer}
    found: list[Points] = []
    # On the way around each outline cuts lead to others; when one has been gone around, on from where the cut began.
    ways: list[tuple[Iterator[Corner], Points | None]] = [(_around(outer, lengths[outer], 0, lengths[outer]), None)]
    while ways:
        way, start = ways[-1]
        corner = next(way, None)
        if corner is None:
            ways.pop()
            if start is not None:
                found.append(start)
            continue
        found.append(outlines[corner[0]][corner[1]])
        for other, first in cuts.get(corner, ()):
            if other not in known:
                known.add(other)
                ways.append((_around(other, lengths[other], first, lengths[other] + 1), found[-1]))
    return np.array(found)


def _around(outline: int, length: int, first: int, steps: int) -> Iterator[Corner]:
    """The corners of an outline of `length` corners, from one on."""
    return ((outline, (first + i) % length) for i in range(steps))


def _cuts(outlines: list[Points]) -> dict[Corner, list[Corner]]:
    """From which corners to which others the shortest lines lead that join all outlines, both ways.

    The lines of a shortest spanning tree are sides of Delaunay's triangles.
    """
    points = np.concatenate(outlines)
    owners = np.arange(len(outlines)).repeat([len(outline) for outline in outlines])
    starts = np.cumsum([0, *(len(outline) for outline in outlines[:-1])])
    places, chosen, index = np.unique(points, axis=0, return_index=True, return_inverse=True)
    order = index.ravel().argsort(kind="stable")
    together = index.ravel()[order[1:]] == index.ravel()[order[:-1]]  # corners at one place
    triangles = chosen[Delaunay(places).simplices]
    pairs = np.concatenate(
        [
            np.stack([order[:-1], order[1:]], axis=1)[together],
            *(triangles[:, sides] for sides in ((0, 1), (1, 2), (2, 0))),
        ]
    )
    pairs = pairs[owners[pairs[:, 0]] != owners[pairs[:, 1]]]
    lengths = ((points[pairs[:, 0]] - points[pairs[:, 1]]) ** 2).sum(axis=1)
    roots = list(range(len(outlines)))
    cuts: dict[Corner, list[Corner]] = {}
    for pair in pairs[lengths.argsort(kind="stable")].tolist():
        one, other = ((int(owners[point]), point - int(starts[owners[point]])) for point in pair)
        mine, its = _root(roots, one[0]), _root(roots, other[0])
        if mine != its:
            roots[mine] = its
            cuts.setdefault(one, []).append(other)
            cuts.setdefault(other, []).append(one)
    return cuts


def _root(roots: list[int], outline: int) -> int:
    """The one that stands for all that are joined to an outline."""
    while roots[outline] != outline:
        roots[outline] = outline = roots[roots[outline]]
    return outline


def _distances(points: Points, start: Points, end: Points) -> npt.NDArray[np.float64]:
    """Of each point from the line between two."""
    along = end - start
    length = float((along**2).sum())
    share = np.clip((points - start) @ along / length, 0, 1) if length else np.zeros(len(points))
    return np.sqrt(((points - start - share[:, None] * along) ** 2).sum(axis=1))
