"""Progress on many images: one line that changes on a terminal, now and then a line elsewhere."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TextIO, TypeVar

T = TypeVar("T")

SECONDS_BETWEEN_LINES = 10.0


def track(items: Sequence[T], stream: TextIO, clock: Callable[[], float] = time.monotonic) -> Iterator[T]:
    """Yields the items one after another, and writes to `stream` how many are done and how long the rest will take."""
    live, start = stream.isatty(), clock()
    due = start + (0.0 if live else SECONDS_BETWEEN_LINES)
    for done, item in enumerate(items, 1):
        yield item
        now, last = clock(), done == len(items)
        if now >= due or last:
            seconds = (now - start) / done
            text = f"{done}/{len(items)} images, {1e3 * seconds:.0f} ms each"
            text += "" if last else f", {seconds * (len(items) - done):.0f} s left"
            stream.write(f"\r\033[K{text}" + ("\n" if last else "") if live else f"{text}\n")
            stream.flush()
            due = now + (0.1 if live else SECONDS_BETWEEN_LINES)


def report(messages: Iterable[str], stream: TextIO) -> None:
    """Writes lines, on a terminal in place of the line that shows progress."""
    for message in messages:
        stream.write(f"\r\033[K{message}\n" if stream.isatty() else f"{message}\n")
    stream.flush()
