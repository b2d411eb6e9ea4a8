"""Images in folders: what counts as one, and in which order."""

import re
from collections.abc import Iterable
from pathlib import Path

from guidenet.reading.errors import ReadError

SUFFIXES = (
    ".avif", ".bmp", ".gif", ".j2k", ".jp2", ".jpeg", ".jpg", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp",
)  # fmt: skip
"""Of images, in lower case."""


def is_image(path: Path) -> bool:
    """Whether a file is an image by its name; hidden ones, such as `._00000.jpg` of macOS, are none."""
    return not path.name.startswith(".") and path.suffix.lower() in SUFFIXES


def natural_key(path: str | Path) -> tuple[tuple[int, int | str, str], ...]:
    """To sort by: 2 before 10."""
    parts = re.split(r"(\d+)", str(path))
    return tuple((0, int(part), part) if part.isdecimal() else (1, part.lower(), part) for part in parts)


def in_order(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Sorted by numbers in their names where these have some."""
    return tuple(sorted(paths, key=natural_key))


def find_images(folder: str | Path, *, below: bool = False) -> tuple[Path, ...]:
    """Images of a folder, and with `below` of its subfolders too, in order; what is in hidden folders is left out."""
    folder = Path(folder)
    return in_order(
        path
        for path in (folder.rglob("*") if below else folder.iterdir())
        if is_image(path)
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def list_images(folder: str | Path, *, below: bool = False) -> tuple[Path, ...]:
    """`find_images`, of which there must be some.

    Raises:
      ReadError: there are none.
    """
    found = find_images(folder, below=below)
    if not found:
        raise ReadError(str(folder), f"must have images in it ({', '.join(SUFFIXES)}), and has none")
    return found
