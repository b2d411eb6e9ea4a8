"""What a user sees while a run goes on: a live bar on a terminal, now and then a line elsewhere."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from tqdm import tqdm

from rlcore.experiment.reporting.metrics import Scalar

SECONDS_BETWEEN_LINES = 10.0
_BAR = "{l_bar}{bar}| {n_fmt}/{total_fmt} [{remaining} left, {rate_fmt}{postfix}]"


class Stream(Protocol):
    """Where progress is shown."""

    def write(self, text: str, /) -> Any:
        """Writes text."""
        ...

    def flush(self) -> None:
        """Shows it."""
        ...

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        ...


class Progress(Protocol):
    """Shows how far a run is.

    Speed and the time left are measured from the end of the first iteration of this process, which compiles, and
    without what is passed over.
    """

    def update(self, iteration: int, scalars: Mapping[str, Scalar]) -> None:
        """Shows that `iteration` has finished, with its metrics."""
        ...

    def pass_over(self, seconds: float) -> None:
        """Leaves the last `seconds` out of the measured time: they were spent on what comes once."""
        ...

    def close(self) -> None:
        """Leaves the terminal as it should be for whatever comes next."""
        ...


def make_progress(
    stream: Stream, start: int, num_iterations: int, steps_per_iteration: int, shown: Sequence[str], title: str = ""
) -> Progress:
    """Returns a bar if `stream` is a terminal, else lines.

    Args:
      stream: where to show it.
      start: the iterations done before now.
      num_iterations: how many there will be in total.
      steps_per_iteration: what speed is counted in.
      shown: the names of the metrics to show, as last known; metrics that never came are left out.
      title: of what, where a program has several runs.
    """
    kind = Bar if stream.isatty() else Lines
    return kind(stream, start, num_iterations, steps_per_iteration, shown, title=title)


class Bar:
    """A live bar with speed and time left."""

    def __init__(
        self,
        stream: Stream,
        start: int,
        num_iterations: int,
        steps_per_iteration: int,
        shown: Sequence[str],
        title: str = "",
    ) -> None:
        self._bar = tqdm(
            desc=title or None,
            total=num_iterations,
            initial=start,
            unit="step",
            unit_scale=steps_per_iteration,
            file=stream,
            dynamic_ncols=True,
            smoothing=0,  # the mean since the first iteration
            bar_format=_BAR,
        )
        self._latest = _Latest(shown)
        self._first = True

    def update(self, iteration: int, scalars: Mapping[str, Scalar]) -> None:
        """See `Progress`."""
        self._bar.set_postfix_str(self._latest.update(scalars), refresh=False)
        if self._first:
            self._first, self._bar.initial = False, iteration
            _begin_at(self._bar, time.time())
        self._bar.update(iteration - self._bar.n)

    def pass_over(self, seconds: float) -> None:
        """See `Progress`."""
        _begin_at(self._bar, self._bar.start_t + seconds)
        self._bar.refresh()

    def close(self) -> None:
        """See `Progress`."""
        self._bar.close()


class Lines:
    """A line for the first two iterations, for the last one, and in between at most every ten seconds."""

    def __init__(
        self,
        stream: Stream,
        start: int,
        num_iterations: int,
        steps_per_iteration: int,
        shown: Sequence[str],
        clock: Callable[[], float] = time.monotonic,
        title: str = "",
    ) -> None:
        self._stream = stream
        self._title = f"{title}: " if title else ""
        self._num_iterations = num_iterations
        self._steps_per_iteration = steps_per_iteration
        self._latest = _Latest(shown)
        self._clock = clock
        self._first: tuple[int, float] | None = None
        self._last = (start, clock())
        self._next_time = self._last[1]

    def update(self, iteration: int, scalars: Mapping[str, Scalar]) -> None:
        """See `Progress`."""
        latest = self._latest.update(scalars)
        now = self._clock()
        if now < self._next_time and iteration < self._num_iterations:
            return
        parts = [f"{self._title}iteration {iteration}/{self._num_iterations}"]
        if self._first is None:
            self._first = (iteration, now)
        else:
            self._next_time = now + SECONDS_BETWEEN_LINES
            speed = _rate(self._last, (iteration, now)) * self._steps_per_iteration
            left = (self._num_iterations - iteration) / _rate(self._first, (iteration, now))
            parts += [f"{speed:.3g} steps/s", f"{tqdm.format_interval(left)} left"]
        self._last = (iteration, now)
        _print(self._stream, [*parts, latest] if latest else parts)

    def pass_over(self, seconds: float) -> None:
        """See `Progress`."""
        self._last = (self._last[0], self._last[1] + seconds)
        if self._first is not None:
            self._first = (self._first[0], self._first[1] + seconds)

    def close(self) -> None:
        """See `Progress`."""


class Phase:
    """How far something is that comes once, such as a thousand updates before the first iteration."""

    def __init__(self, stream: Stream, title: str, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Shows a bar if `stream` is a terminal, else a line at the begin and at most every ten seconds.

        Args:
          stream: where to show it.
          title: what is done, as `model updates`.
          total: how many of them.
          clock: what time it is, in seconds.
        """
        self._stream, self._title, self._total, self._clock = stream, title, total, clock
        self._bar = (
            tqdm(desc=title, total=total, file=stream, dynamic_ncols=True, leave=False, smoothing=0, bar_format=_BAR)
            if stream.isatty()
            else None
        )
        self._done = 0
        self._first: tuple[int, float] | None = None
        self._begin = self._next_time = clock()
        if self._bar is None:
            _print(stream, [f"{title}: {total} to do"])

    def advance(self, number: int = 1) -> None:
        """Shows that `number` more are done."""
        self._done += number
        now = self._clock()
        if self._bar is not None:
            if self._first is None:
                self._bar.initial = self._done
                _begin_at(self._bar, time.time())
            self._bar.update(number)
        elif self._first is not None and now >= self._next_time and self._done < self._total:
            left = (self._total - self._done) / _rate(self._first, (self._done, now))
            _print(self._stream, [f"{self._title}: {self._done}/{self._total}", f"{tqdm.format_interval(left)} left"])
            self._next_time = now + SECONDS_BETWEEN_LINES
        if self._first is None:
            self._first = (self._done, now)

    def close(self) -> float:
        """Ends the phase and returns the seconds that it took."""
        seconds = self._clock() - self._begin
        if self._bar is not None:
            self._bar.close()
        else:
            took = tqdm.format_interval(seconds)
            _print(self._stream, [f"{self._title}: {self._done}/{self._total} done in {took}"])
        return seconds


class _Latest:
    """The shown metrics as last known: most come only now and then."""

    def __init__(self, shown: Sequence[str]) -> None:
        self._shown = shown
        self._values: dict[str, Scalar] = {}

    def update(self, scalars: Mapping[str, Scalar]) -> str:
        self._values.update({name: scalars[name] for name in self._shown if name in scalars})
        return ", ".join(f"{name} {self._values[name]:.4g}" for name in self._shown if name in self._values)


def _begin_at(bar: "tqdm[Any]", start_time: float) -> None:
    """Lets a bar measure from `start_time` on."""
    bar.start_t = start_time
    bar.last_print_t = max(bar.last_print_t, start_time)  # before its start, a bar counts as one never shown


def _rate(begin: tuple[int, float], end: tuple[int, float]) -> float:
    return (end[0] - begin[0]) / max(end[1] - begin[1], 1e-9)


def _print(stream: Stream, parts: Sequence[str]) -> None:
    stream.write(", ".join(parts) + "\n")
    stream.flush()
