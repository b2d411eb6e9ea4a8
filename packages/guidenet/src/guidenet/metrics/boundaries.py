"""Boundary accuracy F: how well the edges of masks agree, and not how many pixels they cover.

In the shape descriptions `H, W` denote pixels.
"""

import numpy as np
import numpy.typing as npt
import scipy.ndimage

from guidenet.checks import check_at_least
from guidenet.data.files import Labels
from guidenet.metrics.masks import count

Mask = npt.NDArray[np.bool_]


def boundary(mask: Mask) -> Mask:
    """`[H, W]`: pixels that differ from the one to the right, below, or below to the right."""
    edge = np.pad(mask, ((0, 1), (0, 1)), mode="edge")
    return (mask ^ edge[:-1, 1:]) | (mask ^ edge[1:, :-1]) | (mask ^ edge[1:, 1:])


def boundary_f(prediction: Mask, target: Labels, radius: float = 2.0) -> float:
    """The harmonic mean of precision and recall of the boundary; 1 where there is none in either.

    A pixel of a boundary counts as found where there is one of the other within the radius.

    Args:
      prediction: `[H, W]`.
      target: `[H, W]`: 1, 0, -1 not scored: there both count as without the object.
      radius: px.

    Raises:
      ValueError: the sizes differ, the prediction is not bool, or the radius is negative.
    """
    check_at_least("radius", radius, 0)
    count(prediction, target)  # for its checks
    found, wanted = boundary(prediction & (target >= 0)), boundary(target == 1)
    if not found.any() or not wanted.any():
        return float(found.any() == wanted.any())
    # All boundaries are in this part, and distances are quicker there.
    rows, columns = (np.flatnonzero((found | wanted).any(axis=axis)) for axis in (1, 0))
    part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    found, wanted = found[part], wanted[part]
    precision, recall = _near(found, wanted, radius), _near(wanted, found, radius)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _near(mask: Mask, other: Mask, radius: float) -> float:
    """The share of `mask` that has a pixel of `other` within `radius` px."""
    distance = np.asarray(scipy.ndimage.distance_transform_edt(~other))
    return float((distance[mask] <= radius).mean())
