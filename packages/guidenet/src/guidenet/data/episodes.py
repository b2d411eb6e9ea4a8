"""Episodes: tasks sampled from labelled images, and annotations made sparse (thesis 4.2, 4.3.3, B.1).

An annotation and a target have the same labels as data sets: 0 negative, 1..K classes, -1 unknown. A task says which
images and masks an episode is of, so that features of a fixed encoder can be kept by image.

In the shape descriptions `S` denotes shots, `P` annotated pixels of each class and of the background, `K` classes,
`H, W` pixels.
"""

import collections
import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from guidenet.checks import check_at_least
from guidenet.data.dataset import Dataset, Mask
from guidenet.data.files import UNKNOWN, Labels
from guidenet.data.footage import Footage, frame_id
from guidenet.images import Pixels

MAX_POINTS = 100
"""Of P in training."""


class Task(NamedTuple):
    """A binary task: segment in the query what the supports show.

    support: `S` masks.
    query: the mask to find.
    instances: labels of masks are those of objects, not of classes.
    """

    support: tuple[Mask, ...]
    query: Mask
    instances: bool = False

    @property
    def own(self) -> bool:
        """Whether the query itself is annotated and the object that is annotated is looked for, not all of a class."""
        return self.instances and all(mask.id == self.query.id for mask in self.support)


@dataclasses.dataclass(frozen=True)
class Episode:
    """A task with its pixels.

    support: `S` images `[H, W, 3]`, each of its own size.
    annotations: `S` times `[H, W]`: 1..K positive, 0 negative, -1 not annotated.
    query: `[H, W, 3]`.
    target: `[H, W]`: 1..K, 0 background, -1 not scored.
    """

    support: tuple[Pixels, ...]
    annotations: tuple[Labels, ...]
    query: Pixels
    target: Labels


def binarise(labels: Labels, label: int) -> Labels:
    """1 where the label is, 0 elsewhere, unknown pixels stay so: what is not of the task is background (B.1)."""
    return np.where(labels == UNKNOWN, np.int16(UNKNOWN), (labels == label).astype(np.int16))


def sample_num_points(rng: np.random.Generator) -> int:
    """P in training: uniform over 1..100 (4.3.3)."""
    return int(rng.integers(1, MAX_POINTS + 1))


def annotate(target: Labels, num_points: int | None, rng: np.random.Generator) -> Labels:
    """A sparse annotation: P pixels of each class and P of the background, drawn without replacement (B.1).

    Args:
      target: `[H, W]`: 1..K, 0, -1 unknown.
      num_points: P. Of a class with fewer pixels all are annotated. None is a dense annotation.
      rng: is advanced.

    Raises:
      ValueError: `num_points` is below 1.
    """
    if num_points is None:
        return target.copy()
    check_at_least("num_points", num_points, 1)
    flat = target.ravel()
    annotation = np.full_like(flat, UNKNOWN)
    for label in range(int(flat.max(initial=0)) + 1):
        (pixels,) = np.nonzero(flat == label)
        annotation[rng.choice(pixels, min(num_points, len(pixels)), replace=False)] = label
    return annotation.reshape(target.shape)


def as_masks(annotation: Labels, num_classes: int = 1) -> npt.NDArray[np.bool_]:
    """`[K, 2, H, W]`, negatives and positives of each class, as `GuidedNetwork.guide` takes them.

    Positives of one class are not given as negatives of the others: the network joins them itself.

    Args:
      annotation: `[H, W]`.
      num_classes: K.

    Raises:
      ValueError: there is a label above K.
    """
    if annotation.max(initial=0) > num_classes:
        raise ValueError(f"annotation must have labels to {num_classes}, got {annotation.max()}")
    positive = annotation == np.arange(1, num_classes + 1)[:, None, None]
    return np.stack([np.broadcast_to(annotation == 0, positive.shape), positive], axis=1)


def sample_tasks(
    masks: Iterable[Mask],
    num_tasks: int,
    shots: int,
    rng: np.random.Generator,
    groups: Mapping[str, str] | None = None,
) -> tuple[Task, ...]:
    """Semantic tasks: a class, then images with it, one the query and S others the support (4.3.3, B.1).

    Classes are drawn uniformly, and then the images; no image is twice in a task.

    Args:
      masks: of classes, as from `class_masks`.
      num_tasks: how many.
      shots: S.
      rng: is advanced.
      groups: by image, such as the style that it is drawn in; all supports are of another group than the query.

    Raises:
      ValueError: no class has an image and S others to support it, or `shots` is below 1.
    """
    check_at_least("shots", shots, 1)
    by_class: dict[int, dict[str, Mask]] = collections.defaultdict(dict)
    for mask in masks:
        by_class[mask.cls][mask.id] = mask
    possible: list[tuple[list[Mask], list[Mask]]] = []
    for cls in sorted(by_class):
        found = [by_class[cls][name] for name in sorted(by_class[cls])]
        sizes = collections.Counter(groups[mask.id] for mask in found) if groups else {}
        queries = [query for query in found if len(found) - (sizes[groups[query.id]] if groups else 1) >= shots]
        if queries:
            possible.append((found, queries))
    if not possible:
        raise ValueError(f"shots must be fewer than the images of some class, got {shots}")
    tasks: list[Task] = []
    for _ in range(num_tasks):
        found, queries = possible[int(rng.integers(len(possible)))]
        query = queries[int(rng.integers(len(queries)))]
        candidates = [
            mask for mask in found if (groups[mask.id] != groups[query.id] if groups else mask.id != query.id)
        ]
        chosen = rng.choice(len(candidates), shots, replace=False)
        tasks.append(Task(tuple(candidates[i] for i in chosen), query))
    return tuple(tasks)


def interactive_tasks(masks: Iterable[Mask], instances: bool = True) -> tuple[Task, ...]:
    """One task for each mask, support and query the same image (4.4.1)."""
    return tuple(Task((mask,), mask, instances) for mask in masks)


def find_look_alikes(tasks: Sequence[Task], masks: Iterable[Mask]) -> npt.NDArray[np.bool_]:
    """Of tasks `[M]` whether another object of the same class is in the query's image, which is not to be found.

    Args:
      tasks: of objects.
      masks: of all objects of the images, as from `instance_masks`.
    """
    sizes = collections.Counter((mask.id, mask.cls) for mask in masks)
    return np.array([sizes[task.query.id, task.query.cls] > 1 for task in tasks], bool)


def make_episode(dataset: Dataset, task: Task, num_points: int | None, rng: np.random.Generator) -> Episode:
    """The images and sparse annotations of a task.

    Args:
      dataset: that the task's masks are of.
      task: what to segment.
      num_points: P of each support, None for dense.
      rng: is advanced.

    Raises:
      ValueError: the task is of objects and the data set does not tell them apart.
    """
    read = dataset.instance_labels if task.instances else dataset.class_labels
    if read is None:
        raise ValueError("dataset must have instance_labels for a task of objects, got one with classes only")
    targets = [binarise(read(mask.id), mask.label) for mask in (*task.support, task.query)]
    return Episode(
        tuple(dataset.image(mask.id) for mask in task.support),
        tuple(annotate(target, num_points, rng) for target in targets[:-1]),
        dataset.image(task.query.id),
        targets[-1],
    )


def sample_video_tasks(videos: Sequence[Footage], num_tasks: int, rng: np.random.Generator) -> tuple[Task, ...]:
    """Video tasks: any two frames of a clip, one the support, and one object; others are background (B.1).

    Clips are drawn uniformly. The query may be a frame that the object is not in. Images are those of `as_dataset`.

    Args:
      videos: clips with all their annotations.
      num_tasks: how many.
      rng: is advanced.

    Raises:
      ValueError: a clip that was drawn has fewer than two frames, no object, or frames without annotations.
    """
    return tuple(_sample_video_task(videos[int(rng.integers(len(videos)))], rng) for _ in range(num_tasks))


def _sample_video_task(video: Footage, rng: np.random.Generator) -> Task:
    if len(video) < 2:
        raise ValueError(f"video must have two frames, got {video.name} with {len(video)}")
    order = [int(frame) for frame in rng.permutation(len(video))]
    for support in order:
        labels = video.labels(support)
        objects = np.unique(labels[labels > 0])
        if len(objects):
            break
    else:
        raise ValueError(f"video must have objects in some frame, got {video.name} with none")
    label = int(objects[rng.integers(len(objects))])
    others = [frame for frame in order if frame != support]
    query = others[int(rng.integers(len(others)))]
    masks = (
        Mask(frame_id(video, frame), label, label, int(np.count_nonzero(video.labels(frame) == label)))
        for frame in (support, query)
    )
    return Task((next(masks),), next(masks), instances=True)


def annotate_frames(
    video: Footage, frames: Sequence[int], num_points: int | None, rng: np.random.Generator
) -> tuple[Labels, ...]:
    """Annotations of some frames of a clip, of all objects: the support of a test (B.1); the other frames are queries.

    Args:
      video: a clip.
      frames: those annotated; the first one alone is DAVIS's own task.
      num_points: P of each object in each frame and of the background, None for dense.
      rng: is advanced.
    """
    return tuple(annotate(video.labels(frame), num_points, rng) for frame in frames)
