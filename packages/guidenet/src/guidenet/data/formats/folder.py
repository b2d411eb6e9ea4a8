"""Images and masks of one's own: `images/NAME.jpg` and `masks/NAME.png`, of the same names.

Both may have subfolders, the same ones: `train`, `val` and `test`; and, unless there is a `classes.txt`, one for each
class. `classes.txt` names the values 1, 2, .. of masks, one a line. Without it, masks are of objects of one class, or
of the class of their subfolder: black and white, or an object for each value.

In the shape descriptions `H, W` denote pixels.
"""

import contextlib
import dataclasses
import functools
import unicodedata
from collections.abc import Mapping
from pathlib import Path, PurePath

import numpy as np
from scipy import ndimage

from guidenet.data.dataset import Dataset
from guidenet.data.files import (
    BACKGROUND,
    UNKNOWN,
    Labels,
    check_classes,
    check_size,
    label_mask,
    open_mask,
    read_lines,
    read_photo,
    require,
    to_labels,
)
from guidenet.data.one_reading import NumberedMasks, read_both
from guidenet.reading import AmbiguousError, Decoded, Found, Ids, list_images

CLASS = "object"
"""The class of objects that have no name."""

SPLITS = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}
"""Names of subfolders for a role."""

_LAYOUT = "images/NAME.jpg and masks/NAME.png of the same names"
_LARGEST = np.iinfo(np.int16).max
_TOUCHING = np.ones((3, 3))
"""What counts as touching: corners too."""


@dataclasses.dataclass(frozen=True)
class Pair:
    """An image and its mask.

    image, mask: paths.
    folder: subfolders that they are in, below the one of a role.
    """

    image: Path
    mask: Path
    folder: tuple[str, ...]


def read_classes(root: str | Path) -> tuple[str, ...]:
    """The names of `classes.txt` without that of the background; empty if there is no such file.

    Raises:
      ValueError: it is empty, or a name is there twice.
    """
    path = Path(root) / "classes.txt"
    if not path.exists():
        return ()
    lines = read_lines(path, "the names of the values 1, 2, .. of masks, one a line")
    names = lines[1:] if lines[0].lower() in BACKGROUND else lines
    check_classes(path, names)
    return names


def find_pairs(root: str | Path) -> dict[str, dict[str, Pair]]:
    """Images and masks by role and name; all of role `all` where there are no subfolders for roles.

    Raises:
      FileNotFoundError: there is no folder `images` or `masks`.
      ValueError: they have no images, an image has no mask or a mask no image, two have one name, or some images are in
        subfolders for roles and some are not.
    """
    root = Path(root)
    images, masks = (_by_name(require(root / part, f"a folder of {_LAYOUT}")) for part in ("images", "masks"))
    for one, other, lacking, what in ((images, masks, "masks", "a mask"), (masks, images, "images", "an image")):
        alone = [name for name in one if name not in other]
        if alone:
            place = root / lacking / PurePath(alone[0]).parent
            raise ValueError(
                f"{place} must have {what} {PurePath(alone[0]).name} for {one[alone[0]]}, and there is none "
                f"({len(alone)} of {len(one)} lack theirs)"
            )
    home = {name: role for role, names in SPLITS.items() for name in names}
    tops = {PurePath(name).parts[0] if len(PurePath(name).parts) > 1 else "" for name in images}
    roles = {top for top in tops if top.lower() in home}
    has_roles = bool(tops) and tops == roles
    if len(roles) > 1 and not has_roles:
        others = ", ".join(sorted(top or "no subfolder" for top in tops - roles))
        raise ValueError(
            f"{root / 'images'} must have all images in subfolders for roles ({', '.join(sorted(roles))}) or none, got "
            f"images in {others} too"
        )
    found: dict[str, dict[str, Pair]] = {}
    for name, image in images.items():
        parts = PurePath(name).parts[:-1]
        role = home[parts[0].lower()] if has_roles else "all"
        found.setdefault(role, {})[name] = Pair(image, masks[name], parts[1:] if has_roles else parts)
    return found


def load_folder(root: str | Path, pairs: Mapping[str, Pair]) -> Dataset:
    """Images and masks as a data set; objects are the values of a mask, or else what is connected in it.

    Args:
      root: the folder with `images`, `masks` and perhaps `classes.txt`.
      pairs: some of `find_pairs`.

    Raises:
      ValueError: some images are in a subfolder for a class and some are not; or, when read, a file is damaged, a mask
        has another size than its image, a value without a class, or values that may mean several things.
    """
    names = read_classes(root)
    by_folder = not names and any(pair.folder for pair in pairs.values())
    if by_folder and not all(pair.folder for pair in pairs.values()):
        raise ValueError(f"{Path(root) / 'images'} must have all images in a subfolder for each class, or none")
    folders = sorted({pair.folder[0] for pair in pairs.values()}) if by_folder else []
    classes = names or tuple(folders) or (CLASS,)
    masks = _Masks(NumberedMasks(tuple(pair.mask for pair in pairs.values()), len(names), indexed=False), len(names))

    def read(name: str) -> tuple[Labels, Labels]:
        pair = pairs[name]
        found = masks.read(pair.mask)
        labels = to_labels(_compact(found.ids) if found.reading == "instances" else found.ids, pair.mask)
        check_size(pair.mask, labels, pair.image)
        if found.reading == "instances":
            objects, labels = labels, np.minimum(labels, np.int16(1))
        else:
            objects = _connected(labels, pair.mask)
        if by_folder:
            labels = np.where(labels > 0, np.int16(folders.index(pair.folder[0]) + 1), labels)
        return labels, objects

    return Dataset(
        classes,
        tuple(pairs),
        lambda name: read_photo(pairs[name].image),
        lambda name: read(name)[0],
        lambda name: read(name)[1],
    )


def _by_name(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in list_images(folder, below=True):
        # Names that macOS wrote have their accents apart.
        name = unicodedata.normalize("NFC", path.relative_to(folder).with_suffix("").as_posix())
        other = found.setdefault(name, path)
        if other != path:
            raise ValueError(f"{folder} must have one file of each name, got {other} and {path}")
    return found


@dataclasses.dataclass(frozen=True, eq=False)
class _Masks:
    """Masks that are read one at a time, and all in one way.

    numbered: all of them.
    num_classes: that have names.
    """

    numbered: NumberedMasks
    num_classes: int

    def read(self, path: Path) -> Found:
        """Labels of classes where these have names, and of objects otherwise."""
        if self.num_classes > 1:
            found = Found(self.numbered.read(path, "a mask with several classes").astype(np.int64), "classes")
            self._check_largest(path, found)
            return found
        mask = open_mask(path, "a mask")
        found = self._read_alone(mask)
        self._check_largest(path, found)
        if found.reading == "binary":
            self._check_black_and_white(mask, found)
        return found

    def _check_largest(self, path: Path, found: Found) -> None:
        """Raises `ValueError` for a class without a name."""
        most = int(found.ids.max(initial=0))
        if found.reading != "instances" and most > max(1, self.num_classes):
            named = f"classes.txt names {self.num_classes}" if self.num_classes else "no classes.txt names any"
            raise ValueError(f"{path} has the class {most}, and {named}")

    def _read_alone(self, mask: Decoded) -> Found:
        """A mask in the way that it can be read by itself."""
        try:
            return label_mask(mask, "a mask")
        except AmbiguousError as error:
            if "classes" not in error.readings:
                raise
            return label_mask(mask, "a mask", "classes" if self.num_classes else "instances")

    def _check_black_and_white(self, mask: Decoded, found: Found) -> None:
        """Raises `ValueError` if other masks of the folder say that this one means something else."""
        ways = read_both(mask, "a mask")
        if ways.plain:
            return
        if ways.differ:
            if ways.is_white_unknown and (other := self.numbered.with_unknown):
                raise ValueError(
                    f"{mask.name} is black and white, and in {other} 255 is unknown: masks of a folder must all be "
                    "black and white, or all have numbers, and a palette of colours where some pixels are unknown"
                )
        elif not self.num_classes and ndimage.label(found.ids > 0, _TOUCHING)[1] > 1 and (other := self._with_objects):
            raise ValueError(
                f"{mask.name} has 0 and 1, and {other} a number for each object: 1 may be one object, or as many as do "
                "not touch; masks of a folder must all have numbers of objects, from 2 on where one is in pieces, or "
                "all be black and white"
            )

    @functools.cached_property
    def _with_objects(self) -> Path | None:
        """The first mask with numbers of objects."""
        for path in self.numbered.paths:
            with contextlib.suppress(OSError, ValueError):
                if self._read_alone(open_mask(path, "a mask")).reading == "instances":
                    return path
        return None


def _compact(ids: Ids) -> Ids:
    """The same with objects numbered without gaps."""
    levels, index = np.unique(ids, return_inverse=True)
    numbers = np.where(levels > 0, np.cumsum(levels > 0), levels)
    return numbers[index.reshape(ids.shape)]


def _connected(labels: Labels, path: Path) -> Labels:
    """Objects: pixels of one class that touch, corners too."""
    objects = np.where(labels == UNKNOWN, labels, np.int16(0))
    total = 0
    for label in np.unique(labels[labels > 0]):
        parts, count = ndimage.label(labels == label, _TOUCHING)
        if total + count > _LARGEST:
            raise ValueError(f"{path} must have at most {_LARGEST} objects, what touches being one, got more")
        objects = np.where(parts > 0, (parts + total).astype(np.int16), objects)
        total += count
    return objects
