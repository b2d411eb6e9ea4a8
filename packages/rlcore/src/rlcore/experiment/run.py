"""A training run in a directory: it can be stopped at any time and goes on to the same numbers, to the bit.

```
with Run.open(run_dir, to_dict(config)) as run:
    state, start = run.restore(init_state(key))
    for iteration in run.iterations(start, num_iterations):
        state, metrics = step(state)
        run.finish_iteration(iteration, state, metrics)
```

Iterations count from 1; 0 is the state before any. Everything that an iteration depends on is in `state`.

An iteration's metrics are logged before its checkpoint is taken, and resuming forgets metrics that are newer than the
checkpoint. So a kill at any instant leaves a checkpoint with all metrics up to it.
"""

import contextlib
import os
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import jax

from rlcore.experiment import checkpoints
from rlcore.experiment.checks import check_at_least
from rlcore.experiment.directory import CHECKPOINTS, claim, run_path
from rlcore.experiment.disk import check_disk
from rlcore.experiment.errors import RunError
from rlcore.experiment.interrupts import StopSignals
from rlcore.experiment.lock import Lock
from rlcore.experiment.memory import num_bytes
from rlcore.experiment.reporting.metrics import MetricsFile, Scalar, to_scalars
from rlcore.experiment.reporting.progress import Phase, Progress, make_progress
from rlcore.experiment.reporting.screen import stderr, tell
from rlcore.experiment.reporting.trackers import End, Trackers, check_trackers

StateT = TypeVar("StateT")

_CHECKPOINT_SHARE = 0.05
"""Of the time, that checkpoints may take where the user does not say how often."""


class _Loop:
    """What `Run.iterations` shares with `Run.finish_iteration`."""

    def __init__(self, num_iterations: int, steps_per_iteration: int, progress: Progress) -> None:
        self.num_iterations = num_iterations
        self.progress = progress
        self._steps_per_iteration = steps_per_iteration
        self._last_time = time.monotonic()

    def measure_speed(self) -> float:
        """Returns the steps per second since the last call."""
        now = time.monotonic()
        seconds, self._last_time = max(now - self._last_time, 1e-9), now
        return self._steps_per_iteration / seconds


class Run:
    """A run directory that this process trains in; open it with `Run.open` and use it as a context."""

    def __init__(self, run_dir: Path, lock: Lock, checkpoint_every: int, keep: int, trackers: Trackers) -> None:
        """Use `Run.open`."""
        self._lock: Lock | None = lock
        self._run_dir = run_dir
        self._checkpoints = run_dir / CHECKPOINTS
        self._checkpoint_every = checkpoint_every
        self._keep = keep
        self._metrics_file = MetricsFile(run_dir)
        self._trackers = trackers
        self._signals = StopSignals()
        self._loop: _Loop | None = None
        self._saved_iteration = 0
        self._due_time = 0.0
        self._state_bytes = 0

    @classmethod
    def open(
        cls,
        run_dir: str | os.PathLike[str],
        config: Mapping[str, Any],
        *,
        versions: Mapping[str, str] | None = None,
        checkpoint_every: int = 1,
        keep: int = 3,
        tensorboard: bool = False,
        trackers: Sequence[str] = (),
    ) -> "Run":
        """Opens a new run, or one to go on with.

        Args:
          run_dir: a directory that holds this run, is empty, or does not exist; `~` is the user's home.
          config: all that the numbers depend on, as `to_dict` gives it; the same in every process of the run. How
            many iterations to train may change, so leave that out.
          versions: of what computes the numbers, as `package_versions` gives them. They are kept beside the config;
            a run that goes on under others says so.
          checkpoint_every: iterations between checkpoints; 0 takes them as often as costs a twentieth of the time.
          keep: how many checkpoints to keep; 2 or more, to have another if the newest is damaged.
          tensorboard: the same as a tracker of that name; needs the extra `rlcore[tensorboard]`.
          trackers: where metrics go too, names of `rlcore.experiment.TRACKERS`: `tensorboard`, `wandb`, `mlflow`.

        Raises `RunError` before anything is written if `run_dir` cannot be used: see `rlcore.experiment.directory`.
        """
        for name, value, least in (("checkpoint_every", checkpoint_every, 0), ("keep", keep, 1)):
            if isinstance(value, bool) or not isinstance(value, int):
                raise ValueError(f"{name} must be an integer, got {value!r}")
            check_at_least(name, value, least)
        names = [*trackers, *(["tensorboard"] if tensorboard else [])]
        check_trackers(names)
        path = run_path(run_dir)
        lock = claim(path, config, versions)
        try:
            checkpoints.clean(path / CHECKPOINTS)
            return cls(path, lock, checkpoint_every, keep, Trackers(names, path, config))
        except OSError as error:
            lock.close()
            raise RunError(f"run_dir {path} cannot be written: {error.strerror or error}") from error
        except BaseException:
            lock.close()
            raise

    @property
    def directory(self) -> Path:
        """Where the run is."""
        return self._run_dir

    def __enter__(self) -> "Run":
        self._check_open()
        self._signals.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        self._signals.__exit__()
        stopped = kind is not None and not issubclass(kind, Exception)
        self._close("finished" if kind is None else "stopped" if stopped else "failed")

    def close(self) -> None:
        """Closes files and lets others train in the directory; a `Run` cannot be used again after that."""
        self._close("finished")

    def _close(self, end: End) -> None:
        if self._lock is None:
            return
        if self._loop is not None:
            self._loop.progress.close()
        self._metrics_file.close()
        self._lock.close()
        self._lock = None
        self._trackers.close(end)  # last, as a service may keep us waiting

    def restore(self, template: StateT) -> tuple[StateT, int]:
        """Returns the newest intact state and its iteration, or `template` and 0 in a new run.

        Damaged checkpoints that are newer are removed with a warning, and metrics that are newer are forgotten.

        Args:
          template: a state of the same structure, shapes and dtypes.

        Raises `RunError` if every checkpoint is damaged, or if the state does not fit `template`.
        """
        self._check_open()
        state, iteration = template, 0
        self._state_bytes = num_bytes(template)
        if checkpoints.find(self._checkpoints):
            state, iteration, damaged = checkpoints.restore(self._checkpoints, template)
            for path in damaged:
                checkpoints.remove(path)
        self._metrics_file.truncate(iteration)
        self._saved_iteration = iteration
        return state, iteration

    def restore_or_init(self, init: Callable[[], StateT]) -> tuple[StateT, int]:
        """Returns the newest intact state and its iteration, or `init()` and 0 in a new run.

        Unlike `restore`, it holds one state at a time: where there is a checkpoint, `init` is only traced. So `init`
        must be what JAX can trace, and what comes back are JAX arrays.
        """
        self._check_open()
        if checkpoints.find(self._checkpoints):
            return self.restore(jax.eval_shape(init))
        return self.restore(init())

    def iterations(
        self,
        start: int,
        num_iterations: int,
        *,
        steps_per_iteration: int = 1,
        shown: Sequence[str] = ("test/return",),
        title: str = "",
    ) -> Iterator[int]:
        """Yields `start + 1` to `num_iterations` and shows progress; call `finish_iteration` in each turn.

        After Ctrl-C or a termination request, the iteration at hand is the last: its state is saved and the program
        exits, with code 130 or 143.

        Args:
          start: the iteration that `restore` returned.
          num_iterations: the last iteration.
          steps_per_iteration: environment steps in each, for showing speed.
          shown: names of metrics to show.
          title: what progress is of, where a program has several runs.
        """
        self._check_open()
        if start >= num_iterations:
            tell(f"{self._run_dir} has all {start} iterations; a higher number goes on from there")
            return
        check_disk(self._checkpoints, self._state_bytes, self._keep)
        progress = make_progress(stderr(), start, num_iterations, steps_per_iteration, shown, title)
        self._loop = _Loop(num_iterations, steps_per_iteration, progress)
        iteration = start
        while iteration < num_iterations and not self._can_stop(iteration):
            iteration += 1
            yield iteration
        progress.close()
        if self._signals.received is not None:
            tell(f"stopped after iteration {iteration}; run the same command again to go on")
            raise SystemExit(128 + self._signals.received)

    @contextlib.contextmanager
    def phase(self, title: str, total: int) -> Generator[Callable[[int], None]]:
        """Shows how far something long is that comes once, before the iterations or within one.

        ```
        with run.phase("model updates", 2000) as advance:
            for _ in range(40):
                state = update_many(state, 50)
                advance(50)
        ```

        The time left of the run, if its iterations have begun, is estimated without it.

        Args:
          title: what is done.
          total: how many of them.
        """
        phase = Phase(stderr(), title, total)
        try:
            yield phase.advance
        finally:
            seconds = phase.close()
            if self._loop is not None:
                self._loop.progress.pass_over(seconds)

    def finish_iteration(self, iteration: int, state: Any, metrics: Mapping[str, Any]) -> None:
        """Logs the metrics of an iteration, takes a checkpoint of `state` if one is due, and shows progress.

        A checkpoint is due every `checkpoint_every` iterations, after the last one, and when the program is to stop.
        Numbers do not depend on when it is taken.
        Adds the metric `time/steps_per_s` unless it is there. Call it within `iterations`.

        Raises `NonFiniteError` before anything is written if a metric is infinite or not a number.
        """
        self._check_open()
        if self._loop is None:
            raise RuntimeError("finish_iteration must be called in a loop over iterations")
        scalars = to_scalars(iteration, metrics)
        scalars.setdefault("time/steps_per_s", self._loop.measure_speed())
        self._write(iteration, scalars)
        last = iteration == self._loop.num_iterations
        if last or self._is_due(iteration) or self._signals.received is not None:
            self.save(iteration, state)
        self._loop.progress.update(iteration, scalars)

    def log(self, iteration: int, metrics: Mapping[str, Any]) -> None:
        """Appends metrics to `metrics.jsonl`; names that start with `time/` are for what differs between machines.

        Raises `NonFiniteError` before anything is written if a metric is infinite or not a number.
        """
        self._check_open()
        self._write(iteration, to_scalars(iteration, metrics))

    def save(self, iteration: int, state: Any) -> None:
        """Takes a checkpoint of the state after `iteration`; it is on the disk when this returns.

        Raises `RunError` if it cannot be written; the checkpoints before it are intact.
        """
        self._check_open()
        start = time.monotonic()
        self._metrics_file.sync()
        checkpoints.save(self._checkpoints, iteration, state, self._keep)
        self._saved_iteration = iteration
        end = time.monotonic()
        self._due_time = end + (end - start) / _CHECKPOINT_SHARE

    def _write(self, iteration: int, scalars: Mapping[str, Scalar]) -> None:
        self._metrics_file.write(iteration, scalars)
        self._trackers.write(iteration, scalars)

    def _check_open(self) -> None:
        if self._lock is None:
            raise RunError(f"this Run of {self._run_dir} is closed: Run.open gives a new one, to go on with")

    def _is_due(self, iteration: int) -> bool:
        if self._checkpoint_every:
            return iteration % self._checkpoint_every == 0
        return time.monotonic() >= self._due_time

    def _can_stop(self, iteration: int) -> bool:
        """Whether a signal came and `iteration` is saved; if it came too late for that, the next iteration will be."""
        return self._signals.received is not None and self._saved_iteration == iteration
