"""Outlines of a mask as polygons, along the sides of its pixels or with fewer corners.

In the shape descriptions `H, W` denote pixels, `P` points `(x, y)`, px from the upper left corner of the image.
"""

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
Points = npt.NDArray[np.float64]

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
    """One polygon of an outline and of its holes: a cut without width leads to each hole and back."""
    outer, *holes = sorted(outlines, key=signed_area, reverse=True)
    for hole in holes:
        gaps = ((outer[:, None] - hole[None]) ** 2).sum(axis=2)
        here, there = np.unravel_index(gaps.argmin(), gaps.shape)
        around = np.roll(hole, -int(there), axis=0)
        outer = np.concatenate([outer[: here + 1], around, around[:1], outer[here:]])
    return outer


def _distances(points: Points, start: Points, end: Points) -> npt.NDArray[np.float64]:
    """Of each point from the line between two."""
    along = end - start
    length = float((along**2).sum())
    share = np.clip((points - start) @ along / length, 0, 1) if length else np.zeros(len(points))
    return np.sqrt(((points - start - share[:, None] * along) ** 2).sum(axis=1))
