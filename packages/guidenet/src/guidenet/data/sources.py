"""Where tasks come from: a data set, and how tasks of a kind are sampled from it.

source = semantic_source(fold.train, groups=fold.styles)
tasks = source.sample(16, rng)
episode = make_episode(source.dataset, tasks[0], num_points=5, rng=rng)
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from guidenet.data import footage
from guidenet.data.dataset import Dataset, Mask, class_masks, instance_masks
from guidenet.data.episodes import Task, interactive_tasks, sample_tasks, sample_video_tasks

KINDS = ("semantic", "interactive", "video", "textured", "similar")
"""Distributions of tasks (4.3.3), which are classes across images, objects within one image, objects across frames; and
within one textured scene, an object or all that are like it."""


@dataclasses.dataclass(frozen=True)
class Source:
    """A distribution of tasks.

    kind: one of `KINDS`.
    dataset: the images.
    sample: so many tasks, drawn with a generator, which is advanced.
    masks: those that queries are drawn from; empty for video.
    """

    kind: str
    dataset: Dataset
    sample: Callable[[int, np.random.Generator], tuple[Task, ...]]
    masks: tuple[Mask, ...] = ()


def semantic_source(dataset: Dataset, groups: Mapping[str, str] | None = None, min_area: int = 1) -> Source:
    """One-shot tasks of classes. Arguments: `sample_tasks`, `class_masks`."""
    masks = class_masks(dataset, min_area=min_area)
    return Source("semantic", dataset, lambda number, rng: sample_tasks(masks, number, 1, rng, groups), masks)


def interactive_source(dataset: Dataset, min_area: int = 1, kind: str = "interactive") -> Source:
    """Tasks of one object in one image, all equally likely.

    Raises:
      ValueError: no object is as large as `min_area` px.
    """
    return _within(kind, dataset, interactive_tasks(instance_masks(dataset, min_area=min_area)), min_area)


def similar_source(dataset: Dataset, min_area: int = 1) -> Source:
    """Tasks of all objects of a class in one image, from annotations in it; all equally likely.

    Raises:
      ValueError: no class has `min_area` px in an image.
    """
    tasks = interactive_tasks(class_masks(dataset, min_area=min_area), instances=False)
    return _within("similar", dataset, tasks, min_area)


def _within(kind: str, dataset: Dataset, tasks: Sequence[Task], min_area: int) -> Source:
    if not tasks:
        raise ValueError(f"min_area must leave objects in the data set, got {min_area}")

    def sample(number: int, rng: np.random.Generator) -> tuple[Task, ...]:
        return tuple(tasks[i] for i in rng.integers(len(tasks), size=number))

    return Source(kind, dataset, sample, tuple(task.query for task in tasks))


def video_source(videos: Sequence[footage.Footage]) -> Source:
    """Tasks of one object in two frames of a clip, see `sample_video_tasks`."""
    return Source("video", footage.as_dataset(videos), lambda number, rng: sample_video_tasks(videos, number, rng))
