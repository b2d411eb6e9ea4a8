"""Reading data sets from disk, with errors that give the path and what was expected there.

In the shape descriptions `H, W` denote pixels.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from guidenet.reading import Pixels, read_image

Labels = npt.NDArray[np.int16]
"""`[H, W]`: 0 background, 1.. classes or objects, -1 unknown: neither annotated nor scored."""

UNKNOWN = -1
"""The label of pixels that are unknown, 255 in files."""

_ORIENTATION, _TURNED = 0x0112, 5  # the EXIF tag, and its first value that swaps height and width

VOID = 255
"""How `UNKNOWN` is written in the files of PASCAL VOC and DAVIS."""


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
        lines = require(path, what).read_text(encoding="utf-8").split("\n")
    except (UnicodeDecodeError, IsADirectoryError) as error:
        raise ValueError(f"{path} must be {what}: {error}") from None
    found = tuple(line.strip() for line in lines if line.strip())
    if not found:
        raise ValueError(f"{path} must be {what}, and is empty")
    return found


def read_photo(path: str | Path, what: str = "an image") -> Pixels:
    """`[H, W, 3]` RGB of an image file.

    Raises:
      FileNotFoundError: there is no such file; the message gives the path and `what` was expected.
      ValueError: it is damaged.
    """
    return read_image(require(path, what))


def read_indices(path: str | Path, what: str) -> Labels:
    """Labels of a PNG whose pixel values are indices, of a palette or grey; 255 becomes `UNKNOWN`.

    Raises:
      FileNotFoundError: there is no such file; the message gives the path and `what` was expected.
      ValueError: it is damaged, or has colours instead of indices.
    """
    try:
        with Image.open(require(path, what)) as file:
            if file.mode not in ("P", "L"):
                raise ValueError(f"{path} must be {what} with indices (mode P or L), got an image of mode {file.mode}")
            return from_indices(np.asarray(file))
    except FileNotFoundError:
        raise
    except (OSError, UnidentifiedImageError, SyntaxError) as error:
        raise ValueError(f"{path} must be {what}: {error}") from None


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
    """`[256, 3]` RGB of PASCAL VOC: the bits of the index, three at a time, from the highest bit of a channel down."""
    index = np.arange(256)[:, None]
    channel = np.arange(3)
    colours = np.zeros((256, 3), np.int64)
    for place in range(3):
        colours |= (index >> (3 * place + channel) & 1) << (7 - place)
    return colours.astype(np.uint8)


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
    try:
        with Image.open(require(photo, f"the image that {path} labels")) as file:
            width, height = file.size
            if file.getexif().get(_ORIENTATION, 1) >= _TURNED:
                width, height = height, width
    except FileNotFoundError:
        raise
    except (OSError, UnidentifiedImageError, SyntaxError) as error:
        raise ValueError(f"{photo} must be a readable image: {error}") from None
    if (height, width) != labels.shape:
        raise ValueError(
            f"{path} must have the {height} x {width} px of {photo}, got {labels.shape[0]} x {labels.shape[1]}"
        )
