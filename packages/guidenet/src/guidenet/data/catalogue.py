"""Data by name, as commands take them: `cut-outs`, `voc:FOLDER`, `folder:FOLDER` and others, see `open_data`.

Whatever they are, they have tasks to train on, to choose by and to test with, apart from each other; or to test with
only.
"""

import collections
import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from guidenet.checks import check_choice
from guidenet.data.composites.benchmark import FOLDS, MIN_AREA, ROLES, Benchmark, load_benchmark
from guidenet.data.composites.scenes import SceneSet
from guidenet.data.dataset import Dataset, class_masks, in_memory
from guidenet.data.footage import Footage
from guidenet.data.formats import coco, davis, folder, fss, pascal5i, voc
from guidenet.data.sources import KINDS, Source, interactive_source, semantic_source, video_source

T = TypeVar("T")

Divide = Callable[[Sequence[str], str], tuple[str, ...]]
"""What a role has of ids."""

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

    - `cut-outs`: the benchmark that a plain installation can build. `cut-outs:FOLDER`: the same of other cut-outs, as
      `tools/make_cut_outs.py` writes them.
    - `voc:FOLDER`: PASCAL VOC 2012, or others in its layout with a list of classes (`labels.txt`). Training and
      validation are of `train`, test of `val`. A fourth of the classes is held out, as in PASCAL-5i.
    - `coco:FOLDER`: COCO, or what CVAT, Roboflow and LVIS write. Training is of `train2017`, `train` or `default`; test
      of `test`, or else of `val2017`, `val` or `valid`, which are for validation where there is a `test` too. Without a
      set for training there are tests only. Of four classes or more every fourth one is held out.
    - `fss:FOLDER`: FSS-1000. Roles have classes of their own: those of `train.txt`, `val.txt` and `test.txt`, or of
      four classes two, one and one.
    - `davis:FOLDER`: DAVIS 2017 or 2016. Training and validation are of `train`, test of `val`.
    - `folder:FOLDER`: `images` and `masks` of one's own, see `guidenet.data.formats.folder`. Roles are the subfolders
      `train`, `val` and `test`. No class is held out: other images are.

    Where a set is not divided, a tenth of what is for training is for validation; where nothing is, three images of
    five are for training, one for validation and one for test.

    Args:
      name: of the data.
      fold: 0 to 3: what is held out. Where no classes are, there are no folds: 0.
      cache: as for `load_benchmark`.

    Raises:
      DataMissingError: the extra `data` is not installed.
      FileNotFoundError: there is no such folder.
      ValueError: there is no such data or fold, or they have too little.
    """
    kind, colon, path = name.partition(":")
    check_choice("data", kind, list(_KINDS))
    if not path and (colon or kind != "cut-outs"):
        known = ", ".join(f"{other}:FOLDER" for other in _KINDS)
        raise ValueError(f"data must be cut-outs, {known}, got {name!r}")
    check_choice("fold", fold, FOLDS)
    return _KINDS[kind](name, path, fold, cache)


def _open_cut_outs(name: str, path: str, fold: int, cache: str | Path | None) -> Data:
    benchmark = load_benchmark(folder=path) if path else load_benchmark(cache=cache)
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


def _open_voc(name: str, path: str, fold: int, cache: str | Path | None) -> Data:
    del cache
    num_classes = len(voc.read_classes(path))
    is_held_out = _has_folds(name, num_classes, fold)

    @functools.cache
    def images(role: str) -> Dataset:
        dataset = voc.load_voc(path, "val" if role == "test" else "train")
        contents = pascal5i.contents(class_masks(dataset))
        if is_held_out:
            train, held_out = pascal5i.split_images(contents, fold, num_classes)
        else:
            train = held_out = tuple(contents)
        return dataset.select(held_out if role == "test" else _part(train, role))

    voc.read_ids(path, "train")  # for its error
    return _of_images(name, fold, images)


def _open_coco(name: str, path: str, fold: int, cache: str | Path | None) -> Data:
    del cache
    parts = _coco_parts({role: _find_split(path, names) for role, names in _COCO_SPLITS.items()})
    if not parts:
        coco.find_annotations(path, _COCO_SPLITS["train"][0])  # for its error
    split, _ = parts["test"]
    classes = coco.read_annotations(coco.find_annotations(path, split)).classes
    held_out = others = classes
    if _has_folds(name, len(classes), fold):
        held_out = tuple(cls for i, cls in enumerate(classes) if i % len(FOLDS) == fold)
        others = tuple(cls for cls in classes if cls not in held_out)

    @functools.cache
    def images(role: str) -> Dataset:
        split, divide = parts[role]
        dataset = coco.load_coco(path, split, held_out if role == "test" else others, labelled_only=True)
        return dataset.select(divide(dataset.ids, role))

    return _of_images(name, fold, images, roles=tuple(parts))


def _coco_parts(splits: Mapping[str, str | None]) -> dict[str, tuple[str, Divide]]:
    """For each role the set that its images are of, and how these are divided."""
    train, validation, test = (splits[role] for role in ROLES)
    other = test or validation
    if train and validation and test:
        return {"train": (train, _whole), "validation": (validation, _whole), "test": (test, _whole)}
    if train and other:
        return {"train": (train, _part), "validation": (train, _part), "test": (other, _whole)}
    if train:
        return dict.fromkeys(ROLES, (train, _share))
    return {"test": (other, _whole)} if other else {}


def _open_fss(name: str, path: str, fold: int, cache: str | Path | None) -> Data:
    del cache
    check_choice("fold", fold, [0])
    classes = fss.divide_classes(path)

    @functools.cache
    def images(role: str) -> Dataset:
        return fss.load_fss(path, classes[role])

    return _of_images(name, None, images, ("semantic",))


def _open_folder(name: str, path: str, fold: int, cache: str | Path | None) -> Data:
    del cache
    check_choice("fold", fold, [0])
    pairs = folder.find_pairs(path)
    if "all" in pairs:
        groups: dict[tuple[str, ...], list[str]] = {}
        for image, pair in pairs["all"].items():
            groups.setdefault(pair.folder, []).append(image)
        names = {role: tuple(i for ids in groups.values() for i in _share(ids, role)) for role in ROLES}
    else:
        if not {"train", "validation"} <= set(pairs):
            raise ValueError(f"{path}/images must have the subfolders train and val, and perhaps test, got {[*pairs]}")
        names = {role: tuple(found) for role, found in pairs.items()}
        if "test" not in names:
            train = names["train"]
            names = {
                "train": _part(train, "train"),
                "validation": _part(train, "validation"),
                "test": names["validation"],
            }
    every = {image: pair for found in pairs.values() for image, pair in found.items()}
    dataset = folder.load_folder(path, every)
    return _of_images(name, None, lambda role: dataset.select(names[role]))


def _open_davis(name: str, path: str, fold: int, cache: str | Path | None) -> Data:
    del cache
    check_choice("fold", fold, [0])

    @functools.cache
    def clips(role: str) -> Sequence[Footage]:
        check_choice("role", role, ROLES)
        if role == "test":
            return davis.read_videos(path, "val")
        return _part(davis.read_videos(path, "train"), role)

    def source(kind: str, role: str) -> Source:
        check_choice("kind", kind, ["video"])
        return video_source(clips(role))

    davis.read_names(path, "train")  # for its error
    return Data(name, ("video",), source, clips)


_KINDS: dict[str, Callable[[str, str, int, str | Path | None], Data]] = {
    "cut-outs": _open_cut_outs,
    "voc": _open_voc,
    "coco": _open_coco,
    "fss": _open_fss,
    "davis": _open_davis,
    "folder": _open_folder,
}

_COCO_SPLITS = {
    "train": ("train2017", "train2014", "train", "default"),
    "validation": ("val2017", "val2014", "val", "valid", "validation"),
    "test": ("test",),
}


def _of_images(
    name: str,
    fold: int | None,
    images: Callable[[str], Dataset],
    kinds: tuple[str, ...] = ("semantic", "interactive"),
    roles: tuple[str, ...] = ROLES,
) -> Data:
    """Data of the images of each role, which have no clips."""

    def source(kind: str, role: str) -> Source:
        check_choice("kind", kind, kinds)
        check_choice("role", role, roles)
        dataset = images(role)
        problem = f"and {name} has {len(dataset.ids)} images for that"
        if not any((dataset.class_labels(image) > 0).any() for image in dataset.ids):
            raise ValueError(f"data must have objects for {role}, {problem}, with nothing in them")
        if kind == "interactive":
            return interactive_source(dataset)
        found = semantic_source(dataset)
        if max(collections.Counter(mask.cls for mask in found.masks).values()) < 2:
            raise ValueError(f"data must have two images of some class for {role}, {problem}")
        return found

    return Data(name if fold is None else f"{name}, fold {fold}", kinds, source, lambda role: (), roles)


def _has_folds(name: str, num_classes: int, fold: int) -> bool:
    """Whether classes are held out: there must be one for each fold."""
    if num_classes < len(FOLDS):
        if fold:
            raise ValueError(f"fold must be 0 with the {num_classes} classes of {name}, got {fold}")
        return False
    return True


def _find_split(path: str, names: Sequence[str]) -> str | None:
    """The first of these sets of COCO that there is."""
    return next(
        (split for split in names for place in coco.ANNOTATIONS if (Path(path) / place.format(split)).is_file()), None
    )


def _whole(items: Sequence[T], role: str) -> tuple[T, ...]:
    del role
    return tuple(items)


def _part(items: Sequence[T], role: str) -> tuple[T, ...]:
    """What a role has of the items that are not for testing: validation one in `_EVERY`, training the others."""
    return tuple(item for i, item in enumerate(items) if (i % _EVERY == 0) == (role == "validation"))


def _share(items: Sequence[T], role: str) -> tuple[T, ...]:
    """What a role has of items that nothing has divided: training three of five, the others one."""
    roles = ("train", "validation", "test", "train", "train")
    return tuple(item for i, item in enumerate(items) if roles[i % len(roles)] == role)
