"""FSS-1000: a thousand classes of ten photos, one object each (Li et al. 2020), in its on-disk format.

Below the root is a folder for each class with `1.jpg` .. `10.jpg` and masks `1.png` .. `10.png`. It is
under its authors' terms, and neither in this package nor fetched by it.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from guidenet.data import files
from guidenet.data.dataset import Dataset
from guidenet.data.files import Labels, check_size, find_image, read_lines, read_photo, require, to_labels
from guidenet.reading import AmbiguousError, Decoded, Pixels

NUM_PHOTOS = 10

_PHOTO = (".jpg", ".jpeg")

_MOST_GREY, _MOST_GREYS = 0.25, 8
"""Share of a mask that may be neither dark nor light, as its edges are, and how many greys it may be if it is more."""

_LISTS = {
    "train": ("train.txt", "trn.txt", "fss_train_set.txt"),
    "validation": ("val.txt", "validation.txt", "fss_val_set.txt"),
    "test": ("test.txt", "fss_test_set.txt"),
}
"""Names that lists of classes have."""


def read_classes(path: str | Path) -> tuple[str, ...]:
    """The classes of a set (520 for training, 240 for validation, 240 for test), one a line."""
    return read_lines(path, "a list of classes of FSS-1000, one a line")


def divide_classes(root: str | Path) -> dict[str, tuple[str, ...]]:
    """The classes of each role: those of its list in the folder (`train.txt`, `val.txt`, `test.txt`).

    Without lists it is two of four classes for training, one for validation and one for test, in alphabetical order.

    Raises:
      FileNotFoundError: there is no such folder.
      ValueError: there are lists for some roles only, a class is in two, or there are fewer than four classes.
    """
    root = require(root, "the folder of FSS-1000")
    lists = {role: [root / name for name in names if (root / name).is_file()] for role, names in _LISTS.items()}
    if not any(lists.values()):
        names = sorted(path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
        if len(names) < 4:
            raise ValueError(f"{root} must have a folder for each of at least 4 classes, got {len(names)}")
        roles = ("train", "train", "validation", "test")
        return {role: tuple(name for i, name in enumerate(names) if roles[i % 4] == role) for role in _LISTS}
    missing = [f"{_LISTS[role][0]} for {role}" for role, found in lists.items() if not found]
    if missing:
        raise ValueError(f"{root} must have lists of classes for all roles or none, and lacks {', '.join(missing)}")
    classes = {role: read_classes(found[0]) for role, found in lists.items()}
    home: dict[str, str] = {}
    for role, names in classes.items():
        for name in names:
            if home.setdefault(name, role) != role:
                raise ValueError(f"{root} must have each class in one list, got {name!r} for {home[name]} and {role}")
    return classes


def read_mask(path: str | Path) -> Labels:
    """`[H, W]`: 1 object, 0 elsewhere. What is not plainly black and white is light from 128 of 255 on.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: it is damaged, has the numbers of several objects, or is a photo: much of it neither dark nor light.
    """
    what = "a mask of FSS-1000"
    mask = files.open_mask(path, what)
    try:
        ids = files.label_mask(mask, what).ids
    except AmbiguousError as error:
        if "colours" not in error.readings:
            _refuse_photo(mask, what)
            return to_labels(files.label_mask(mask, what, "binary").ids, path)
        ids = files.label_mask(mask, what, "instances").ids
    objects = np.unique(ids[ids > 0])
    if len(objects) > 1:
        raise ValueError(f"{path} must be {what}, which has one object, got {len(objects)}")
    return to_labels(np.minimum(ids, 1), path)


def _refuse_photo(mask: Decoded, what: str) -> None:
    grey = np.asarray(mask.image.convert("L"))
    between = grey[(grey >= 64) & (grey < 192)]
    share = between.size / grey.size
    if share > _MOST_GREY and len(np.unique(between)) > _MOST_GREYS:
        raise ValueError(f"{mask.name} must be {what}, black and white, and {share:.0%} of it is neither")


def load_fss(root: str | Path, classes: Iterable[str]) -> Dataset:
    """Photos of some classes; ids are `CLASS/NUMBER`.

    Args:
      root: the folder with a folder for each class.
      classes: their names, such as `read_classes` returns.

    Raises:
      FileNotFoundError: there is no folder for a class, or, when read, a photo or mask is missing.
      ValueError: when read: a file is damaged, or a mask has another size than its photo.
    """
    root, classes = require(root, "the folder of FSS-1000"), tuple(classes)
    for name in classes:
        require(root / name, f"the folder of the class {name} of FSS-1000")
    position = {name: i + 1 for i, name in enumerate(classes)}

    def find(name: str, *suffixes: str) -> Path:
        cls, _, number = name.rpartition("/")
        return find_image(root / cls, number, suffixes)

    def image(name: str) -> Pixels:
        return read_photo(find(name, *_PHOTO), f"a photo of FSS-1000, 1.jpg to {NUM_PHOTOS}.jpg in its class")

    def labels(name: str) -> Labels:
        path = find(name, ".png")
        mask = read_mask(path)
        check_size(path, mask, find(name, *_PHOTO))
        return mask * np.int16(position[name.rpartition("/")[0]])

    ids = tuple(f"{name}/{number}" for name in classes for number in range(1, NUM_PHOTOS + 1))
    return Dataset(classes, ids, image, labels)
