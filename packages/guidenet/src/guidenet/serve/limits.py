"""What one page takes, and the errors that say what it does not take."""

import dataclasses
import zipfile

from guidenet.checks import check_at_least

MIB = 1 << 20

COLOURS = (
    (0xFF, 0xB0, 0x00),
    (0x4C, 0xA6, 0xFF),
    (0xFF, 0x5C, 0x8A),
    (0x3D, 0xD6, 0x8C),
    (0xB3, 0x8C, 0xFF),
    (0xFF, 0x7A, 0x3D),
    (0x2F, 0xD4, 0xD4),
    (0xE8, 0xE0, 0x4A),
    (0xE0, 0x7B, 0xE0),
    (0x9B, 0xD1, 0x4B),
    (0xC8, 0x9B, 0x7B),
    (0xB8, 0xC4, 0xD0),
)
"""RGB of the classes, in their order, on the page and in the masks that it writes."""

NAME_LENGTH = 40
"""Of the names of classes, characters."""


class NotFoundError(ValueError):
    """There is nothing of that name."""


class TooLargeError(ValueError):
    """It is over a limit, which the message names."""


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a server takes before it refuses more.

    num_images: at a time.
    image_bytes: of one image file.
    image_pixels: of one image; known before any of them is decoded.
    num_classes: at a time, as many as there are colours at most.
    guidance_bytes: of one guidance file, and sixteen times that when unpacked.
    work_bytes: of one file of saved work, packed and unpacked.
    """

    num_images: int = 64
    image_bytes: int = 32 * MIB
    image_pixels: int = 64_000_000
    num_classes: int = len(COLOURS)
    guidance_bytes: int = 4 * MIB
    work_bytes: int = 1024 * MIB

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            check_at_least(field.name, getattr(self, field.name), 1)
        if self.num_classes > len(COLOURS):
            raise ValueError(f"num_classes must be at most {len(COLOURS)}, got {self.num_classes}")


def too_many_images(what: str, most: int) -> TooLargeError:
    """Says what was not added, and how a server that takes more is started."""
    return TooLargeError(f"{what}: {most} images are the most at once; guidenet serve --max-images N takes more")


def check_class_name(name: str) -> str:
    """The name without spaces around it.

    Raises:
      ValueError: it is empty, too long, or has characters that cannot be printed.
    """
    stripped = name.strip()
    if not 0 < len(stripped) <= NAME_LENGTH or not stripped.isprintable():
        shown = stripped if len(stripped) <= NAME_LENGTH else f"{stripped[:NAME_LENGTH]}…"
        raise ValueError(f"a class must have a name of 1 to {NAME_LENGTH} printable characters, got {shown!r}")
    return stripped


def check_file_size(name: str, num_bytes: int, largest: int) -> None:
    """Raises `TooLargeError`, with the name, if there are more than `largest` bytes."""
    if num_bytes > largest:
        raise TooLargeError(f"{name} is larger than {megabytes(largest)}, the most that is taken of one file")


def check_unpacked_size(name: str, archive: zipfile.ZipFile, largest: int) -> None:
    """Raises `TooLargeError`, with the name, if an archive would have more than `largest` bytes when unpacked."""
    if sum(member.file_size for member in archive.infolist()) > largest:
        raise TooLargeError(f"{name} would be larger than {megabytes(largest)} when unpacked, the most that is taken")


def megabytes(size: int) -> str:
    """`12.5 MB`, for messages."""
    return f"{size / MIB:.3g} MB"
