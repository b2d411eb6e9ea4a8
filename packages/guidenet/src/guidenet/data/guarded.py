"""Data in files of the user: an error while a file is read is the user's, however late the file is read."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from guidenet.data.catalogue import open_data
from guidenet.data.collections.record import Data
from guidenet.data.dataset import Dataset
from guidenet.data.episodes import Task
from guidenet.data.files import Labels
from guidenet.data.footage import Footage
from guidenet.data.sources import Source
from guidenet.errors import user_errors
from guidenet.images import Pixels


def open_guarded(name: str, fold: int = 0, cache: str | Path | None = None, *, hold_out: bool = True) -> Data:
    """`open_data`, and `guard` where the data are in files of the user; arguments and errors as of `open_data`."""
    found = open_data(name, fold, cache, hold_out=hold_out)
    return guard(found) if ":" in name else found


def guard(data: Data) -> Data:
    """The same data; reading a file that is not as it must be raises `UserError`."""

    @functools.cache
    def clips(role: str) -> Sequence[Footage]:
        with user_errors():
            return tuple(_Clip(clip) for clip in data.clips(role))

    # Kinds of tasks on the same images share their data set, which others tell by its identity.
    guarded: dict[int, tuple[Dataset, Dataset]] = {}

    def source(kind: str, role: str) -> Source:
        with user_errors():
            found = data.source(kind, role)
        dataset = found.dataset
        guarded.setdefault(id(dataset), (dataset, _guard_dataset(dataset)))
        return dataclasses.replace(found, dataset=guarded[id(dataset)][1], sample=_guard_sample(found.sample))

    return data._replace(source=source, clips=clips)


def _guard_dataset(dataset: Dataset) -> Dataset:
    def reading(read: Callable[[str], Any]) -> Callable[[str], Any]:
        def guarded(name: str) -> Any:
            with user_errors():
                return read(name)

        return guarded

    instances = dataset.instance_labels
    return dataclasses.replace(
        dataset,
        image=reading(dataset.image),
        class_labels=reading(dataset.class_labels),
        instance_labels=None if instances is None else reading(instances),
    )


def _guard_sample(
    sample: Callable[[int, np.random.Generator], tuple[Task, ...]],
) -> Callable[[int, np.random.Generator], tuple[Task, ...]]:
    def guarded(number: int, rng: np.random.Generator) -> tuple[Task, ...]:
        with user_errors():
            return sample(number, rng)

    return guarded


@dataclasses.dataclass(frozen=True, eq=False)
class _Clip:
    """A clip; reading a frame that is not as it must be raises `UserError`."""

    clip: Footage

    @property
    def name(self) -> str:
        return self.clip.name

    @property
    def objects(self) -> tuple[int, ...]:
        with user_errors():
            return self.clip.objects

    def __len__(self) -> int:
        return len(self.clip)

    def image(self, frame: int) -> Pixels:
        with user_errors():
            return self.clip.image(frame)

    def labels(self, frame: int) -> Labels:
        with user_errors():
            return self.clip.labels(frame)
