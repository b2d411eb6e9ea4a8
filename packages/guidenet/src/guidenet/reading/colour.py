"""Colours of any kind of image as sRGB, as they are seen on white.

In the shape descriptions `H, W` denote pixels.
"""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageCms

from guidenet.reading.decoding import Decoded
from guidenet.reading.errors import AmbiguousError, ReadError
from guidenet.reading.intensity import Intensity, to_grey

Pixels = npt.NDArray[np.uint8]

WHITE = 255

_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK", "LAB": "Lab"}
"""The colour space that the profile of an image of a mode must have."""

_DIM = 64
"""Upper bytes below this: the numbers have 14 bits or fewer."""


def to_rgb(decoded: Decoded, intensity: Intensity = "auto") -> Pixels:
    """`[H, W, 3]` of any image, see `guidenet.read_image`.

    Raises:
      ReadError: the image has colours of no known kind, or its numbers can be read in several ways.
    """
    image = decoded.image
    if image.mode in ("I", "F") or image.mode.startswith("I;16") or (image.mode == "L" and decoded.signed):
        grey = to_grey(decoded, intensity)
        key = image.info.get("transparency")
        if isinstance(key, int) and image.mode.startswith("I;16"):
            grey = np.where(np.asarray(image) == key, np.uint8(WHITE), grey)
        return np.repeat(grey[..., None], 3, axis=2)
    pixels = over_white(np.asarray(_as_srgb(decoded)))
    if decoded.upper_byte and intensity != "full":
        _check_upper_byte(decoded, intensity)
    return pixels


def over_white(pixels: Pixels) -> Pixels:
    """`[H, W, 3]` of RGB, or of RGBA `[H, W, 4]` as it is seen on white."""
    if pixels.shape[2] == 3:
        return np.ascontiguousarray(pixels)
    alpha = pixels[..., 3:]
    if (alpha == 255).all():
        return np.ascontiguousarray(pixels[..., :3])
    weight = alpha.astype(np.uint16)
    return ((pixels[..., :3] * weight + WHITE * (255 - weight) + 127) // 255).astype(np.uint8)


def seen(decoded: Decoded) -> Image.Image:
    """The image as RGB or RGBA, its profile aside: for colours that mean labels.

    Raises:
      ReadError: the image has colours of no known kind.
    """
    image = decoded.image
    try:
        if image.mode == "LAB":
            return _convert(image, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")))
        if decoded.plain_cmyk:
            image = ImageChops.invert(image)
        image = image.convert("LA") if image.mode == "La" else image
        transparent = image.has_transparency_data
        return image.convert("RGBA" if transparent else "RGB")
    except (ValueError, OSError, KeyError, TypeError) as error:
        raise ReadError(decoded.name, f"has colours of the mode {image.mode}, which is not read: {error}") from None


def _as_srgb(decoded: Decoded) -> Image.Image:
    profile = decoded.image.info.get("icc_profile")
    plain = seen(decoded)
    if not profile:
        return plain
    source = decoded.image
    if decoded.plain_cmyk:
        source = ImageChops.invert(source)
    if source.mode not in _SPACES:  # a palette, or with transparency: the profile is of the colours
        grey = source.mode in ("1", "LA", "La")
        source = plain.convert("L" if grey else "RGB")
    try:
        found = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if found.profile.xcolor_space.strip() != _SPACES[source.mode]:
            return plain
        if "srgb" in ImageCms.getProfileDescription(found).lower():
            return plain  # exactly as they are, and not to within rounding
        converted = _convert(source, found)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return plain  # a profile that is damaged says nothing, as everywhere
    if plain.mode == "RGBA":
        converted.putalpha(plain.getchannel("A"))
    return converted


def _convert(image: Image.Image, source: ImageCms.ImageCmsProfile) -> Image.Image:
    target = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
    assert converted is not None  # as it is not in place
    return converted


def _check_upper_byte(decoded: Decoded, intensity: Intensity) -> None:
    """Pillow gives the upper 8 bits: of dim numbers next to nothing is left, unless the file says which are light."""
    if intensity != "auto":
        problem = "has colours of more than 8 bits, which are read at full range only"
        raise ReadError(decoded.name, problem, f"intensity (--intensity) must be auto or full, got {intensity}")
    if decoded.largest:
        return
    bands = [band for band in decoded.image.getbands() if band != "A"]
    if max(int(np.asarray(decoded.image.getchannel(band)).max(initial=0)) for band in bands) < _DIM:
        problem = "has colours of 16 bits that use the lower 14 at most, of which little would be left"
        raise AmbiguousError(decoded.name, problem, "intensity=full (--intensity full) reads it, dark", ("full",))
