"""A polite stop: Ctrl-C or a termination request lets the iteration at hand finish."""

import os
import signal
import threading
import types
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
        os.write(_STDERR, b"\nstopping after this iteration; once more to stop at once\n")
