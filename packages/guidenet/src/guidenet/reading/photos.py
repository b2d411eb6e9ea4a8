"""Pictures to look at, from files, from Pillow and from arrays.

In the shape descriptions `H, W` denote pixels.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from guidenet.reading.colour import Pixels, over_white, to_rgb
from guidenet.reading.decoding import MAX_PIXELS, decode, inspect
from guidenet.reading.errors import UnreadableError
from guidenet.reading.intensity import Intensity, check_intensity


def read_image(
    path: str | Path, *, page: int | None = None, intensity: Intensity = "auto", max_pixels: int = MAX_PIXELS
) -> Pixels:
    """`[H, W, 3]` RGB of an image file, as it is seen on white: turned as its EXIF data say, colours in sRGB.

    Transparent pixels show white. Colours of a profile, CMYK and Lab are converted. Of a colour channel of 16 bits the
    upper 8 count. Grey of 8 bits stays as it is; of more:

    - `auto`: whole numbers go from 0 to the largest of 8, 10, 12, 14, 16, 24 or 32 bits, the fewest that hold them all,
      so images of one camera mostly agree; fractions from 0 to 1. Negative numbers and other fractions are refused.
      A PGM or JPEG 2000 says which number is white; where it is not 65535, which many write whatever they hold, it is.
    - `full`: all that the type can hold, so 0 to 65535 for 16 bits; 0 to 1 for fractions.
    - `stretch`: black is the least value of the image, and white the largest.
    - two numbers: the values that are black and white.

    Args:
      path: of the file.
      page: which one of several pages or frames, from 1. Previews, layers and depth maps do not count.
      intensity: how grey of more than 8 bits is read.
      max_pixels: the most that are taken.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: it is no image that Pillow can read, is cut off or too large, or can be read in several ways and no
        option decides; the message names the file and the option.
    """
    intensity = check_intensity(intensity)
    return to_rgb(decode(path, str(path), page=page, max_pixels=max_pixels), intensity)


def as_image(image: npt.ArrayLike | Image.Image) -> Pixels:
    """`[H, W, 3]` of a uint8 array, grey `[H, W]` or `[H, W, 1]`, RGB `[H, W, 3]` or RGBA `[H, W, 4]`; or of Pillow's.

    Transparent pixels show white. An image of Pillow, whatever its mode, becomes what `read_image` makes of its file.

    Raises:
      ValueError: it has another shape or kind of number, or no pixels.
    """
    if isinstance(image, Image.Image):
        return _from_pillow(image)
    if isinstance(image, str | bytes | Path):
        raise ValueError(f"image must be pixels, got {image!r}: guidenet.read_image reads files")
    try:
        array = np.asarray(image)
    except ValueError:
        raise ValueError("image must be uint8 pixels, got rows of different lengths") from None
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        shapes = "[H, W], [H, W, 3] or [H, W, 4]"
        raise ValueError(f"image must be uint8, {shapes}, got {array.dtype} {list(array.shape)}{_hint(array)}")
    if not array.size:
        raise ValueError(f"image must have pixels, got the shape {list(array.shape)}")
    if array.ndim == 2 or array.shape[2] == 1:
        return np.repeat(array.reshape(*array.shape[:2], 1), 3, axis=2)
    return over_white(array)


def _from_pillow(image: Image.Image) -> Pixels:
    if not image.width or not image.height:
        raise ValueError(f"image must have pixels, got {image.width} x {image.height}")
    try:
        decoded = inspect(image, "image")
    except Exception as error:  # as decoders raise many kinds
        raise UnreadableError("image", "image", str(error)) from None
    return to_rgb(decoded)


def _hint(array: npt.NDArray[np.generic]) -> str:
    if array.ndim == 3 and array.shape[0] in (1, 3, 4) and array.shape[2] not in (1, 3, 4):
        return ", which has its channels first"
    if array.ndim == 4:
        return ", which looks like several images"
    if array.dtype.kind in "fiu" and array.dtype != np.uint8:
        return ", and which values are black and white is not said"
    return ""
