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

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO, TypeVar

from rlcore.experiment import checkpoints
from rlcore.experiment.checks import check_at_least
from rlcore.experiment.directory import CHECKPOINTS, claim, load_config
from rlcore.experiment.metrics import MetricsFile, Scalar, to_scalars
from rlcore.experiment.progress import Progress, make_progress, tell
from rlcore.experiment.signals import StopSignals
from rlcore.experiment.tensorboard import TensorBoard, check_tensorboard

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

    def __init__(self, run_dir: Path, lock_file: TextIO, checkpoint_every: int, keep: int, tensorboard: bool) -> None:
        """Use `Run.open`."""
        self._lock_file = lock_file
        self._run_dir = run_dir
        self._checkpoints = run_dir / CHECKPOINTS
        self._checkpoint_every = checkpoint_every
        self._keep = keep
        self._metrics_file = MetricsFile(run_dir)
        self._tensorboard = TensorBoard(run_dir) if tensorboard else None
        self._signals = StopSignals()
        self._loop: _Loop | None = None
        self._saved_iteration = 0
        self._due_time = 0.0

    @classmethod
    def open(
        cls,
        run_dir: str | os.PathLike[str],
        config: Mapping[str, Any],
        *,
        checkpoint_every: int = 1,
        keep: int = 3,
        tensorboard: bool = False,
    ) -> "Run":
        """Opens a new run, or one to go on with.

        Args:
          run_dir: a directory that holds this run, is empty, or does not exist.
          config: all that the numbers depend on, as `to_dict` gives it; the same in every process of the run. How
            many iterations to train may change, so leave that out.
          checkpoint_every: iterations between checkpoints; 0 takes them as often as costs a twentieth of the time.
          keep: how many checkpoints to keep; 2 or more, to have another if the newest is damaged.
          tensorboard: whether to write event files too; needs the extra `rlcore[tensorboard]`.

        Raises `RunError` before anything is written if `run_dir` cannot be used: see `rlcore.experiment.directory`.
        """
        check_at_least("checkpoint_every", checkpoint_every, 0)
        check_at_least("keep", keep, 1)
        if tensorboard:
            check_tensorboard()
        path = Path(run_dir)
        lock_file = claim(path, config)
        checkpoints.clean(path / CHECKPOINTS)
        return cls(path, lock_file, checkpoint_every, keep, tensorboard)

    @property
    def directory(self) -> Path:
        """Where the run is."""
        return self._run_dir

    def __enter__(self) -> "Run":
        self._signals.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._signals.__exit__()
        self.close()

    def close(self) -> None:
        """Closes files and lets other processes train in the directory."""
        if self._loop is not None:
            self._loop.progress.close()
        if self._tensorboard is not None:
            self._tensorboard.close()
        self._metrics_file.close()
        self._lock_file.close()

    def restore(self, template: StateT) -> tuple[StateT, int]:
        """Returns the newest intact state and its iteration, or `template` and 0 in a new run.

        Damaged checkpoints that are newer are removed with a warning, and metrics that are newer are forgotten.

        Args:
          template: a state of the same structure, shapes and dtypes.

        Raises `RunError` if every checkpoint is damaged, or if the state does not fit `template`.
        """
        state, iteration = template, 0
        if checkpoints.find(self._checkpoints):
            state, iteration, damaged = checkpoints.restore(self._checkpoints, template)
            for path in damaged:
                checkpoints.remove(path)
        self._metrics_file.truncate(iteration)
        self._saved_iteration = iteration
        return state, iteration

    def iterations(
        self,
        start: int,
        num_iterations: int,
        *,
        steps_per_iteration: int = 1,
        shown: Sequence[str] = ("test/return",),
    ) -> Iterator[int]:
        """Yields `start + 1` to `num_iterations` and shows progress; call `finish_iteration` in each turn.

        After Ctrl-C or a termination request, the iteration at hand is the last: its state is saved and the program
        exits, with code 130 or 143.

        Args:
          start: the iteration that `restore` returned.
          num_iterations: the last iteration.
          steps_per_iteration: environment steps in each, for showing speed.
          shown: names of metrics to show.
        """
        if start >= num_iterations:
            tell(f"{self._run_dir} has all {start} iterations; a higher number goes on from there")
            return
        progress = make_progress(sys.stderr, start, num_iterations, steps_per_iteration, shown)
        self._loop = _Loop(num_iterations, steps_per_iteration, progress)
        iteration = start
        while iteration < num_iterations and not self._can_stop(iteration):
            iteration += 1
            yield iteration
        progress.close()
        if self._signals.received is not None:
            tell(f"stopped after iteration {iteration}; run the same command again to go on")
            raise SystemExit(128 + self._signals.received)

    def finish_iteration(self, iteration: int, state: Any, metrics: Mapping[str, Any]) -> None:
        """Logs the metrics of an iteration, takes a checkpoint of `state` if one is due, and shows progress.

        A checkpoint is due every `checkpoint_every` iterations, after the last one, and when the program is to stop.
        Numbers do not depend on when it is taken.
        Adds the metric `time/steps_per_s` unless it is there. Call it within `iterations`.

        Raises `NonFiniteError` before anything is written if a metric is infinite or not a number.
        """
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
        self._write(iteration, to_scalars(iteration, metrics))

    def save(self, iteration: int, state: Any) -> None:
        """Takes a checkpoint of the state after `iteration`; it is on the disk when this returns."""
        start = time.monotonic()
        self._metrics_file.sync()
        checkpoints.save(self._checkpoints, iteration, state, self._keep)
        self._saved_iteration = iteration
        end = time.monotonic()
        self._due_time = end + (end - start) / _CHECKPOINT_SHARE

    def _write(self, iteration: int, scalars: Mapping[str, Scalar]) -> None:
        self._metrics_file.write(iteration, scalars)
        if self._tensorboard is not None:
            self._tensorboard.write(iteration, scalars)

    def _is_due(self, iteration: int) -> bool:
        if self._checkpoint_every:
            return iteration % self._checkpoint_every == 0
        return time.monotonic() >= self._due_time

    def _can_stop(self, iteration: int) -> bool:
        """Whether a signal came and `iteration` is saved; if it came too late for that, the next iteration will be."""
        return self._signals.received is not None and self._saved_iteration == iteration


def restore_latest(run_dir: str | os.PathLike[str], template: StateT) -> tuple[StateT, int]:
    """Returns the newest intact state of a run and its iteration, and changes nothing in the directory.

    Args:
      run_dir: a run directory; another process may be training in it.
      template: a state of the same structure; its leaves may be `jax.ShapeDtypeStruct`s, as from `jax.eval_shape`.

    Raises `RunError` if there is no run or no intact checkpoint, or if the state does not fit `template`.
    """
    load_config(run_dir)
    state, iteration, _ = checkpoints.restore(Path(run_dir) / CHECKPOINTS, template)
    return state, iteration
