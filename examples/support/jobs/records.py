"""A job, and what its log says."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

_TAIL_LINES = 12


class Job(NamedTuple):
    """A command that makes something in a folder, and goes on where it stopped.

    name: in messages. place: the folder; in one, a job at a time. command: the program, and its flags.
    log: the file for what it prints. is_finished: whether all is there, by what the program itself wrote.
    after: names of jobs that have to be finished before.
    """

    name: str
    place: Path
    command: tuple[str, ...]
    log: Path
    is_finished: Callable[[], bool]
    after: tuple[str, ...] = ()


def read_tail(log: Path) -> str:
    """The last lines of a log, indented."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join(f"    {line}" for line in lines[-_TAIL_LINES:])
