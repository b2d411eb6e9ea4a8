"""What a program writes for its user, which must never end the training: terminals go away and disks fill up."""

import contextlib
import errno
import os
import sys
from collections.abc import Generator
from typing import Any, TextIO

from rlcore.experiment.errors import RunError

_GONE = {errno.EPIPE, errno.EIO, errno.EBADF}
"""Errors of a stream that nobody reads any more."""


class QuietStream:
    """A text stream whose failures are not the program's: after one, the rest goes nowhere."""

    def __init__(self, stream: TextIO | None, errors: set[int] | None = None) -> None:
        """Wraps a stream; None is one that was closed before the program began.

        Args:
          stream: to be written to.
          errors: numbers of the errors to pass over, by default all; any other is a `RunError`.
        """
        self._stream = stream
        self._errors = errors

    def write(self, text: str) -> int:
        """Writes `text`, if anybody can read it."""
        if self._stream is not None:
            with self._silenced():
                self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flushes the stream."""
        if self._stream is not None:
            with self._silenced():
                self._stream.flush()

    def isatty(self) -> bool:
        """Whether a person looks on."""
        try:
            return self._stream is not None and self._stream.isatty()
        except (OSError, ValueError):
            return False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @contextlib.contextmanager
    def _silenced(self) -> Generator[None]:
        try:
            yield
        except ValueError:  # it has been closed
            self._stream = None
        except OSError as error:
            stream, self._stream = self._stream, None
            # What is in its buffer would fail again when the program ends.
            with contextlib.suppress(OSError, ValueError, AttributeError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, stream.fileno())  # pyrefly: ignore[missing-attribute]
                os.close(nowhere)
            if self._errors is not None and error.errno not in self._errors:
                raise RunError(f"the output cannot be written: {error.strerror or error}") from error


def stderr() -> QuietStream:
    """The stream of messages and progress, as it is now."""
    return QuietStream(sys.stderr)


def tell(message: str) -> None:
    """Shows the user a line, on the stream where progress is shown too."""
    stream = stderr()
    stream.write(f"{message}\n")
    stream.flush()


@contextlib.contextmanager
def quiet_stdout() -> Generator[None]:
    """Within it, what is printed after the reader of stdout has gone is lost without an error."""
    before, stream = sys.stdout, QuietStream(sys.stdout, _GONE)
    sys.stdout = stream
    try:
        yield
        stream.flush()
    finally:
        sys.stdout = before


def fill_standard_streams() -> None:
    """Opens what the shell closed of stdin, stdout and stderr, so that no file of the program gets their numbers."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != descriptor:
                os.dup2(nowhere, descriptor)
                os.close(nowhere)
