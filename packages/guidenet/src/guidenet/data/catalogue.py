"""Data by name, as commands take them: `cut-outs`, `cut-outs:FOLDER`, `voc:FOLDER`, `davis:FOLDER`.

Whatever they are, they have tasks to train on, to choose by and to test with, apart from each other; or to test with
only.
"""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from guidenet.checks import check_choice
from guidenet.data.composites.benchmark import FOLDS, MIN_AREA, ROLES, Benchmark, load_benchmark
from guidenet.data.composites.scenes import SceneSet
from guidenet.data.dataset import Dataset, class_masks, in_memory
from guidenet.data.footage import Footage
from guidenet.data.formats import davis, pascal5i, voc
from guidenet.data.sources import KINDS, Source, interactive_source, semantic_source, video_source

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


def open_data(name: str, fold: int = 0, cache: str | Path | None = None) -> Data:
    """Finds data; they are read when a source is asked for.

    Args:
      name: `cut-outs`, the benchmark that a plain installation can build; `cut-outs:FOLDER`, the same of other
        cut-outs, as `tools/make_cut_outs.py` writes them; `voc:FOLDER`, PASCAL VOC 2012, of whose classes a fifth is
        held out, as in PASCAL-5i; `davis:FOLDER`, DAVIS 2017.
      fold: 0 to 3: what is held out. DAVIS and cut-outs that are for tests only have no folds: 0.
      cache: as for `load_benchmark`.

    Raises:
      DataMissingError: the extra `data` is not installed.
      FileNotFoundError: there is no such folder.
      ValueError: there is no such data or fold.
    """
    kind, colon, folder = name.partition(":")
    check_choice("data", kind, ["cut-outs", "voc", "davis"])
    if not folder and (colon or kind != "cut-outs"):
        raise ValueError(f"data must be cut-outs, cut-outs:FOLDER, voc:FOLDER or davis:FOLDER, got {name!r}")
    check_choice("fold", fold, [0] if kind == "davis" else FOLDS)
    return {"cut-outs": _open_cut_outs, "voc": _open_voc, "davis": _open_davis}[kind](name, folder, fold, cache)


def _open_cut_outs(name: str, folder: str, fold: int, cache: str | Path | None) -> Data:
    benchmark = load_benchmark(folder=folder) if folder else load_benchmark(cache=cache)
    check_choice("fold", fold, benchmark.folds)
    return cut_outs(benchmark, fold, name)


def cut_outs(benchmark: Benchmark, fold: int, name: str = "cut-outs") -> Data:
    """Tasks of the cut-out benchmark; its scenes and clips are drawn once and kept.

    Args:
      benchmark: as from `load_benchmark`.
      fold: 0 to 3.
      name: what to call it.
    """

    @functools.cache
    def scenes(role: str) -> SceneSet:
        found = benchmark.role(role, fold)
        return found._replace(dataset=in_memory(found.dataset))

    @functools.cache
    def clips(role: str) -> Sequence[Footage]:
        return benchmark.clips(role, fold)

    def source(kind: str, role: str) -> Source:
        check_choice("kind", kind, KINDS)
        if kind == "video":
            return video_source(clips(role))
        dataset, styles = scenes(role)
        if kind == "semantic":
            return semantic_source(dataset, styles, MIN_AREA)
        return interactive_source(dataset, MIN_AREA)

    return Data(f"{name}, fold {fold}", KINDS, source, clips, benchmark.roles)


def _open_voc(name: str, folder: str, fold: int, cache: str | Path | None) -> Data:
    del cache

    @functools.cache
    def images(role: str) -> Dataset:
        check_choice("role", role, ROLES)
        dataset = voc.load_voc(folder, "val" if role == "test" else "train")
        train, held_out = pascal5i.split_images(pascal5i.contents(class_masks(dataset)), fold)
        if role == "test":
            return dataset.select(held_out)
        return dataset.select(_part(train, role))

    def source(kind: str, role: str) -> Source:
        check_choice("kind", kind, ["semantic", "interactive"])
        return semantic_source(images(role)) if kind == "semantic" else interactive_source(images(role))

    voc.read_ids(folder, "train")  # for its error
    return Data(f"{name}, fold {fold}", ("semantic", "interactive"), source, lambda role: ())


def _open_davis(name: str, folder: str, fold: int, cache: str | Path | None) -> Data:
    del fold, cache

    @functools.cache
    def clips(role: str) -> Sequence[Footage]:
        check_choice("role", role, ROLES)
        if role == "test":
            return davis.read_videos(folder, "val")
        return _part(davis.read_videos(folder, "train"), role)

    def source(kind: str, role: str) -> Source:
        check_choice("kind", kind, ["video"])
        return video_source(clips(role))

    davis.read_names(folder, "train")  # for its error
    return Data(name, ("video",), source, clips)


def _part(items: Sequence[T], role: str) -> tuple[T, ...]:
    """What a role has of the items that are not for testing: validation one in `_EVERY`, training the others."""
    return tuple(item for i, item in enumerate(items) if (i % _EVERY == 0) == (role == "validation"))
