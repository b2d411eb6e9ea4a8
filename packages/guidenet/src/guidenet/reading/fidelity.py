"""What formats keep of the numbers that were written: whether they change them, and which number is white."""

from typing import Any, BinaryIO

import numpy as np
from PIL import Image

_EXACT = frozenset({
    "BMP", "CUR", "DCX", "DIB", "FITS", "GIF", "ICO", "IM", "MSP", "PCX", "PNG", "PPM", "PSD", "QOI", "SGI", "SPIDER",
    "SUN", "TGA", "TIFF", "XBM", "XPM",
})  # fmt: skip
"""Formats, as Pillow calls them, that keep all numbers."""

_LOSSY_IN_TIFF = ("jpeg", "tiff_jpeg", "webp")

_NAMES = {"AVIF": "an AVIF", "JPEG2000": "a JPEG 2000", "MPO": "a JPEG", "WEBP": "a lossy WebP"}

_GREY_BITS = {"L;2": 2, "L;4": 4}
"""Of packed grey, which Pillow spreads over 8 bits."""

_HEAD = 1 << 20
"""Bytes in which the size of a JPEG 2000 is: only profiles come before it."""


def find_loss(file: Image.Image) -> str:
    """The format of an open file, as `a JPEG`, if its numbers may be near what they were only; else nothing.

    JPEG 2000 and AVIF can keep all, and do not say so: they count as lossy. Pictures that are no files are exact.
    """
    if file.format == "TIFF":
        compression = file.info.get("compression")
        return f"a TIFF with {compression}" if compression in _LOSSY_IN_TIFF else ""
    if file.format is None or file.format in _EXACT or (file.format == "WEBP" and _is_lossless_webp(file)):
        return ""
    return _NAMES.get(file.format, f"a {file.format}")


def find_largest(file: Image.Image, rawmode: str) -> int:
    """The number that is white, where Pillow spreads the numbers of an open file over 8 or 16 bits; else 0.

    That is of grey of 2 and 4 bits, of JPEG 2000, and of PGM and PPM, which say what their largest number is.
    """
    if file.format == "JPEG2000":
        bits = _find_j2k_bits(file)
        return 0 if bits in (0, 8, 16) else (1 << bits) - 1
    if rawmode[:3] in _GREY_BITS:
        return (1 << _GREY_BITS[rawmode[:3]]) - 1
    tile: Any = getattr(file, "tile", None)
    if not tile or tile[0][0] not in ("ppm", "ppm_plain"):
        return 0
    arguments = tile[0][3]  # mode and largest number; of bitmaps the mode alone
    if not isinstance(arguments, tuple) or arguments[-1] in (255, 65535):
        return 0
    return arguments[-1]


def has_deep_colours(file: Image.Image, rawmode: str) -> bool:
    """Whether an open file that Pillow gives 8 bits a channel has more of them."""
    if ";16" in rawmode:
        return True
    if file.format == "JPEG2000":
        return _find_j2k_bits(file) > 8
    tile: Any = getattr(file, "tile", None)
    arguments = tile[0][3] if tile and tile[0][0] in ("ppm", "ppm_plain") else None
    return isinstance(arguments, tuple) and arguments[-1] > 255


def spread_evenly(image: Image.Image, largest: int) -> Image.Image:
    """A JPEG 2000 whose largest number is white; Pillow shifts its numbers up, so that 1 of 1 bit is 128 of 255."""
    top = {"L": 255, "I;16": 65535}.get(image.mode, 0)
    if largest >= top:
        return image
    shift = top.bit_length() - largest.bit_length()
    table = np.round((np.arange(top + 1) >> shift) * (top / largest))
    pixels = np.asarray(image)
    return Image.fromarray(table.astype(pixels.dtype)[pixels])


def _is_lossless_webp(file: Image.Image) -> bool:
    """Whether all frames are lossless, as their chunks say."""
    data = _read(file)
    kinds: set[bytes] = set()
    _add_chunks(data, 12, len(data), kinds)
    return b"VP8L" in kinds and b"VP8 " not in kinds


def _add_chunks(data: bytes, start: int, end: int, kinds: set[bytes]) -> None:
    while start + 8 <= end:
        kind, size = data[start : start + 4], int.from_bytes(data[start + 4 : start + 8], "little")
        kinds.add(kind)
        if kind == b"ANMF":  # a frame: 16 bytes of where it is, then chunks
            _add_chunks(data, start + 24, min(start + 8 + size, end), kinds)
        start += 8 + size + size % 2


def _find_j2k_bits(file: Image.Image) -> int:
    """Of the first channel, from the segment of the size; 0 where there is none."""
    data = _read(file, _HEAD)
    start = data.find(b"\xff\x4f\xff\x51")
    return (data[start + 42] & 0x7F) + 1 if start >= 0 and start + 42 < len(data) else 0


def _read(file: Image.Image, size: int = -1) -> bytes:
    """The bytes of an open file, whose position stays; none once it is loaded."""
    stream: BinaryIO | None = getattr(file, "fp", None)
    if stream is None or stream.closed:
        return b""
    position = stream.tell()
    stream.seek(0)
    data = stream.read(size)
    stream.seek(position)
    return data
