"""FSS-1000: a thousand classes of ten photos, one object each (Li et al. 2020), in its on-disk format.

Below the root is a folder for each class with `1.jpg` .. `10.jpg` and masks `1.png` .. `10.png`. It is
under its authors' terms, and neither in this package nor fetched by it.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from guidenet.data.dataset import Dataset
from guidenet.data.files import Labels, check_size, read_lines, read_photo, require
from guidenet.images import Pixels

NUM_PHOTOS = 10


def read_classes(path: str | Path) -> tuple[str, ...]:
    """The classes of a set (520 for training, 240 for validation, 240 for test), one a line."""
    return read_lines(path, "a list of classes of FSS-1000, one a line")


def read_mask(path: str | Path) -> Labels:
    """`[H, W]`, 1 where the file is light (128 of 255 and up), 0 elsewhere.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: it is damaged.
    """
    try:
        with Image.open(require(path, "a mask of FSS-1000")) as file:
            return (np.asarray(file.convert("L")) >= 128).astype(np.int16)
    except FileNotFoundError:
        raise
    except (OSError, UnidentifiedImageError, SyntaxError) as error:
        raise ValueError(f"{path} must be a mask of FSS-1000: {error}") from None


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

    def image(name: str) -> Pixels:
        return read_photo(root / f"{name}.jpg", f"a photo of FSS-1000, 1.jpg to {NUM_PHOTOS}.jpg in its class")

    def labels(name: str) -> Labels:
        path = root / f"{name}.png"
        mask = read_mask(path)
        check_size(path, mask, root / f"{name}.jpg")
        return mask * np.int16(position[name.rpartition("/")[0]])

    ids = tuple(f"{name}/{number}" for name in classes for number in range(1, NUM_PHOTOS + 1))
    return Dataset(classes, ids, image, labels)
