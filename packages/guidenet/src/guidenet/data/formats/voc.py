"""PASCAL VOC 2012 with the annotations of SBDD, in their on-disk formats; the thesis's sets of images (B.1).

Everingham et al. 2010 and Hariharan et al. 2011; the photos are from Flickr and under its terms of use. Neither is in
this package or fetched by it. Below `voc` are `JPEGImages/ID.jpg`, `SegmentationClass/ID.png`,
`SegmentationObject/ID.png` and `ImageSets/Segmentation/{train,val}.txt`; below `sbdd`, SBDD's folder `dataset`, are
`img/ID.jpg`, `cls/ID.mat`, `inst/ID.mat` and `{train,val}.txt`.

In the shape descriptions `H, W` denote pixels.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import scipy.io

from guidenet.data.dataset import Dataset
from guidenet.data.files import (
    BACKGROUND,
    Labels,
    check_classes,
    check_size,
    find_image,
    from_indices,
    read_lines,
    read_photo,
    require,
)
from guidenet.data.one_reading import NumberedMasks
from guidenet.reading import SUFFIXES

CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog",
    "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)  # fmt: skip
"""In alphabetical order; the label of `CLASSES[k]` is k + 1."""

CLASS_LISTS = ("labels.txt", "classes.txt", "class_names.txt", "labelmap.txt")
"""Files of the folder that name other classes, one a line, as labelme and CVAT write them."""


def read_classes(voc: str | Path) -> tuple[str, ...]:
    """The classes of a folder in the layout of VOC: those of a file of `CLASS_LISTS`, or else `CLASSES`.

    `__ignore__`, and the background where it is the first, have no label. Of CVAT's `labelmap.txt` the names count.

    Raises:
      ValueError: there are two such files that differ, a name is there twice, or none is.
    """
    found: dict[Path, tuple[str, ...]] = {}
    for path in (Path(voc) / name for name in CLASS_LISTS):
        if not path.is_file():
            continue
        lines = [line for line in read_lines(path, "a list of classes, one a line") if not line.startswith("#")]
        names = [line.split(":")[0].strip() if path.name == "labelmap.txt" else line for line in lines]
        names = [name for name in names if name != "__ignore__"]
        found[path] = tuple(names[1:] if names and names[0].lower() in BACKGROUND else names)
    if not found:
        return CLASSES
    (path, classes), *others = found.items()
    for other, names in others:
        if names != classes:
            raise ValueError(f"{path} must have the classes of {other}, got {len(classes)} and {len(names)} others")
    check_classes(path, classes)
    return classes


def _check_classes(path: Path, labels: Labels, classes: Sequence[str], voc: Path) -> None:
    most = int(labels.max(initial=0))
    if most > len(classes):
        raise ValueError(
            f"{path} must have indices to {len(classes)}, as there are classes, or 255 for unknown, got {most}: "
            f"{voc / CLASS_LISTS[0]} may name others, one a line"
        )


def read_ids(voc: str | Path, split: str) -> tuple[str, ...]:
    """The images of a set of VOC with segmentations.

    Args:
      voc: the folder `VOC2012`.
      split: the name of a list, such as `train`, `val` or `trainval`. Suffixes of images and repeated lines are
        left out.

    Raises:
      FileNotFoundError: there is no such list.
      ValueError: it is empty, or has flags beside the ids, as lists of one class have.
    """
    path = Path(voc) / "ImageSets" / "Segmentation" / f"{split}.txt"
    what = f"VOC's list of the images of {split}, one id a line"
    lines = read_lines(path, what)
    for line in lines:
        if line.split()[-1] in ("-1", "0", "1") and len(line.split()) > 1:
            raise ValueError(f"{path} must be {what}, got {line!r}, which has a flag")
    ids = (line[: -len(Path(line).suffix)] if Path(line).suffix.lower() in SUFFIXES else line for line in lines)
    return tuple(dict.fromkeys(ids))


def read_sbdd_ids(sbdd: str | Path, split: str) -> tuple[str, ...]:
    """The images of a set of SBDD, `train` or `val`; `sbdd` is its folder `dataset`."""
    return read_lines(Path(sbdd) / f"{split}.txt", f"SBDD's list of the images of {split}, one id a line")


def thesis_ids(
    voc_train: Iterable[str], voc_val: Iterable[str], sbdd_train: Iterable[str], sbdd_val: Iterable[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The thesis's images for training and validation (B.1), each sorted.

    Training is the union of both training sets, validation that of both validation sets. The thesis names the images of
    VOC val that are in SBDD train as left out of validation; those of SBDD val that are in VOC train are here too, or
    training images would be validated on.
    """
    train = {*voc_train, *sbdd_train}
    return tuple(sorted(train)), tuple(sorted({*voc_val, *sbdd_val} - train))


def read_sbdd_labels(path: str | Path, key: str) -> Labels:
    """`[H, W]` of a file of SBDD. It has no unknown pixels.

    Args:
      path: of the MATLAB file.
      key: `GTcls` of classes, `GTinst` of objects.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: it is no MATLAB file or has no such segmentation.
    """
    what = f"SBDD's MATLAB file with {key}.Segmentation"
    try:
        content = scipy.io.loadmat(str(require(path, what)))
    except FileNotFoundError:
        raise
    except Exception as error:  # scipy raises several kinds for what is no MATLAB file
        raise ValueError(f"{path} must be {what}: {error}") from None
    try:
        segmentation = np.asarray(content[key]["Segmentation"][0, 0])
    except (KeyError, IndexError, ValueError):
        found = ", ".join(sorted(name for name in content if not name.startswith("__")))
        raise ValueError(f"{path} must be {what}, got {found or 'nothing'}") from None
    return from_indices(segmentation.astype(np.uint8))


def load_voc(voc: str | Path, split: str) -> Dataset:
    """A set of VOC; unknown pixels are the borders of objects.

    Args:
      voc: the folder `VOC2012`.
      split: the name of a list, such as `train`, `val` or `trainval`.
    """
    return load_voc_sbdd(voc, None, read_ids(voc, split))


def load_voc_sbdd(voc: str | Path, sbdd: str | Path | None, ids: Iterable[str]) -> Dataset:
    """Images of either; where VOC has a segmentation that one is taken.

    Args:
      voc: the folder `VOC2012`.
      sbdd: SBDD's folder `dataset`; None is VOC alone.
      ids: of images, such as `thesis_ids` returns.

    Raises:
      FileNotFoundError: there is no such folder, or, when read, an image or its labels are missing.
      ValueError: when read: a file is damaged, or labels have another size than their image.
    """
    voc = require(voc, "the folder VOC2012 of PASCAL VOC")
    classes = read_classes(voc)
    sbdd = None if sbdd is None else require(sbdd, "SBDD's folder dataset")

    def photo(name: str) -> Path:
        path = find_image(voc / "JPEGImages", name)
        return path if sbdd is None or path.exists() else sbdd / "img" / f"{name}.jpg"

    ids = tuple(ids)
    of_classes = {"SegmentationClass": len(classes), "SegmentationObject": 0}
    folders = {
        part: NumberedMasks(tuple(voc / part / f"{name}.png" for name in ids), n) for part, n in of_classes.items()
    }

    def labels(name: str, folder: str, sbdd_folder: str, key: str) -> Labels:
        path, what = voc / folder / f"{name}.png", f"VOC's segmentation of {name}"
        other = None if sbdd is None else sbdd / sbdd_folder / f"{name}.mat"
        if other is None or path.exists():
            found = folders[folder].read(path, what)
        elif other.exists():
            path, found = other, read_sbdd_labels(other, key)
        else:
            raise FileNotFoundError(f"{path} must be {what}, or {other} SBDD's, and there is neither")
        check_size(path, found, photo(name))
        if folder == "SegmentationClass":
            _check_classes(path, found, classes, voc)
        return found

    return Dataset(
        classes,
        ids,
        lambda name: read_photo(photo(name), f"the photo {name} of PASCAL VOC"),
        lambda name: labels(name, "SegmentationClass", "cls", "GTcls"),
        lambda name: labels(name, "SegmentationObject", "inst", "GTinst"),
    )


def load_voc_aug(voc: str | Path, folder: str | Path, ids: Iterable[str]) -> Dataset:
    """VOC's photos with the classes of both as PNG, as the folder `SegmentationClassAug` that many use has them.

    Args:
      voc: the folder `VOC2012`.
      folder: of `ID.png`.
      ids: of images.
    """
    voc, folder = require(voc, "the folder VOC2012 of PASCAL VOC"), require(folder, "the folder SegmentationClassAug")

    photos = load_voc_sbdd(voc, None, ids)
    masks = NumberedMasks(tuple(folder / f"{name}.png" for name in photos.ids), len(photos.classes))

    def labels(name: str) -> Labels:
        path = folder / f"{name}.png"
        found = masks.read(path, f"the classes of {name}")
        check_size(path, found, find_image(voc / "JPEGImages", name))
        _check_classes(path, found, photos.classes, voc)
        return found

    return Dataset(photos.classes, photos.ids, photos.image, labels)


def balance_ids(ids: Mapping[int, Iterable[str]], rng: np.random.Generator) -> dict[int, tuple[str, ...]]:
    """Sub-samples folds with more images, so that each has the same number (B.1); the order of ids stays.

    Args:
      ids: of the images of each fold.
      rng: is advanced.
    """
    lists = {fold: tuple(names) for fold, names in ids.items()}
    smallest = min(map(len, lists.values()), default=0)
    return {
        fold: tuple(names[i] for i in sorted(rng.choice(len(names), smallest, replace=False)))
        for fold, names in lists.items()
    }
