"""What all data sets have in common: named classes, images, a label for each pixel.

In the shape descriptions `H, W` denote pixels.
"""

import dataclasses
import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from guidenet.data.files import Labels
from guidenet.images import Pixels


@dataclasses.dataclass(frozen=True)
class Dataset:
    """Images with labels, read one at a time.

    classes: names; the label of `classes[k]` is k + 1.
    ids: of the images.
    image: reads the `[H, W, 3]` RGB pixels of an id.
    class_labels: reads the `[H, W]` classes of an id.
    instance_labels: reads the `[H, W]` objects of an id, numbered from 1; None where objects are not told apart.
    """

    classes: tuple[str, ...]
    ids: tuple[str, ...]
    image: Callable[[str], Pixels]
    class_labels: Callable[[str], Labels]
    instance_labels: Callable[[str], Labels] | None = None

    def select(self, ids: Iterable[str]) -> "Dataset":
        """The same with these images only, in this order.

        Raises:
          ValueError: one of them is not there.
        """
        ids, known = tuple(ids), set(self.ids)
        for name in ids:
            if name not in known:
                raise ValueError(f"ids must be among the {len(known)} of the data set, got {name!r}")
        return dataclasses.replace(self, ids=ids)

    def merge_classes(self, names: Sequence[str], groups: Sequence[str]) -> "Dataset":
        """The same with coarser classes.

        Args:
          names: of the new classes.
          groups: for each of the old classes the name of the new one.

        Raises:
          ValueError: there are not as many groups as classes, or one is not among the names.
        """
        if len(groups) != len(self.classes):
            raise ValueError(f"groups must be one for each of the {len(self.classes)} classes, got {len(groups)}")
        position = {name: i + 1 for i, name in enumerate(names)}
        for group in groups:
            if group not in position:
                raise ValueError(f"groups must be among the names, got {group!r}")
        # The last place is that of the label -1.
        table = np.array([0, *(position[group] for group in groups), -1], np.int16)
        read = self.class_labels
        return dataclasses.replace(self, classes=tuple(names), class_labels=lambda name: table[read(name)])


def join(datasets: Sequence[Dataset]) -> Dataset:
    """Images of several data sets with the same classes.

    Raises:
      ValueError: there are none, their classes differ, or an id is in two.
    """
    if not datasets:
        raise ValueError("datasets must be at least one, got none")
    home: dict[str, Dataset] = {}
    for dataset in datasets:
        if dataset.classes != datasets[0].classes:
            raise ValueError("datasets must have the same classes to be joined, got others in one")
        for name in dataset.ids:
            if name in home:
                raise ValueError(f"ids must be in one data set only to be joined, got {name!r} in two")
            home[name] = dataset
    instances = [dataset.instance_labels for dataset in datasets]

    def instance_labels(name: str) -> Labels:
        read = home[name].instance_labels
        assert read is not None  # as of all of them
        return read(name)

    return Dataset(
        datasets[0].classes,
        tuple(home),
        lambda name: home[name].image(name),
        lambda name: home[name].class_labels(name),
        None if None in instances else instance_labels,
    )


def in_memory(dataset: Dataset) -> Dataset:
    """The same with all images and labels read, each once: for data sets that are drawn when they are read.

    Labels are kept packed, in a hundredth of their bytes, and are unpacked whenever they are read.
    """
    read = dataset.instance_labels
    images, classes, instances = {}, {}, {}
    for name in dataset.ids:
        images[name], classes[name] = dataset.image(name), _pack(dataset.class_labels(name))
        if read is not None:
            instances[name] = _pack(read(name))
    return dataclasses.replace(
        dataset,
        image=images.__getitem__,
        class_labels=lambda name: classes[name](),
        instance_labels=None if read is None else lambda name: instances[name](),
    )


def _pack(labels: Labels) -> Callable[[], Labels]:
    """Reads the same labels again, an array of its own each time."""
    packed, shape, dtype = zlib.compress(labels.tobytes(), level=1), labels.shape, labels.dtype
    return lambda: np.frombuffer(bytearray(zlib.decompress(packed)), dtype).reshape(shape)


class Mask(NamedTuple):
    """One thing to segment in one image.

    id: of the image.
    label: of its pixels in the labels that it was found in.
    cls: its class; for a mask of classes the same as the label.
    area: px.
    """

    id: str
    label: int
    cls: int
    area: int


def class_masks(dataset: Dataset, classes: Iterable[int] | None = None, min_area: int = 1) -> tuple[Mask, ...]:
    """All masks of (image, class); reads the labels of every image.

    Args:
      dataset: the images.
      classes: labels of those wanted; None is all.
      min_area: px; smaller ones are left out.
    """
    wanted = None if classes is None else frozenset(classes)
    masks: list[Mask] = []
    for name in dataset.ids:
        for label, area in _areas(dataset.class_labels(name)):
            if area >= min_area and (wanted is None or label in wanted):
                masks.append(Mask(name, label, label, area))
    return tuple(masks)


def instance_masks(dataset: Dataset, classes: Iterable[int] | None = None, min_area: int = 1) -> tuple[Mask, ...]:
    """All masks of (image, object); the class of an object is that of most of its pixels. Arguments: `class_masks`.

    Raises:
      ValueError: the data set does not tell objects apart.
    """
    if dataset.instance_labels is None:
        raise ValueError("dataset must have instance_labels, got one with classes only")
    wanted = None if classes is None else frozenset(classes)
    masks: list[Mask] = []
    for name in dataset.ids:
        instances, labels = dataset.instance_labels(name), dataset.class_labels(name)
        for label, area in _areas(instances):
            inside = labels[instances == label]
            inside = inside[inside > 0]
            cls = int(np.bincount(inside).argmax()) if len(inside) else 0
            if area >= min_area and cls and (wanted is None or cls in wanted):
                masks.append(Mask(name, label, cls, area))
    return tuple(masks)


def _areas(labels: Labels) -> list[tuple[int, int]]:
    """The labels above 0 that there are, and how many pixels each has."""
    counts: npt.NDArray[np.int64] = np.bincount(labels[labels > 0].ravel())
    return [(int(label), int(counts[label])) for label in counts.nonzero()[0]]
