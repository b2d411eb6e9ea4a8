"""Keeps the work of a session in a file while it goes on, and does not let it go at the end."""

import contextlib
import os
import tempfile
import threading
import time
from pathlib import Path

from guidenet.serve.session import Session

SECONDS = 5.0
"""Between looks whether there is something new to write."""


class Keeper:
    """Writes the work to a file whenever something has changed."""

    def __init__(self, session: Session, path: Path) -> None:
        """Writes it once.

        Raises:
          OSError: it cannot be written there.
        """
        self._session, self._path = session, path
        self._written = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.write()
        self._thread.start()

    def write(self) -> None:
        """Writes what is new.

        Raises:
          OSError: it cannot be written.
        """
        revision = self._session.revision
        if revision != self._written:
            write_file(self._path, self._session.save_work())
            self._written = revision

    def stop(self) -> None:
        """Writes what is new, and ends.

        Raises:
          OSError: it cannot be written.
        """
        self._stop.set()
        self._thread.join()
        self.write()

    def _run(self) -> None:
        while not self._stop.wait(SECONDS):
            # What does not work now may work the next time; the last one says so.
            with contextlib.suppress(OSError):
                self.write()


def write_file(path: Path, data: bytes) -> None:
    """Writes a file as a whole or not at all.

    Raises:
      OSError: it cannot be written; what was there stays.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(data)
        os.replace(part, path)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink()
        raise


def rescue(session: Session) -> Path:
    """Writes the work to a new file in the current folder, or in the one for temporary files, and returns its path.

    Raises:
      OSError: neither is possible.
    """
    name = time.strftime("guidenet-work-%Y%m%d-%H%M%S.zip")
    data = session.save_work()
    try:
        path = Path(name)
        write_file(path, data)
    except OSError:
        path = Path(tempfile.gettempdir()) / name
        write_file(path, data)
    return path
