"""Reading data sets from disk, with errors that give the path and what was expected there.

In the shape descriptions `H, W` denote pixels.
"""

import contextlib
import re
from collections.abc import Generator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from guidenet.reading import (
    SUFFIXES,
    AmbiguousError,
    Decoded,
    Found,
    Ids,
    Pixels,
    UnreadableError,
    decode,
    find_labels,
    read_image,
    upright_size,
    voc_palette,
)

Labels = npt.NDArray[np.int16]
"""`[H, W]`: 0 background, 1.. classes or objects, -1 unknown: neither annotated nor scored."""

UNKNOWN = -1
"""The label of pixels that are unknown, 255 in files."""

_LARGEST = np.iinfo(np.int16).max

_INDEXED = ("P", "L", "1", "I", "I;16", "I;16B", "I;16L")
"""Modes of images that have one whole number for a pixel."""

VOID = 255
"""How `UNKNOWN` is written in the files of PASCAL VOC and DAVIS."""


BACKGROUND = ("background", "_background_", "__background__")
"""Names of what has the label 0, at the head of lists of classes."""

_PHOTOS = "a photo of a data set must be one picture of 8 bits"
_MASKS = (
    "a mask of a data set must be one picture, black and white or with the numbers of its labels, not their colours"
)


@contextlib.contextmanager
def _without_options(remedy: str) -> Generator[None]:
    """What can be read in several ways has another remedy here: data sets have none of the options for that."""
    try:
        yield
    except AmbiguousError as error:
        raise AmbiguousError(error.name, error.problem, remedy, error.readings) from None


def require(path: str | Path, what: str) -> Path:
    """The path, if there is something.

    Raises:
      FileNotFoundError: there is nothing; the message gives the path and `what` was expected.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path} must be {what}, and there is no such file or folder")
    return path


def read_lines(path: str | Path, what: str) -> tuple[str, ...]:
    """The lines of a text file without empty ones, each without the spaces around it.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: it is no text, or has no line.
    """
    try:
        lines = require(path, what).read_text(encoding="utf-8-sig").split("\n")
    except (UnicodeDecodeError, IsADirectoryError) as error:
        raise ValueError(f"{path} must be {what}: {error}") from None
    found = tuple(line.strip() for line in lines if line.strip())
    if not found:
        raise ValueError(f"{path} must be {what}, and is empty")
    return found


def check_classes(path: str | Path, names: Sequence[str]) -> None:
    """Checks a list of classes.

    Args:
      path: of the list, for the message.
      names: without that of the background.

    Raises:
      ValueError: there are none, one is there twice, or they are numbered from 0, where labels begin with 1.
    """
    if not names or len(set(names)) < len(names):
        raise ValueError(f"{path} must name classes, each once, got {', '.join(names) or 'none'}")
    if len(names) > 1 and all(re.match(rf"{number}[\s:.,=]+[^\s\d]", name) for number, name in enumerate(names)):
        raise ValueError(f"{path} must name the classes 1, 2, .. in order and without numbers, got {names[0]!r}")


def read_photo(path: str | Path, what: str = "an image") -> Pixels:
    """`[H, W, 3]` RGB of an image file.

    Raises:
      FileNotFoundError: there is no such file; the message gives the path and `what` was expected.
      ValueError: it is damaged, or can be read in several ways.
    """
    with _without_options(_PHOTOS):
        return read_image(require(path, what))


def find_image(folder: str | Path, stem: str, suffixes: Sequence[str] = (".jpg", *SUFFIXES)) -> Path:
    """The image of that name, with the first suffix that there is, in lower or upper case.

    If there is none it is the path with the first suffix, so that errors name it.
    """
    paths = (Path(folder) / f"{stem}{form}" for suffix in suffixes for form in (suffix, suffix.upper()))
    return next((path for path in paths if path.exists()), Path(folder) / f"{stem}{suffixes[0]}")


def read_indices(path: str | Path, what: str) -> Labels:
    """Labels of an image whose pixel values are indices, of a palette or grey; 255 becomes `UNKNOWN`.

    Raises:
      FileNotFoundError: there is no such file; the message gives the path and `what` was expected.
      ValueError: it is damaged, or has colours instead of indices.
    """
    return to_labels(read_mask(path, what, "classes", indexed=True).ids, path)


def read_mask(path: str | Path, what: str, kind: str = "auto", *, indexed: bool = False) -> Found:
    """Labels of a mask file of any kind, see `guidenet.read_labels`.

    Args:
      path: of the file.
      what: is expected, for messages.
      kind: how it is read.
      indexed: one number for a pixel is all that is taken.

    Raises:
      FileNotFoundError: there is no such file; the message gives the path and `what` was expected.
      ValueError: it is damaged, or cannot be read in that way.
    """
    return label_mask(open_mask(path, what), what, kind, indexed=indexed)


def open_mask(path: str | Path, what: str) -> Decoded:
    """A mask file that is decoded and not read yet; arguments and errors as of `read_mask`."""
    with _without_options(_MASKS):
        try:
            return decode(require(path, what), str(path), what="mask")
        except UnreadableError as error:
            raise ValueError(f"{path} must be {what}: {error.reason}") from None


def label_mask(mask: Decoded, what: str, kind: str = "auto", *, indexed: bool = False) -> Found:
    """Labels of a mask that is decoded; arguments and errors as of `read_mask`."""
    mode = mask.image.mode
    if indexed and mode not in _INDEXED:
        raise ValueError(f"{mask.name} must be {what} with indices (mode P or L), got an image of mode {mode}")
    with _without_options(_MASKS):
        return find_labels(mask, kind)


def to_labels(ids: Ids, path: str | Path) -> Labels:
    """The same as small numbers.

    Raises:
      ValueError: a label does not fit.
    """
    if ids.max(initial=0) > _LARGEST:
        raise ValueError(f"{path} must have labels to {_LARGEST}, got {ids.max()}")
    return ids.astype(np.int16)


def from_indices(indices: npt.NDArray[np.uint8]) -> Labels:
    """Labels of indices as files have them: 255 becomes `UNKNOWN`."""
    return np.where(indices == VOID, np.int16(UNKNOWN), indices.astype(np.int16))


def write_indices(path: str | Path, labels: Labels) -> None:
    """Writes labels as a PNG with the palette of PASCAL VOC and DAVIS; `UNKNOWN` becomes 255.

    Raises:
      ValueError: a label is above 254.
    """
    if labels.max(initial=0) >= VOID:
        raise ValueError(f"labels must be at most {VOID - 1} to be written to {path}, got {labels.max()}")
    image = Image.fromarray(np.where(labels == UNKNOWN, VOID, labels).astype(np.uint8))
    image.putpalette(palette().tobytes())
    image.save(path, format="PNG")


def palette() -> npt.NDArray[np.uint8]:
    """`[256, 3]` RGB of PASCAL VOC, see `guidenet.reading.voc_palette`."""
    return voc_palette()


def check_size(path: str | Path, labels: Labels, photo: str | Path) -> None:
    """Checks that labels have the size of their photo, of which only the header is read.

    Args:
      path: of the labels, for the message.
      labels: `[H, W]`.
      photo: path of the image.

    Raises:
      FileNotFoundError: there is no such photo.
      ValueError: the sizes differ, or the photo is damaged.
    """
    height, width, orientation = upright_size(require(photo, f"the image that {path} labels"))
    if (height, width) != labels.shape:
        hint = "" if orientation == 1 else "; the image is turned as its EXIF data say, and so must its labels be"
        raise ValueError(
            f"{path} must have the {height} x {width} px of {photo}, got {labels.shape[0]} x {labels.shape[1]}{hint}"
        )
