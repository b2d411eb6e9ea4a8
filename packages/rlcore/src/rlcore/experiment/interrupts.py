"""A polite stop: Ctrl-C or a termination request lets the iteration at hand finish."""

import contextlib
import os
import signal
import threading
import types
from collections.abc import Generator
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_STDERR = 2


class StopSignals:
    """A context in which the first SIGINT or SIGTERM is noted, and a second one ends the process at once.

    Outside the main thread, where Python allows no handlers, signals keep their usual effect.

    received: the number of the signal that came, or None.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "StopSignals":
        if threading.current_thread() is threading.main_thread():
            self._previous = {number: signal.signal(number, self._handle) for number in _SIGNALS}
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: types.FrameType | None) -> None:
        del frame
        self.received = number
        for each in _SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        # Not `print`: the signal may have come amid one.
        with contextlib.suppress(OSError):  # the terminal may be gone
            os.write(_STDERR, b"\nstopping after this iteration; once more to stop at once\n")


@contextlib.contextmanager
def stop_at_once() -> Generator[None]:
    """Within it, Ctrl-C ends the process at once, without a traceback.

    Python's own way, an exception, gets lost where it comes within a callback of JAX. `StopSignals` takes over.
    """
    default = threading.current_thread() is threading.main_thread() and (
        signal.getsignal(signal.SIGINT) == signal.default_int_handler
    )
    if default:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        if default:
            signal.signal(signal.SIGINT, signal.default_int_handler)
