"""Data by name, as commands take them: `cut-outs`, `cut-outs:FOLDER`, `voc:FOLDER`, `davis:FOLDER`, `real`.

Whatever they are, they have tasks to train on, to choose by and to test with, apart from each other; or to test with
only.
"""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from guidenet.checks import check_choice
from guidenet.data import real
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


def open_data(name: str, fold: int = 0, cache: str | Path | None = None, *, hold_out: bool = True) -> Data:
    """Finds data; they are read when a source is asked for.

    Args:
      name: `cut-outs`, the benchmark that a plain installation can build; `cut-outs:FOLDER`, the same of other
        cut-outs, as `tools/make_cut_outs.py` writes them; `voc:FOLDER`, PASCAL VOC 2012, of whose classes a fifth is
        held out, as in PASCAL-5i; `davis:FOLDER`, DAVIS 2017; `real`, photos with masks, for tests only, or one of
        them, `real:coins`, see `guidenet.data.real`.
      fold: 0 to 3: what is held out. DAVIS, photos and cut-outs that are for tests only have no folds: 0.
      cache: as for `load_benchmark`.
      hold_out: False is for an oracle, which is trained on the test classes too, in other images (thesis 4.4.1).

    Raises:
      DataMissingError: the extra `data` is not installed.
      FileNotFoundError: there is no such folder.
      ValueError: there is no such data or fold, or nothing to hold out.
    """
    kind, colon, folder = name.partition(":")
    check_choice("data", kind, list(_COLLECTIONS))
    opened = _COLLECTIONS[kind]
    if not folder and (colon or opened.needs_folder):
        raise ValueError(f"data must be cut-outs, cut-outs:FOLDER, voc:FOLDER or davis:FOLDER, got {name!r}")
    check_choice("fold", fold, FOLDS if opened.has_folds else [0])
    if not hold_out and not opened.has_folds:
        raise ValueError(f"hold_out must be True with data {kind}, which hold out no classes, got False")
    found = opened.open(_Wish(name, folder, fold, cache, hold_out))
    return found if hold_out else found._replace(name=f"{found.name}, nothing held out")


class _Wish(NamedTuple):
    """What is to be opened, as for `open_data`; folder: what follows the colon of the name."""

    name: str
    folder: str
    fold: int
    cache: str | Path | None
    hold_out: bool


class _Collection(NamedTuple):
    """How data of one kind are opened, and whether they need a folder and have folds of classes."""

    open: Callable[[_Wish], Data]
    needs_folder: bool = True
    has_folds: bool = True


def _open_cut_outs(wish: _Wish) -> Data:
    benchmark = load_benchmark(folder=wish.folder) if wish.folder else load_benchmark(cache=wish.cache)
    check_choice("fold", wish.fold, benchmark.folds)
    if not wish.hold_out and "train" not in benchmark.roles:
        raise ValueError(f"hold_out must be True with data {wish.name}, which is for tests only, got False")
    return cut_outs(benchmark, wish.fold, wish.name, hold_out=wish.hold_out)


def cut_outs(benchmark: Benchmark, fold: int, name: str = "cut-outs", *, hold_out: bool = True) -> Data:
    """Tasks of the cut-out benchmark; its scenes and clips are drawn once and kept.

    Args:
      benchmark: as from `load_benchmark`.
      fold: 0 to 3.
      name: what to call it.
      hold_out: as for `open_data`.
    """

    @functools.cache
    def scenes(role: str) -> SceneSet:
        whole = role == "train" and not hold_out
        found = benchmark.oracle() if whole else benchmark.role(role, fold)
        return found._replace(dataset=in_memory(found.dataset))

    @functools.cache
    def clips(role: str) -> Sequence[Footage]:
        if role != "train" or hold_out:
            return benchmark.clips(role, fold)
        # Each fold's clips lack its own concepts, so those of two have all.
        return (*benchmark.clips(role, fold), *benchmark.clips(role, (fold + 1) % len(FOLDS)))

    def source(kind: str, role: str) -> Source:
        check_choice("kind", kind, KINDS)
        if kind == "video":
            return video_source(clips(role))
        dataset, styles = scenes(role)
        if kind == "semantic":
            return semantic_source(dataset, styles, MIN_AREA)
        return interactive_source(dataset, MIN_AREA)

    return Data(f"{name}, fold {fold}", KINDS, source, clips, benchmark.roles)


def _open_voc(wish: _Wish) -> Data:
    folder = wish.folder

    @functools.cache
    def images(role: str) -> Dataset:
        check_choice("role", role, ROLES)
        dataset = voc.load_voc(folder, "val" if role == "test" else "train")
        train, held_out = pascal5i.split_images(pascal5i.contents(class_masks(dataset)), wish.fold)
        if role == "test":
            return dataset.select(held_out)
        if not wish.hold_out:
            train = (*train, *held_out)
        return dataset.select(_part(train, role))

    def source(kind: str, role: str) -> Source:
        check_choice("kind", kind, ["semantic", "interactive"])
        return semantic_source(images(role)) if kind == "semantic" else interactive_source(images(role))

    voc.read_ids(folder, "train")  # for its error
    return Data(f"{wish.name}, fold {wish.fold}", ("semantic", "interactive"), source, lambda role: ())


def _open_davis(wish: _Wish) -> Data:
    folder = wish.folder

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
    return Data(wish.name, ("video",), source, clips)


def _open_real(wish: _Wish) -> Data:
    names = (wish.folder,) if wish.folder else tuple(real.PHOTOS)
    check_choice("data real", names[0], list(real.PHOTOS))
    found = real.photo_source(names)

    def source(kind: str, role: str) -> Source:
        check_choice("kind", kind, ["interactive"])
        check_choice("role", role, ["test"])
        return found

    return Data(wish.name, ("interactive",), source, lambda role: (), ("test",))


def _part(items: Sequence[T], role: str) -> tuple[T, ...]:
    """What a role has of the items that are not for testing: validation one in `_EVERY`, training the others."""
    return tuple(item for i, item in enumerate(items) if (i % _EVERY == 0) == (role == "validation"))


_COLLECTIONS = {
    "cut-outs": _Collection(_open_cut_outs, needs_folder=False),
    "voc": _Collection(_open_voc),
    "davis": _Collection(_open_davis, has_folds=False),
    "real": _Collection(_open_real, needs_folder=False, has_folds=False),
}
