"""The run directory: whose it is, and that only one process trains in it."""

import contextlib
import fcntl
import json
import os
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any, TextIO

from rlcore.experiment.config import difference
from rlcore.experiment.errors import RunError
from rlcore.experiment.files import write_atomically

CHECKPOINTS = "checkpoints"
METRICS = "metrics.jsonl"
TENSORBOARD = "tensorboard"
_CONFIG = "config.json"
_LOCK = "lock"

# A program killed while it made the directory leaves no more than these.
_FIRST_FILES = {_LOCK, _CONFIG + ".tmp"}


def claim(run_dir: Path, config: Mapping[str, Any]) -> TextIO:
    """Makes `run_dir` a run of `config`, or checks that it is one, and locks it.

    Returns the lock file: the lock holds until it is closed or the process ends, however it ends.

    Raises `RunError` before anything is written if the directory holds something else, a run of another config or one
    that another process is training, or if it cannot be written.
    """
    config = json.loads(json.dumps(config))
    _check(run_dir, config)
    with _explain_os_errors(run_dir):
        run_dir.mkdir(parents=True, exist_ok=True)
        lock_file = (run_dir / _LOCK).open("a")
        try:
            _lock(lock_file, run_dir)
            # Another process may have made the run its own since the first check.
            _check(run_dir, config)
            if not (run_dir / _CONFIG).exists():
                write_atomically(run_dir / _CONFIG, json.dumps(config, indent=2) + "\n")
            (run_dir / CHECKPOINTS).mkdir(exist_ok=True)
        except BaseException:
            lock_file.close()
            raise
    return lock_file


def load_config(run_dir: str | os.PathLike[str]) -> dict[str, Any]:
    """Returns the config that a run was opened with. Raises `RunError` if there is no run."""
    path = Path(run_dir) / _CONFIG
    try:
        return json.loads(path.read_text())
    except (FileNotFoundError, NotADirectoryError):
        raise RunError(f"{run_dir} is not a run directory: it has no {_CONFIG}") from None
    except ValueError:
        raise RunError(f"{path} is damaged: it is not JSON") from None


def _check(run_dir: Path, config: Mapping[str, Any]) -> None:
    with _explain_os_errors(run_dir):
        if run_dir.exists() and not run_dir.is_dir():
            raise RunError(f"run_dir {run_dir} is a file")
        if not run_dir.exists() or {path.name for path in run_dir.iterdir()} <= _FIRST_FILES:
            return
        if not (run_dir / _CONFIG).exists():
            raise RunError(f"run_dir {run_dir} is not empty and not a run: choose a new directory")
        lines = difference(load_config(run_dir), config)
    if lines:
        raise RunError("\n  ".join([f"run_dir {run_dir} holds a run of another config; choose a new one:", *lines]))


def _lock(lock_file: TextIO, run_dir: Path) -> None:
    try:
        fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RunError(f"another process is training in run_dir {run_dir}") from None


@contextlib.contextmanager
def _explain_os_errors(run_dir: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise RunError(f"run_dir {run_dir} cannot be created or written: {error.strerror or error}") from error
