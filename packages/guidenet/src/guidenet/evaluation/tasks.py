"""Scoring a method on binary tasks: positive IU against annotation, update time, clicks to an IU (thesis 4.4).

In the shape descriptions `M` denotes tasks, `K` classes, `H, W` pixels.
"""

import dataclasses
import functools
import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from guidenet.data.episodes import Task, annotate, as_masks, binarise
from guidenet.data.material import Material
from guidenet.evaluation.methods import Method
from guidenet.metrics.boundaries import boundary_f
from guidenet.metrics.clicks import Click, Clicking, simulate_clicks
from guidenet.metrics.masks import Counts, count

_SEEN_AT_ONCE = 512

BOUNDARY_RADIUS = 2.0
"""How far an edge may be off, px."""


class Scores(NamedTuple):
    """Of tasks, in their order.

    counts: `[M, 4]`, see `guidenet.metrics.masks`.
    seconds: `[M]` from annotations to the mask; the first one of a kind may compile, so look at the median.
    boundary: `[M]` F of the mask's edge, within `BOUNDARY_RADIUS`.
    """

    counts: Counts
    seconds: npt.NDArray[np.float64]
    boundary: npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True, eq=False)
class Viewer:
    """A method and the images that it looks at, each seen once while it is remembered."""

    method: Method
    material: Material

    def see(self, name: str) -> Any:
        """What the method keeps of the image of that id."""
        return self._see(self.material.position[name])

    @functools.cached_property
    def _see(self) -> Any:
        material, method = self.material, self.method

        @functools.lru_cache(maxsize=_SEEN_AT_ONCE)
        def see(number: int) -> Any:
            image = material.images[number] if method.needs_images else None
            features = tuple(x[number] for x in material.features) or None
            return method.see(image, features)

        return see

    def target(self, name: str, label: int) -> npt.NDArray[np.int16]:
        """`[H, W]`: 1, 0, -1 not scored."""
        return binarise(self.material.labels[self.material.position[name]], label)


class Prediction(NamedTuple):
    """Of one task.

    logits: `[H, W]` against the background.
    target: `[H, W]`: 1, 0, -1 not scored.
    seconds: from annotations to the logits.
    """

    logits: npt.NDArray[np.float32]
    target: npt.NDArray[np.int16]
    seconds: float


def evaluate_tasks(
    viewer: Viewer,
    tasks: Sequence[Task],
    num_points: int | None,
    seed: int = 0,
    *,
    same_support: bool = False,
    threshold: float = 0.0,
) -> Scores:
    """Scores tasks; the annotations depend on the seed, the task and P only, and not on the method.

    Args:
      viewer: method and images.
      tasks: of any number of shots.
      num_points: P of each support, None for dense.
      seed: of annotations.
      same_support: all tasks have the support of the first, so that what is known of it serves them all.
      threshold: of logits, above which a pixel is found.

    Raises:
      ValueError: there are no tasks.
    """
    if not tasks:
        raise ValueError("tasks must be at least one, got none")
    counts, seconds, boundary = [], [], []
    for found in predict_tasks(viewer, tasks, num_points, seed, same_support=same_support):
        mask = found.logits > threshold
        counts.append(count(mask, found.target))
        seconds.append(found.seconds)
        boundary.append(boundary_f(mask, found.target, BOUNDARY_RADIUS))
    return Scores(np.stack(counts), np.array(seconds), np.array(boundary))


def predict_tasks(
    viewer: Viewer, tasks: Sequence[Task], num_points: int | None, seed: int = 0, *, same_support: bool = False
) -> Iterator[Prediction]:
    """What is found in each task, one after the other. Arguments: `evaluate_tasks`."""
    known: Any = None
    for number, task in enumerate(tasks):
        query = viewer.see(task.query.id)
        support = None
        if number == 0 or not same_support:
            support = _annotate(viewer, task, num_points, [seed, num_points or 0, number])
        start = time.perf_counter()
        if support is not None:
            known = viewer.method.adapt(*support, own=task.own)
        logits = _score(viewer, query, known)
        seconds = time.perf_counter() - start
        yield Prediction(logits, viewer.target(task.query.id, task.query.label), seconds)


def click_on(viewer: Viewer, task: Task, goal: float = 0.9) -> Clicking:
    """Simulated clicks on the query of a task, which is its own support, until the IU is at least `goal`."""
    name, target = task.query.id, viewer.target(task.query.id, task.query.label)
    seen = viewer.see(name)

    def segment(clicks: Sequence[Click]) -> npt.NDArray[np.bool_]:
        masks = np.zeros((1, 1, 2, *target.shape), bool)
        for click in clicks:
            masks[0, 0, int(click.positive), click.y, click.x] = True
        return _score(viewer, seen, viewer.method.adapt([seen], masks, own=task.own)) > 0

    return simulate_clicks(segment, target, goal)


def _annotate(
    viewer: Viewer, task: Task, num_points: int | None, seed: Sequence[int]
) -> tuple[list[Any], npt.NDArray[np.bool_]]:
    """What the method saw of the supports, and masks `[S, 1, 2, H, W]`."""
    rng = np.random.default_rng(seed)
    masks = [as_masks(annotate(viewer.target(mask.id, mask.label), num_points, rng)) for mask in task.support]
    return [viewer.see(mask.id) for mask in task.support], np.stack(masks)


def _score(viewer: Viewer, query: Any, known: Any) -> npt.NDArray[np.float32]:
    return np.asarray(viewer.method.segment(query, known, viewer.material.size))[0]
