"""Files as Pillow decodes them: one page, turned upright, with what else must be known of their numbers."""

import contextlib
import dataclasses
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image, UnidentifiedImageError

from guidenet.reading import fidelity
from guidenet.reading.errors import AmbiguousError, ReadError, TooManyPixelsError, UnreadableError

MAX_PIXELS = 200_000_000
"""The most that are taken of one image unless another limit is given: 600 MB as RGB."""

_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes an image upright, by its orientation in EXIF; from 5 on height and width are swapped."""

_BITS, _PHOTOMETRIC, _SUBFILE, _PLANES, _SAMPLE_FORMAT = 258, 262, 254, 284, 339
"""Tags of TIFF."""


@dataclasses.dataclass(frozen=True)
class Decoded:
    """One picture of a file.

    name: of the file, for messages.
    image: loaded and upright.
    orientation: of EXIF, before it was turned.
    bits: of a number, 0 where the mode says all.
    signed: numbers are signed, which the mode does not always say.
    white_is_zero: large numbers are dark, which Pillow has not undone.
    upper_byte: a channel of a colour had more than 8 bits, of which Pillow kept the upper 8.
    largest: the number that is white, where the file has another than 255 and 65535; the numbers are spread over 8 or
      16 bits, which `guidenet.reading.intensity.samples` undoes.
    inverted: grey had 0 as white, and is now as it is seen.
    loss: the format, as `a JPEG`, where values are near what they were only, or may be.
    plain_cmyk: Pillow took inverted CMYK for granted, and it is not said to be.
    """

    name: str
    image: Image.Image
    orientation: int = 1
    bits: int = 0
    signed: bool = False
    white_is_zero: bool = False
    upper_byte: bool = False
    largest: int = 0
    inverted: bool = False
    loss: str = ""
    plain_cmyk: bool = False


_lock = threading.Lock()
_inside = 0
_saved = contextlib.ExitStack()


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Neither Pillow's own limit of pixels nor its warnings: ours is checked instead, from the header.

    Both belong to the process, so the first thread that comes in changes them and the last one that leaves restores.
    """
    global _inside
    with _lock:
        if _inside == 0:
            _saved.enter_context(warnings.catch_warnings())
            warnings.filterwarnings("ignore", module=r"PIL\.")
            _saved.callback(setattr, Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)
            Image.MAX_IMAGE_PIXELS = None
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                _saved.close()


@contextlib.contextmanager
def _told(name: str, what: str, source: str | Path | BinaryIO | None = None) -> Iterator[None]:
    """Decoders raise many kinds for what is broken; nothing but Pillow runs in here."""
    try:
        yield
    except (FileNotFoundError, ReadError):
        raise
    except UnidentifiedImageError:
        raise UnreadableError(name, what, _why_unknown(source)) from None
    except Exception as error:
        raise UnreadableError(name, what, str(error) or type(error).__name__) from None


def _why_unknown(source: str | Path | BinaryIO | None) -> str:
    """What a file is that Pillow does not know."""
    if isinstance(source, str | Path):
        with Path(source).open("rb") as stream:
            head = stream.read(12)
    else:
        head = b""
        if source is not None:
            source.seek(0)
            head = source.read(12)
    if head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"hevc", b"mif1", b"msf1"):
        return "HEIC, which is not read; save it as JPEG or PNG"
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "a TIFF of a kind that is not read, such as fractions of 16 or 64 bits or colours of 32 bits"
    return "no image of a known format"


@contextlib.contextmanager
def _open(source: str | Path | BinaryIO, formats: tuple[str, ...] | None = None) -> Iterator[Image.Image]:
    with contextlib.ExitStack() as stack:
        stream = stack.enter_context(Path(source).open("rb")) if isinstance(source, str | Path) else source
        yield stack.enter_context(Image.open(stream, formats=formats))


@contextlib.contextmanager
def _unmapped(file: Image.Image) -> Iterator[None]:
    """Pillow maps plain TIFF files into memory by the size that they have once they are upright, which is wrong."""
    name = getattr(file, "filename", "")
    if file.format != "TIFF" or not name:
        yield
        return
    vars(file)["filename"] = ""
    try:
        yield
    finally:
        vars(file)["filename"] = name


def decode(
    source: str | Path | BinaryIO,
    name: str,
    *,
    what: str = "image",
    page: int | None = None,
    max_pixels: int = MAX_PIXELS,
    formats: tuple[str, ...] | None = None,
) -> Decoded:
    """Reads one picture of a file.

    Args:
      source: its path, or the open file.
      name: for messages.
      what: it must be, for messages.
      page: which one, from 1; None is the only one.
      max_pixels: the most that are taken; known before any is decoded.
      formats: names that Pillow has for what is taken; None is all.

    Raises:
      FileNotFoundError: there is no such file.
      ReadError: it is no such image, is damaged or too large, or has several pages and none is chosen.
    """
    with _quietly(), _told(name, what, source), _open(source, formats) as file:
        _check_pixels(file, name, max_pixels)
        _choose_page(file, name, page)
        _check_pixels(file, name, max_pixels)
        return inspect(file, name)


def inspect(file: Image.Image, name: str) -> Decoded:
    """Loads and turns an image that is open. Raises what Pillow raises."""
    tags: Any = getattr(file, "tag_v2", {})
    deep = file.mode in ("I", "F") or file.mode.startswith("I;16")
    rawmode = _rawmode(file)
    orientation = find_orientation(file)
    if tags.get(_PLANES) == 2 and len(file.getbands()) > 1 and tags[_BITS][0] > 8:
        raise UnreadableError(name, "image", "16 bits in separate planes of colour, which Pillow mixes up")
    sample_format = tags.get(_SAMPLE_FORMAT, (1,) if tags else ())
    found = Decoded(
        name,
        file,
        orientation=orientation,
        bits=tags[_BITS][0] if _BITS in tags else 16 if file.mode.startswith("I;16") or file.format == "PPM" else 0,
        signed=(sample_format[0] == 2) if sample_format else file.mode == "I" and file.format is None,
        white_is_zero=deep and tags.get(_PHOTOMETRIC) == 0,
        upper_byte=not deep and fidelity.has_deep_colours(file, rawmode),
        largest=fidelity.find_largest(file, rawmode),
        inverted=rawmode.startswith("L;") and "I" in rawmode,
        loss=fidelity.find_loss(file),
        plain_cmyk=file.mode == "CMYK" and file.format == "JPEG" and "adobe" not in file.info,
    )
    with _unmapped(file):
        file.load()
    # A TIFF is upright once it is loaded.
    turn = None if file.format == "TIFF" else _TURNS.get(orientation)
    image = file.copy() if turn is None else file.transpose(turn)
    if file.format == "JPEG2000" and found.largest:
        image = fidelity.spread_evenly(image, found.largest)
    return dataclasses.replace(found, image=image)


def upright_size(path: str | Path, name: str | None = None) -> tuple[int, int, int]:
    """Height and width in px of an image file once it is upright, and its orientation; only the header is read.

    Raises:
      FileNotFoundError: there is no such file.
      UnreadableError: it is no image.
    """
    with _quietly(), _told(name or str(path), "image"), _open(path) as file:
        width, height = file.size
        orientation = find_orientation(file)
        # Pillow gives the size of a TIFF as it is upright.
        if orientation >= 5 and file.format != "TIFF":
            width, height = height, width
        return height, width, orientation


def find_orientation(file: Image.Image) -> int:
    """1 to 8; damaged EXIF data say nothing."""
    try:
        found = file.getexif().get(_ORIENTATION, 1)
    except Exception:  # of the many kinds that broken metadata raise; the picture is not concerned
        return 1
    return found if found in _TURNS else 1


def num_pages(source: str | Path | BinaryIO, formats: tuple[str, ...] | None = None) -> int:
    """How many pages or frames a file has to choose from; 1 if it is no image, which reading it will say.

    Arguments as for `decode`.
    """
    try:
        with _quietly(), _open(source, formats) as file:
            return len(_pages(file))
    except Exception:
        return 1


def _pages(file: Image.Image) -> list[int]:
    """Those to choose from; what is beside the picture, as previews, layers and depth maps are, does not count."""
    count = int(getattr(file, "n_frames", 1))
    if count == 1 or file.format in ("MPO", "PSD", "ICO", "ICNS"):
        return [file.tell()]
    if file.format != "TIFF":
        return list(range(count))
    found: list[int] = []
    for number in range(count):
        file.seek(number)
        tags: Any = getattr(file, "tag_v2", {})
        if not int(tags.get(_SUBFILE, 0)) & 1:  # of lower resolution than another page
            found.append(number)
    file.seek(0)
    return found or [0]


def _choose_page(file: Image.Image, name: str, page: int | None) -> None:
    pages = _pages(file)
    if page is None and len(pages) > 1:
        remedy = f"page (--page) must say which, 1 to {len(pages)}"
        raise AmbiguousError(name, f"has {len(pages)} pages or frames", remedy)
    if page is not None and not 1 <= page <= len(pages):
        raise ReadError(name, f"has {len(pages)} pages or frames", f"page (--page) must be one of them, got {page}")
    number = pages[0 if page is None else page - 1]
    if number != file.tell():
        file.seek(number)


def _check_pixels(file: Image.Image, name: str, max_pixels: int) -> None:
    if file.width * file.height > max_pixels:
        problem = f"has {file.width} x {file.height} pixels, more than {max_pixels / 1e6:g} million"
        raise TooManyPixelsError(name, problem, "max_pixels (--max-megapixels) raises this limit")


def _rawmode(file: Image.Image) -> str:
    tile: Any = getattr(file, "tile", None)
    if not tile:
        return ""
    arguments = tile[0][3]
    first = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return first if isinstance(first, str) else ""
