"""Metrics of a run: scalars, one line of JSON for each time they are logged."""

import json
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from rlcore.experiment.directory import METRICS, run_path
from rlcore.experiment.disk import explain_full
from rlcore.experiment.errors import NonFiniteError, RunError

Scalar = bool | int | float


def to_scalars(iteration: int, metrics: Mapping[str, Any]) -> dict[str, Scalar]:
    """Returns metrics as Python numbers that are exactly the values on the device.

    Raises `NonFiniteError` if one is infinite or not a number, and `ValueError` if one is not a scalar.
    """
    if "iteration" in metrics:
        raise ValueError("no metric can be named 'iteration': every line of metrics has that already")
    scalars: dict[str, Scalar] = {}
    for name, value in jax.device_get(dict(metrics)).items():
        if np.ndim(value) != 0:
            raise ValueError(f"metric {name} must be a scalar, got shape {np.shape(value)}")
        scalars[name] = np.asarray(value).item()
        if not math.isfinite(scalars[name]):
            raise NonFiniteError(f"metric {name} is {scalars[name]} at iteration {iteration}")
    return scalars


class MetricsFile:
    """`metrics.jsonl`, to which lines `{"iteration": 3, "loss/critic": 0.5}` are appended."""

    def __init__(self, run_dir: Path) -> None:
        self._path = run_dir / METRICS
        # Unbuffered, so that a line that finds the disk full is not tried again when the file is closed.
        self._file = self._path.open("ab", buffering=0)

    def write(self, iteration: int, scalars: Mapping[str, Scalar]) -> None:
        """Appends a line; it outlives a kill of the program as soon as this returns.

        Raises `RunError` if it cannot be written, as on a full disk. A part of a line is forgotten by `truncate`.
        """
        line = (json.dumps({"iteration": iteration, **scalars}) + "\n").encode()
        try:
            while line:
                line = line[self._file.write(line) :]
        except OSError as error:
            raise explain_full(f"{METRICS} of iteration {iteration}", self._path.parent, error) from error

    def truncate(self, iteration: int) -> None:
        """Forgets every line after `iteration`, and a last line that a crash cut short."""
        size = 0
        for line, entry in _read_lines(self._path):
            if entry["iteration"] > iteration:
                break
            size += len(line)
        os.truncate(self._path, size)

    def sync(self) -> None:
        """Waits until every line is on the disk."""
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise explain_full(METRICS, self._path.parent, error) from error

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            self.close()


def read_metrics(run_dir: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """Returns what a run has logged so far, a dict with `iteration` and the metrics for each line.

    Safe while the run goes on. Raises `RunError` if there are no metrics, or a line that is not the last is damaged.
    """
    path = run_path(run_dir) / METRICS
    if not path.is_file():
        raise RunError(f"{run_dir} is not a run directory: it has no {METRICS}")
    return [entry for _, entry in _read_lines(path)]


def _read_lines(path: Path) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Yields whole lines with their entries; a last line that was cut short is left out."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            entry = _parse(line)
            if entry is not None:
                yield line, entry
            # A crash cuts the last line only: what follows another one is not to be lost with it. A line without an
            # end is the last, whatever a run that goes on has written since.
            elif line.endswith(b"\n") and file.read(1):
                raise RunError(f"{path} is damaged: line {number} is no entry of metrics; mend it or take it out")


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    whole = line.endswith(b"\n") and isinstance(entry, dict) and type(entry.get("iteration")) is int
    return entry if whole else None
