"""Image files as they arrive: decoded within the limits, and shrunk for the page and for the segmenter."""

import dataclasses
import io
from typing import Any

import numpy as np
from PIL import Image

from guidenet.reading import (
    Intensity,
    Pixels,
    ReadError,
    TooManyPixelsError,
    UnreadableError,
    decode,
    num_pages,
    to_rgb,
)
from guidenet.serve.limits import Limits, TooLargeError, check_file_size

FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "JPEG2000", "BMP", "TIFF", "GIF", "PPM")
"""What is decoded, by Pillow's names; its rarer formats stay out of reach."""

SHOWN_SIDE = 1600
"""Longest side in px of what the page shows."""


@dataclasses.dataclass(frozen=True)
class Picture:
    """One image: what the segmenter sees of it, and what the page shows. The file itself is not kept.

    name: of the file.
    size: height and width in px of the file.
    pixels: `[H, W, 3]`, shrunk to the longest side that the segmenter looks at.
    shown: a JPEG of at most `SHOWN_SIDE` px.
    """

    name: str
    size: tuple[int, int]
    pixels: Pixels
    shown: bytes

    @property
    def seen_size(self) -> tuple[int, int]:
        """Height and width in px as the segmenter sees it; marks are in these."""
        height, width = self.pixels.shape[:2]
        return height, width

    def describe(self) -> dict[str, Any]:
        """Name and sizes, ready for JSON."""
        (height, width), (file_height, file_width) = self.seen_size, self.size
        sizes = {"height": height, "width": width, "file_height": file_height, "file_width": file_width}
        return {"name": self.name, **sizes}


def read_picture(
    name: str, data: bytes, max_side: int, limits: Limits, page: int | None = None, intensity: Intensity = "auto"
) -> Picture:
    """Decodes an image file as `guidenet.read_image` does.

    Args:
      name: of the file, for messages.
      data: its bytes.
      max_side: longest side in px that the segmenter looks at.
      limits: what is taken.
      page: of files that have several, from 1.
      intensity: how grey of more than 8 bits is read.

    Raises:
      TooLargeError: it has too many bytes or pixels.
      ValueError: it is no image of `FORMATS`, is cut off, or can be read in several ways; the message has the name.
    """
    check_file_size(name, len(data), limits.image_bytes)
    try:
        page = page if num_pages(io.BytesIO(data), FORMATS) > 1 else None
        decoded = decode(io.BytesIO(data), name, page=page, max_pixels=limits.image_pixels, formats=FORMATS)
        image = Image.fromarray(to_rgb(decoded, intensity))
    except TooManyPixelsError as error:
        raise TooLargeError(f"{name} {error.problem}, the most that are taken of one image") from None
    except UnreadableError as error:
        known = f" ({', '.join(FORMATS)})" if error.reason.endswith("known format") else ""
        raise ValueError(f"{name} could not be read: {error.reason}{known}") from None
    except ReadError as error:
        remedy = f": {error.remedy}; or" if error.remedy else ";"
        raise ValueError(f"{name} {error.problem}{remedy} save what is to be seen as a PNG of 8 bits") from None
    shown = io.BytesIO()
    _shrink(image, SHOWN_SIDE).save(shown, format="JPEG", quality=90)
    pixels = np.asarray(_shrink(image, max_side))
    return Picture(name, (image.height, image.width), pixels, shown.getvalue())


def _shrink(image: Image.Image, max_side: int) -> Image.Image:
    scale = min(1.0, max_side / max(image.size))
    width, height = (max(1, round(side * scale)) for side in image.size)
    return image if scale == 1 else image.resize((width, height), Image.Resampling.BILINEAR)
