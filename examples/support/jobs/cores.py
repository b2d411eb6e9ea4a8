"""Cores of this machine that one process has for itself, where nobody hands them out."""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Generator
from pathlib import Path


@contextlib.contextmanager
def lease_cores(number: int) -> Generator[set[int] | None]:
    """Within it, so many cores that no other lease of this user has; a process that dies gives them back.

    None where there are not so many left, and where the system pins nothing.
    """
    with contextlib.ExitStack() as stack:
        leased = set[int]()
        folder = Path(tempfile.gettempdir()) / f"metarl-cores-{os.getuid()}"
        folder.mkdir(exist_ok=True)
        for core in sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []:
            if len(leased) == number:
                break
            file = stack.enter_context((folder / str(core)).open("w"))
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                leased.add(core)
        if len(leased) < number:
            stack.close()  # what is too few may be enough for others
        yield leased if len(leased) == number else None
