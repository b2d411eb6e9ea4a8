"""Names of files as they come from elsewhere: folders stay, what could lead out of a folder does not."""

from pathlib import PurePosixPath

_LENGTH = 120
"""Of one part of a name, characters; and of a name twice that."""


def clean_name(text: str, otherwise: str = "image") -> str:
    """A relative name, with `/` between folders, all of whose characters can be printed.

    Args:
      text: as it came.
      otherwise: the name if nothing is left.
    """
    parts = ("".join(filter(str.isprintable, part)).strip() for part in text.replace("\\", "/").split("/"))
    kept = [part[-_LENGTH:] for part in parts if part not in ("", ".", "..") and not part.endswith(":")]
    while len("/".join(kept)) > 2 * _LENGTH:
        del kept[0]
    return "/".join(kept) or otherwise


def free_name(name: str, taken: set[str]) -> str:
    """The name, with a number if it is taken, case aside; takes it."""
    path = PurePosixPath(name)
    found, number = name, 2
    while found.lower() in taken:
        found, number = str(path.with_name(f"{path.stem} ({number}){path.suffix}")), number + 1
    taken.add(found.lower())
    return found
