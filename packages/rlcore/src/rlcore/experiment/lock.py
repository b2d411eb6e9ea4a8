"""The lock of a run directory: one process, and in it one `Run`, trains there."""

import contextlib
import fcntl
import gc
import os
import weakref
from pathlib import Path

from rlcore.experiment.errors import RunError

_held: "weakref.WeakSet[Lock]" = weakref.WeakSet()


class Lock:
    """Holds until it is closed, nobody refers to it any more, or the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        """Locks the file at `path`, which is made where it is missing.

        Raises:
          RunError: another process holds it, or this one does.
          OSError: the file cannot be made.
        """
        self._descriptor: int | None = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
        status = os.fstat(self._descriptor)
        self._identity = (status.st_dev, status.st_ino)
        try:
            if self._is_mine():
                gc.collect()  # a Run that failed may be in a cycle of garbage
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._descriptor)
            self._descriptor = None
            raise RunError(_explain(path.parent, mine=self._is_mine())) from None
        except BaseException:
            os.close(self._descriptor)
            self._descriptor = None
            raise
        _held.add(self)

    def close(self) -> None:
        """Lets others lock the file."""
        if self._descriptor is not None:
            _held.discard(self)
            with contextlib.suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = None

    def __del__(self) -> None:
        if getattr(self, "_descriptor", None) is not None:
            self.close()

    def _is_mine(self) -> bool:
        return any(other._identity == self._identity for other in _held)


def _close_in_child() -> None:
    """A forked child that outlives its parent, such as a worker, must not hold the parent's locks."""
    for lock in list(_held):
        lock.close()


os.register_at_fork(after_in_child=_close_in_child)


def _explain(run_dir: Path, mine: bool) -> str:
    if mine:
        return f"this process already has run_dir {run_dir} open: close that Run first, or use it in a `with` block"
    return f"another process is training in run_dir {run_dir}"
