"""Scoring a method on video: annotated frames are the support, all others are queries (thesis 4.4.1, B.1).

In the shape descriptions `T` denotes frames, `K` objects, `H, W` pixels.
"""

import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from guidenet.data.episodes import annotate, as_masks
from guidenet.data.files import Labels
from guidenet.data.footage import Footage, frame_id
from guidenet.evaluation.tasks import Viewer
from guidenet.metrics.masks import Counts, count
from guidenet.metrics.video import VideoScore, mean_score, score_video


class VideoScores(NamedTuple):
    """Of clips.

    counts: for each clip `[4]`, over its objects and the frames that are not annotated.
    score: J and F, means over objects.
    seconds: for each clip, from annotations to what is known of the task.
    frame_seconds: for each clip, the median time of a frame that was seen.
    """

    counts: Counts
    score: VideoScore
    seconds: npt.NDArray[np.float64]
    frame_seconds: npt.NDArray[np.float64]


def evaluate_clips(
    viewer: Viewer, clips: Sequence[Footage], num_points: int | None, annotated: int = 1, seed: int = 0
) -> VideoScores:
    """Segments all objects of clips at once.

    Args:
      viewer: method and images, those of `as_dataset(clips)`.
      clips: to segment.
      num_points: P of each object and of the background, in each annotated frame; None for dense.
      annotated: how many frames are annotated, evenly spaced, the first one always.
      seed: of annotations.

    Raises:
      ValueError: there are no clips, or a clip has no frame left to segment.
    """
    if not clips:
        raise ValueError("clips must be at least one, got none")
    counts, scores, seconds, frame_seconds = [], [], [], []
    for number, clip in enumerate(clips):
        if not 1 <= annotated < len(clip):
            raise ValueError(f"annotated must be 1 to {len(clip) - 1} for {clip.name}, got {annotated}")
        rng = np.random.default_rng([seed, num_points or 0, number])
        frames = sorted({int(frame) for frame in np.linspace(0, len(clip), annotated, endpoint=False)})
        labels = _labels(viewer, clip)
        kinds = max(clip.objects)
        masks = np.stack([as_masks(annotate(labels[frame], num_points, rng), kinds) for frame in frames])
        supports = [viewer.see(frame_id(clip, frame)) for frame in frames]
        others = [frame for frame in range(len(clip)) if frame not in frames]
        queries = [viewer.see(frame_id(clip, frame)) for frame in others]
        start = time.perf_counter()
        known = viewer.method.adapt(supports, masks)
        found = [_segment(viewer, query, known) for query in queries[:1]]
        seconds.append(time.perf_counter() - start)
        times: list[float] = []
        for query in queries[1:]:
            start = time.perf_counter()
            found.append(_segment(viewer, query, known))
            times.append(time.perf_counter() - start)
        frame_seconds.append(float(np.median(times)) if times else float("nan"))
        targets = [labels[frame] for frame in others]
        counts.append(
            sum(
                count(guess == label, np.where(target < 0, target, (target == label).astype(np.int16)))
                for guess, target in zip(found, targets, strict=True)
                for label in clip.objects
            )
        )
        scores += score_video(found, targets, clip.objects).values()
    return VideoScores(np.stack(counts), mean_score(scores), np.array(seconds), np.array(frame_seconds))


def _labels(viewer: Viewer, clip: Footage) -> list[Labels]:
    material = viewer.material
    return [material.labels[material.position[frame_id(clip, frame)]] for frame in range(len(clip))]


def _segment(viewer: Viewer, query: object, known: object) -> Labels:
    """`[H, W]`: the most likely object of each pixel, or 0."""
    logits = np.asarray(viewer.method.segment(query, known, viewer.material.size))
    return np.where(logits.max(axis=0) > 0, logits.argmax(axis=0) + 1, 0).astype(np.int16)
