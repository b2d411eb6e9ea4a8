"""DAVIS's metrics of video object segmentation (Perazzi et al. 2016): region similarity J and boundary accuracy F.

In the shape descriptions `T` denotes frames, `H, W` pixels.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.ndimage

from guidenet.checks import check_at_least
from guidenet.data.files import Labels
from guidenet.metrics.masks import count, iu

Mask = npt.NDArray[np.bool_]

TOLERANCE = 0.008
"""How far boundaries may lie apart, as a share of the diagonal of the image."""


class VideoScore(NamedTuple):
    """Means over objects and frames.

    j: region similarity, IU.
    f: boundary accuracy.
    """

    j: float
    f: float

    @property
    def mean(self) -> float:
        """J&F."""
        return (self.j + self.f) / 2


def region_similarity(prediction: Mask, target: Labels) -> float:
    """J: the IU of `[H, W]`; 1 where the object is in neither. Pixels whose target is -1 are not counted."""
    return float(iu(count(prediction, target)))


def boundary(mask: Mask) -> Mask:
    """`[H, W]`: pixels that differ from the one to the right, below, or below to the right."""
    edge = np.pad(mask, ((0, 1), (0, 1)), mode="edge")
    return (mask ^ edge[:-1, 1:]) | (mask ^ edge[1:, :-1]) | (mask ^ edge[1:, 1:])


def boundary_accuracy(prediction: Mask, target: Labels, tolerance: float = TOLERANCE) -> float:
    """F: the harmonic mean of precision and recall of the boundary; 1 where there is none in either.

    A pixel of a boundary counts as found where there is one of the other within the tolerance.

    Args:
      prediction: `[H, W]`.
      target: `[H, W]`: 1, 0, -1 not scored: there both count as without the object.
      tolerance: a share of the diagonal, rounded up to whole px.

    Raises:
      ValueError: the sizes differ, the prediction is not bool, or the tolerance is negative.
    """
    check_at_least("tolerance", tolerance, 0)
    count(prediction, target)  # for its checks
    found, wanted = boundary(prediction & (target >= 0)), boundary(target == 1)
    radius = float(np.ceil(tolerance * np.hypot(*target.shape)))
    if not found.any() or not wanted.any():
        return float(found.any() == wanted.any())
    precision, recall = _near(found, wanted, radius), _near(wanted, found, radius)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _near(mask: Mask, other: Mask, radius: float) -> float:
    """The share of `mask` that has a pixel of `other` within `radius` px."""
    distance = np.asarray(scipy.ndimage.distance_transform_edt(~other))
    return float((distance[mask] <= radius).mean())


def score_video(
    predictions: Sequence[Labels], targets: Sequence[Labels], objects: Sequence[int], tolerance: float = TOLERANCE
) -> dict[int, VideoScore]:
    """J and F of each object, means over the frames given; DAVIS leaves out the first and the last frame of a clip.

    Args:
      predictions: `T` times `[H, W]`: 0 background, the labels of objects.
      targets: `T` times `[H, W]`, -1 not scored.
      objects: labels to score, `video.objects`.
      tolerance: as for `boundary_accuracy`.

    Raises:
      ValueError: there are no frames, or not as many predictions as targets.
    """
    if not len(targets) or len(predictions) != len(targets):
        raise ValueError(f"predictions must be one for each of the targets, got {len(predictions)} for {len(targets)}")
    scores: dict[int, VideoScore] = {}
    for label in objects:
        pairs = [
            (prediction == label, np.where(target < 0, target, (target == label).astype(np.int16)))
            for prediction, target in zip(predictions, targets, strict=True)
        ]
        scores[label] = VideoScore(
            float(np.mean([region_similarity(*pair) for pair in pairs])),
            float(np.mean([boundary_accuracy(*pair, tolerance) for pair in pairs])),
        )
    return scores


def mean_score(scores: Sequence[VideoScore]) -> VideoScore:
    """The mean over objects of all clips, each the same weight, as DAVIS 2017.

    Raises:
      ValueError: there are none.
    """
    if not scores:
        raise ValueError("scores must be of objects, got none")
    return VideoScore(float(np.mean([score.j for score in scores])), float(np.mean([score.f for score in scores])))
