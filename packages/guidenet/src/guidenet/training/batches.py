"""Sampled tasks as arrays: numbers of images, annotations, and targets.

In the shape descriptions `M` denotes tasks, `H, W` pixels, `h, w` the pixels that the loss looks at.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np
import numpy.typing as npt

from guidenet.data.episodes import Task, annotate, binarise
from guidenet.data.material import Material
from guidenet.training.learner import Batch, Learner, Looked


class Drawn(NamedTuple):
    """Tasks with their annotations, and numbers for images.

    support, query: `[M]` int32.
    annotation: `[M, H, W]` int8: 1, 0, -1 unknown.
    target: `[M, h, w]` int8: 1, 0, -1 not scored.
    own: `[M]` bool: an object is to be found where it is annotated, and not all that is like it.
    """

    support: npt.NDArray[np.int32]
    query: npt.NDArray[np.int32]
    annotation: npt.NDArray[np.int8]
    target: npt.NDArray[np.int8]
    own: npt.NDArray[np.bool_]


class Store(NamedTuple):
    """Everything that a learner sees, by the number of the image: features, or images themselves.

    support, query: `[N, ...]` as in `Batch`.
    """

    support: Looked
    query: Looked


def make_stores(materials: Sequence[Material], learner: Learner) -> list[Store]:
    """The arrays that a learner needs, on the device; an array that several materials share is there once."""
    placed: dict[int, Looked] = {}

    def place(material: Material, images: bool) -> Looked:
        arrays = material.images if images else material.features
        if id(arrays) not in placed:
            placed[id(arrays)] = jax.device_put(arrays)
        return placed[id(arrays)]

    return [Store(place(m, learner.support_images), place(m, learner.query_images)) for m in materials]


def draw(
    material: Material, tasks: Sequence[Task], num_points: Sequence[int], step: int, rng: np.random.Generator
) -> Drawn:
    """Annotates tasks.

    Args:
      material: with the tasks' images.
      tasks: `M` of one shot.
      num_points: P of each.
      step: targets have one pixel in this many, on both axes.
      rng: is advanced.
    """
    supports = [material.position[task.support[0].id] for task in tasks]
    queries = [material.position[task.query.id] for task in tasks]
    annotations = [
        annotate(binarise(material.labels[number], task.support[0].label), points, rng)
        for number, task, points in zip(supports, tasks, num_points, strict=True)
    ]
    targets = [
        binarise(material.labels[number, step // 2 :: step, step // 2 :: step], task.query.label)
        for number, task in zip(queries, tasks, strict=True)
    ]
    return Drawn(
        np.array(supports, np.int32),
        np.array(queries, np.int32),
        np.stack(annotations).astype(np.int8),
        np.stack(targets).astype(np.int8),
        np.array([task.own for task in tasks], bool),
    )


def gather(store: Store, drawn: Drawn) -> Batch:
    """The batch of drawn tasks."""
    support = jax.tree.map(lambda x: x[drawn.support], store.support)
    query = jax.tree.map(lambda x: x[drawn.query], store.query)
    return Batch(support, query, drawn.annotation, drawn.target, drawn.own)
