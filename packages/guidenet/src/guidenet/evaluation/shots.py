"""One to hundreds of annotated images of a class, scored on other images of it (thesis 4.4.2, 4.4.3).

In the shape descriptions `M` denotes masks.
"""

import collections
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from guidenet.checks import check_at_least
from guidenet.data.dataset import Mask
from guidenet.data.episodes import Task
from guidenet.evaluation.tasks import Scores, Viewer, evaluate_tasks, predict_tasks
from guidenet.metrics.masks import count_above, iu

THRESHOLDS = tuple(float(threshold) for threshold in np.arange(-32, 33) / 4)
"""Of logits, that are tried in validation."""


class Halves(NamedTuple):
    """The masks of a class in two sets of images.

    support: to annotate, in the order in which they are taken.
    query: to find.
    """

    support: tuple[Mask, ...]
    query: tuple[Mask, ...]


def split_classes(masks: Sequence[Mask], num_queries: int, seed: int = 0) -> dict[int, Halves]:
    """Divides images into two halves, one to annotate and one to find, the same for all classes.

    Args:
      masks: of classes.
      num_queries: of each class, at most.
      seed: of the halves and of the order.
    """
    check_at_least("num_queries", num_queries, 1)
    rng = np.random.default_rng(seed)
    names = sorted({mask.id for mask in masks})
    annotated = {names[i] for i in rng.permutation(len(names))[: len(names) // 2]}
    by_class: dict[int, list[Mask]] = collections.defaultdict(list)
    for mask in masks:
        by_class[mask.cls].append(mask)
    halves: dict[int, Halves] = {}
    for cls, found in sorted(by_class.items()):
        ordered = [found[i] for i in rng.permutation(len(found))]
        support = tuple(mask for mask in ordered if mask.id in annotated)
        query = tuple(mask for mask in ordered if mask.id not in annotated)[:num_queries]
        if support and query:
            halves[cls] = Halves(support, query)
    return halves


def evaluate_shots(
    viewer: Viewer,
    halves: dict[int, Halves],
    num_shots: int,
    num_points: int | None,
    seed: int = 0,
    threshold: float = 0.0,
) -> Scores:
    """Scores every class at S shots; what a method knows of a class it learns once, for all of the class's queries.

    Args:
      viewer: method and images.
      halves: as from `split_classes`.
      num_shots: S; of a class with fewer images all are annotated.
      num_points: P of each image, None for dense.
      seed: of annotations.
      threshold: of logits, above which a pixel is found, as from `choose_threshold`.

    Returns:
      Scores of all queries. The seconds of a class's first query have the time to learn the class in them.
    """
    scores = [
        evaluate_tasks(viewer, tasks, num_points, seed, same_support=True, threshold=threshold)
        for tasks in _tasks(halves, num_shots)
    ]
    return Scores(*(np.concatenate(parts) for parts in zip(*scores, strict=True)))


def choose_threshold(
    viewer: Viewer,
    halves: dict[int, Halves],
    num_shots: int,
    num_points: int | None,
    seed: int = 0,
    thresholds: Sequence[float] = THRESHOLDS,
) -> tuple[float, float]:
    """The threshold of the best positive IU of all queries together, and that IU.

    To be chosen in validation, for every method alike: a network that was trained on single objects, or one that was
    optimised with both labels weighing the same, marks less or more of an image than is best for classes.

    Args:
      viewer: method and images of the validation role.
      halves: of it.
      num_shots: S.
      num_points: P.
      seed: of annotations.
      thresholds: those to try, ascending.
    """
    counts = np.zeros((len(thresholds), 4), np.int64)
    for tasks in _tasks(halves, num_shots):
        for found in predict_tasks(viewer, tasks, num_points, seed, same_support=True):
            counts += count_above(found.logits, found.target, thresholds)
    best = int(np.argmax(iu(counts)))
    return thresholds[best], float(iu(counts)[best])


def _tasks(halves: dict[int, Halves], num_shots: int) -> list[list[Task]]:
    """For each class a task for each query, all of one support."""
    check_at_least("num_shots", num_shots, 1)
    return [[Task(half.support[:num_shots], query) for query in half.query] for half in halves.values()]
