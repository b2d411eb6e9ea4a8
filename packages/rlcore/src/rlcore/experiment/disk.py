"""Room on the disk, said and checked before a run fills it."""

import shutil
from pathlib import Path

from rlcore.experiment.errors import RunError
from rlcore.experiment.reporting.screen import tell

_GB = 1e9


def free_bytes(path: Path) -> int:
    """Bytes that can still be written where `path` lies; it need not exist."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return shutil.disk_usage(path).free


def check_disk(directory: Path, num_bytes: int, keep: int) -> None:
    """Refuses a run whose next checkpoint has no room; tells the user where it has, but not all that are to be kept.

    Args:
      directory: of the checkpoints.
      num_bytes: of one.
      keep: how many are kept; while one is written, there is one more.

    Raises:
      RunError: with the numbers.
    """
    try:
        free = free_bytes(directory)
        held = sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
    except OSError:  # such as a checkpoint that goes while we look
        return
    size, room = f"a checkpoint takes {num_bytes / _GB:.3g} GB", f"{directory} has {free / _GB:.3g} GB free"
    if num_bytes > free:
        raise RunError(f"the disk is too full: {size}, {room}")
    if (keep + 1) * num_bytes > free + held:
        tell(f"warning: the disk may fill up: {size} and up to {keep + 1} are held at once, {room}")


def explain_full(what: str, directory: Path, error: OSError) -> RunError:
    """The error for something that could not be written."""
    try:
        room = f"; {directory} has {free_bytes(directory) / _GB:.3g} GB free"
    except OSError:
        room = ""
    return RunError(f"{what} cannot be written: {error.strerror or error}{room}")
