"""Images as numpy arrays, fitted into the few sizes that are compiled.

In the shape descriptions `H, W` denote pixels.
"""

import dataclasses

import numpy as np
import numpy.typing as npt
from PIL import Image

from guidenet.reading import Pixels, as_image, read_image, read_labels

__all__ = ["BUCKET", "FittedImage", "Pixels", "as_image", "fit", "inner_pixels", "read_image", "read_labels"]

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
