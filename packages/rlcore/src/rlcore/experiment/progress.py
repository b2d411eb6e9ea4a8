"""What a user sees while a run goes on: a live bar on a terminal, now and then a line elsewhere."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TextIO

from tqdm import tqdm

from rlcore.experiment.metrics import Scalar

SECONDS_BETWEEN_LINES = 10.0


def tell(message: str) -> None:
    """Shows the user a line, on the stream where progress is shown too."""
    sys.stderr.write(f"{message}\n")
    sys.stderr.flush()


class Progress(Protocol):
    """Shows how far a run is."""

    def update(self, iteration: int, scalars: Mapping[str, Scalar]) -> None:
        """Shows that `iteration` has finished, with its metrics."""
        ...

    def close(self) -> None:
        """Leaves the terminal as it should be for whatever comes next."""
        ...


def make_progress(
    stream: TextIO, start: int, num_iterations: int, steps_per_iteration: int, shown: Sequence[str]
) -> Progress:
    """Returns a bar if `stream` is a terminal, else lines.

    Args:
      stream: where to show it.
      start: the iterations done before now.
      num_iterations: how many there will be in total.
      steps_per_iteration: what speed is counted in.
      shown: the names of the metrics to show, as last known; metrics that never came are left out.
    """
    kind = Bar if stream.isatty() else Lines
    return kind(stream, start, num_iterations, steps_per_iteration, shown)


class Bar:
    """A live bar with speed and time left."""

    def __init__(
        self, stream: TextIO, start: int, num_iterations: int, steps_per_iteration: int, shown: Sequence[str]
    ) -> None:
        self._bar = tqdm(
            total=num_iterations,
            initial=start,
            unit="step",
            unit_scale=steps_per_iteration,
            file=stream,
            dynamic_ncols=True,
        )
        self._latest = _Latest(shown)

    def update(self, iteration: int, scalars: Mapping[str, Scalar]) -> None:
        """See `Progress`."""
        self._bar.set_postfix_str(self._latest.update(scalars), refresh=False)
        self._bar.update(iteration - self._bar.n)

    def close(self) -> None:
        """See `Progress`."""
        self._bar.close()


class Lines:
    """A line for the first iteration, for the last one, and in between at most every ten seconds."""

    def __init__(
        self,
        stream: TextIO,
        start: int,
        num_iterations: int,
        steps_per_iteration: int,
        shown: Sequence[str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream
        self._num_iterations = num_iterations
        self._steps_per_iteration = steps_per_iteration
        self._latest = _Latest(shown)
        self._clock = clock
        self._last_iteration, self._last_time = start, clock()
        self._next_time = self._last_time

    def update(self, iteration: int, scalars: Mapping[str, Scalar]) -> None:
        """See `Progress`."""
        latest = self._latest.update(scalars)
        now = self._clock()
        if now < self._next_time and iteration < self._num_iterations:
            return
        rate = (iteration - self._last_iteration) / max(now - self._last_time, 1e-9)
        self._last_iteration, self._last_time = iteration, now
        self._next_time = now + SECONDS_BETWEEN_LINES
        left = tqdm.format_interval((self._num_iterations - iteration) / rate)
        speed = f"{rate * self._steps_per_iteration:.3g} steps/s"
        line = f"iteration {iteration}/{self._num_iterations}, {speed}, {left} left"
        print(", ".join([line, latest] if latest else [line]), file=self._stream, flush=True)

    def close(self) -> None:
        """See `Progress`."""


class _Latest:
    """The shown metrics as last known: most come only now and then."""

    def __init__(self, shown: Sequence[str]) -> None:
        self._shown = shown
        self._values: dict[str, Scalar] = {}

    def update(self, scalars: Mapping[str, Scalar]) -> str:
        self._values.update({name: scalars[name] for name in self._shown if name in scalars})
        return ", ".join(f"{name} {self._values[name]:.4g}" for name in self._shown if name in self._values)
