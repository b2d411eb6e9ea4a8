"""PASCAL-5i: four folds of held-out classes of PASCAL VOC (Shaban et al. 2017; thesis B.1)."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from guidenet.checks import check_choice
from guidenet.data.dataset import Mask
from guidenet.data.files import read_lines
from guidenet.data.formats.voc import CLASSES

FOLDS = (0, 1, 2, 3)


def held_out_classes(fold: int, num_classes: int = len(CLASSES)) -> tuple[int, ...]:
    """The labels that a fold tests, a fourth of them: of 20 classes 5 fold + 1 .. 5 fold + 5.

    Raises:
      ValueError: there is no such fold.
    """
    check_choice("fold", fold, FOLDS)
    return tuple(label for label in range(1, num_classes + 1) if (label - 1) * len(FOLDS) // num_classes == fold)


def training_classes(fold: int) -> tuple[int, ...]:
    """The other fifteen labels."""
    held_out = held_out_classes(fold)
    return tuple(label for label in range(1, len(CLASSES) + 1) if label not in held_out)


def split_images(
    contents: Mapping[str, Iterable[int]], fold: int, num_classes: int = len(CLASSES)
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Training and held-out images of a fold: one with a held-out class is held out, whatever else is in it (B.1).

    Args:
      contents: labels of the classes in each image; images without classes are in neither.
      fold: 0 to 3.
      num_classes: of all labels.
    """
    held_out = set(held_out_classes(fold, num_classes))
    train: list[str] = []
    test: list[str] = []
    for name, labels in contents.items():
        present = set(labels)
        if present:
            (test if present & held_out else train).append(name)
    return tuple(train), tuple(test)


def contents(masks: Iterable[Mask]) -> dict[str, tuple[int, ...]]:
    """The classes in each image, of `class_masks`."""
    found: dict[str, tuple[int, ...]] = {}
    for mask in masks:
        found[mask.id] = (*found.get(mask.id, ()), mask.cls)
    return found


def read_fold(path: str | Path) -> tuple[tuple[str, int], ...]:
    """Pairs of image and label of a list such as `splits/pascal/val/fold0.txt`: `ID__CC` a line, CC from 01 to 20.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: a line is not like that.
    """
    pairs: list[tuple[str, int]] = []
    for number, line in enumerate(read_lines(path, "a list of PASCAL-5i, ID__CC a line"), 1):
        name, separator, label = line.rpartition("__")
        if not separator or not name or not label.isdecimal() or not 1 <= int(label) <= len(CLASSES):
            raise ValueError(f"{path} must have ID__CC with CC from 01 to 20 in entry {number}, got {line!r}")
        pairs.append((name, int(label)))
    return tuple(pairs)


def fold_masks(pairs: Iterable[tuple[str, int]], masks: Iterable[Mask]) -> tuple[Mask, ...]:
    """Those of the masks that a fold's list names."""
    wanted = set(pairs)
    return tuple(mask for mask in masks if (mask.id, mask.cls) in wanted)
