"""DAVIS's metrics of video object segmentation (Perazzi et al. 2016): region similarity J and boundary accuracy F.

In the shape descriptions `T` denotes frames, `H, W` pixels.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from guidenet.checks import check_at_least
from guidenet.data.files import Labels
from guidenet.metrics.boundaries import Mask, boundary_f
from guidenet.metrics.masks import count, iu

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


def boundary_accuracy(prediction: Mask, target: Labels, tolerance: float = TOLERANCE) -> float:
    """F: `boundary_f` within a distance that grows with the image.

    Args:
      prediction: `[H, W]`.
      target: `[H, W]`, as for `boundary_f`.
      tolerance: a share of the diagonal, rounded up to whole px.

    Raises:
      ValueError: the sizes differ, the prediction is not bool, or the tolerance is negative.
    """
    check_at_least("tolerance", tolerance, 0)
    return boundary_f(prediction, target, float(np.ceil(tolerance * np.hypot(*target.shape))))


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
