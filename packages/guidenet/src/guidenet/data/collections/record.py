"""What data of one collection are, and how images are divided where nothing has divided them."""

import collections
import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from guidenet.checks import check_choice
from guidenet.data.composites.benchmark import FOLDS, ROLES
from guidenet.data.dataset import Dataset
from guidenet.data.files import UNKNOWN
from guidenet.data.footage import Footage
from guidenet.data.sources import Source, interactive_source, semantic_source

T = TypeVar("T")

_EVERY = 10
"""One in so many training images or clips is set apart for validation, where a data set has no set for that."""


class Data(NamedTuple):
    """Tasks of one collection.

    name: what it was asked for by, and the fold.
    kinds: of tasks that it has.
    source: of a kind and a role.
    clips: of a role; none where `video` is not among the kinds.
    roles: what there are tasks for.
    """

    name: str
    kinds: tuple[str, ...]
    source: Callable[[str, str], Source]
    clips: Callable[[str], Sequence[Footage]]
    roles: tuple[str, ...] = ROLES


class Wish(NamedTuple):
    """What is to be opened, as for `open_data`; folder: what follows the colon of the name."""

    name: str
    folder: str
    fold: int
    cache: str | Path | None
    hold_out: bool

    @property
    def name_of_fold(self) -> str:
        """What data with folds are called."""
        return f"{self.name}, fold {self.fold}"


def of_images(
    name: str,
    images: Callable[[str], Dataset],
    kinds: tuple[str, ...] = ("semantic", "interactive"),
    roles: tuple[str, ...] = ROLES,
) -> Data:
    """Data of images, which have no clips.

    Args:
      name: what to call them.
      images: of a role; they are asked for once, so the kinds of tasks share them.
      kinds: of tasks.
      roles: what there are images for.
    """
    images = functools.cache(images)

    def source(kind: str, role: str) -> Source:
        check_choice("kind", kind, kinds)
        check_choice("role", role, roles)
        dataset = images(role)
        problem = f"and {name} has {len(dataset.ids)} images for that"
        if not any((dataset.class_labels(image) > 0).any() for image in dataset.ids):
            is_open = any((dataset.class_labels(image) == UNKNOWN).any() for image in dataset.ids)
            what = (
                "nothing in them but unknown pixels, such as 255 in masks of classes" if is_open else "nothing in them"
            )
            raise ValueError(f"data must have objects for {role}, {problem}, with {what}")
        if kind == "interactive":
            return interactive_source(dataset)
        found = semantic_source(dataset)
        if max(collections.Counter(mask.cls for mask in found.masks).values()) < 2:
            raise ValueError(f"data must have two images of some class for {role}, {problem}")
        return found

    return Data(name, kinds, source, lambda role: (), roles)


def has_folds(wish: Wish, num_classes: int) -> bool:
    """Whether classes are held out: there must be one for each fold.

    Raises:
      ValueError: there is none for each, and a fold or an oracle is asked for.
    """
    if num_classes >= len(FOLDS):
        return True
    too_few = f"with the {num_classes} classes of {wish.name}, too few to hold some out"
    if wish.fold:
        raise ValueError(f"fold must be 0 {too_few}, got {wish.fold}")
    if not wish.hold_out:
        raise ValueError(f"hold_out must be True {too_few}, got False")
    return False


def whole(items: Sequence[T], role: str) -> tuple[T, ...]:
    """All of the items, which are of this role."""
    del role
    return tuple(items)


def part(items: Sequence[T], role: str) -> tuple[T, ...]:
    """What a role has of the items that are not for testing: validation one in `_EVERY`, training the others."""
    return tuple(item for i, item in enumerate(items) if (i % _EVERY == 0) == (role == "validation"))


def share(items: Sequence[T], role: str) -> tuple[T, ...]:
    """What a role has of items that nothing has divided: training three of five, the others one."""
    roles = ("train", "validation", "test", "train", "train")
    return tuple(item for i, item in enumerate(items) if roles[i % len(roles)] == role)
