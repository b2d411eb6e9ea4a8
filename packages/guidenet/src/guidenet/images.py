"""Images as numpy arrays, and fitted into the few sizes that are compiled.

In the shape descriptions `H, W` denote pixels.
"""

import dataclasses
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

Pixels = npt.NDArray[np.uint8]

BUCKET = 128
"""Sides are filled up to multiples of this, px: every new size of an image costs a compilation."""


@dataclasses.dataclass(frozen=True)
class FittedImage:
    """An image as the encoder sees it.

    pixels: `[H', W', 3]`, shrunk if it was large, and filled up on the right and at the bottom.
    inner: height and width in px of the part that is image.
    size: height and width in px before.
    """

    pixels: Pixels
    inner: tuple[int, int]
    size: tuple[int, int]


def as_image(image: npt.ArrayLike) -> Pixels:
    """`[H, W, 3]` of a grey `[H, W]`, RGB `[H, W, 3]` or RGBA `[H, W, 4]` uint8 image; transparency is dropped.

    Raises:
      ValueError: it has another shape or kind of number, or no pixels.
    """
    array = np.asarray(image)
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        raise ValueError(f"image must be uint8, [H, W], [H, W, 3] or [H, W, 4], got {array.dtype} {list(array.shape)}")
    if not array.size:
        raise ValueError(f"image must have pixels, got the shape {list(array.shape)}")
    return np.repeat(array[..., None], 3, axis=2) if array.ndim == 2 else np.ascontiguousarray(array[..., :3])


def read_image(path: str | Path) -> Pixels:
    """`[H, W, 3]` RGB of an image file, turned as its EXIF data say.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: it is no image that Pillow can read, or is cut off; the message names it.
    """
    try:
        with Image.open(path) as file:
            return np.asarray(ImageOps.exif_transpose(file).convert("RGB"))
    except FileNotFoundError:
        raise
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path} must be a readable image: {error}") from None


def read_labels(path: str | Path) -> npt.NDArray[np.int64]:
    """`[H, W]` labels of a mask file: 0 background, 1.. classes, -1 unknown.

    Of a palette image the index is the label, and 255 is unknown, as in PASCAL VOC and DAVIS. Of any other, light
    pixels (128 and up) are class 1; of one with transparency, opaque ones.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: it is no image that Pillow can read, or is cut off; the message names it.
    """
    try:
        with Image.open(path) as file:
            if file.mode == "P":
                labels = np.asarray(file).astype(np.int64)
                return np.where(labels == 255, -1, labels)
            grey = np.asarray(file.convert("L"))
            if file.mode in ("RGBA", "LA"):
                alpha = np.asarray(file.getchannel("A"))
                grey = alpha if alpha.min() < 255 else grey
            return (grey >= 128).astype(np.int64)
    except FileNotFoundError:
        raise
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path} must be a readable mask: {error}") from None


def fit(image: Pixels, max_side: int, fill: tuple[float, float, float]) -> FittedImage:
    """Shrinks an image so that no side is longer than `max_side` px, and fills it up to a multiple of `BUCKET`.

    Args:
      image: `[H, W, 3]`.
      max_side: px.
      fill: RGB of what is added.
    """
    height, width = image.shape[:2]
    scale = min(1.0, max_side / max(height, width))
    inner = max(1, round(height * scale)), max(1, round(width * scale))
    if inner != (height, width):
        resized = Image.fromarray(image).resize((inner[1], inner[0]), Image.Resampling.BILINEAR)
        image = np.asarray(resized)
    outer = (-(-inner[0] // BUCKET) * BUCKET, -(-inner[1] // BUCKET) * BUCKET)
    pixels = np.empty((*outer, 3), np.uint8)
    pixels[: inner[0], : inner[1]] = image
    colour = np.round(np.array(fill)).astype(np.uint8)
    pixels[: inner[0], inner[1] :] = colour
    pixels[inner[0] :] = colour
    return FittedImage(pixels, inner, (height, width))


def inner_pixels(
    rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64], image: FittedImage
) -> npt.NDArray[np.int64]:
    """Flat positions in the inner part of a fitted image of pixels of the image before, both `[P]`."""
    (height, width), (inner_height, inner_width) = image.size, image.inner
    return (rows * inner_height // height) * inner_width + columns * inner_width // width
