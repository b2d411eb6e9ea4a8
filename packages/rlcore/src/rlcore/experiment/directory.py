"""The run directory: whose it is, and that only one process trains in it."""

import contextlib
import importlib.metadata
import json
import os
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

from rlcore.experiment.config import difference
from rlcore.experiment.errors import RunError
from rlcore.experiment.files import write_atomically
from rlcore.experiment.lock import Lock
from rlcore.experiment.reporting.screen import tell

CHECKPOINTS = "checkpoints"
METRICS = "metrics.jsonl"
TENSORBOARD = "tensorboard"
VERSIONS = "versions"
_CONFIG = "config.json"
_MOST_LINES = 10
_LOCK = "lock"

# A program killed while it made the directory leaves no more than these.
_FIRST_FILES = {_LOCK, _CONFIG + ".tmp"}


def run_path(run_dir: str | os.PathLike[str]) -> Path:
    """Returns the path of a run directory, with `~` for the user's home."""
    path = Path(run_dir)
    try:
        return path.expanduser()
    except RuntimeError:
        raise RunError(f"run_dir {run_dir} cannot be found: nobody's home is known by that name") from None


def claim(run_dir: Path, config: Mapping[str, Any], versions: Mapping[str, str] | None = None) -> Lock:
    """Makes `run_dir` a run of `config`, or checks that it is one, and locks it.

    Args:
      run_dir: the directory.
      config: who the run is.
      versions: of what computes it; kept with the config of a new run. Others than at first are told, not refused.

    Returns the lock, which holds until it is closed, given up or the process ends, however it ends.

    Raises `RunError` before anything is written if the directory holds something else, a run of another config or one
    that is being trained, or if it cannot be written.
    """
    if versions is not None and VERSIONS in config:
        raise ValueError(f"config must leave the name {VERSIONS!r} to the argument of that name")
    identity = json.loads(json.dumps(config))
    _check(run_dir, identity)
    with _explain_os_errors(run_dir):
        run_dir.mkdir(parents=True, exist_ok=True)
        lock = Lock(run_dir / _LOCK)
        try:
            # Another process may have made the run its own since the first check.
            _check(run_dir, identity)
            if not (run_dir / _CONFIG).exists():
                content = {**identity, **({VERSIONS: dict(versions)} if versions else {})}
                write_atomically(run_dir / _CONFIG, json.dumps(content, indent=2) + "\n")
            (run_dir / CHECKPOINTS).mkdir(exist_ok=True)
        except BaseException:
            lock.close()
            raise
    _tell_versions(run_dir, versions or {})
    return lock


def load_config(run_dir: str | os.PathLike[str]) -> dict[str, Any]:
    """Returns the config that a run was opened with, with `versions` if it has them.

    Raises `RunError` if there is no run or its config cannot be read.
    """
    path = run_path(run_dir) / _CONFIG
    try:
        config = json.loads(path.read_text())
    except (FileNotFoundError, NotADirectoryError):
        raise RunError(f"{run_dir} is not a run directory: it has no {_CONFIG}") from None
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError:
        raise RunError(f"{path} is damaged: it is not JSON") from None
    if not isinstance(config, dict):
        raise RunError(f"{path} is damaged: it is not an object of JSON")
    return config


def package_versions(*distributions: str) -> dict[str, str]:
    """Returns the installed version of each distribution, such as `rlcore` or `jax`, for `Run.open(versions=...)`.

    One that is not installed, as where code runs from a checkout, is left out.
    """
    versions = {}
    for name in distributions:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return versions


def _check(run_dir: Path, config: Mapping[str, Any]) -> None:
    with _explain_os_errors(run_dir):
        if run_dir.exists() and not run_dir.is_dir():
            raise RunError(f"run_dir {run_dir} is a file")
        if not run_dir.exists() or {path.name for path in run_dir.iterdir()} <= _FIRST_FILES:
            return
        if not (run_dir / _CONFIG).exists():
            raise RunError(f"run_dir {run_dir} is not empty and not a run: choose a new directory")
        found = load_config(run_dir)
        if VERSIONS not in config:
            found.pop(VERSIONS, None)
        lines = difference(found, config)
    if lines:
        shown = lines if len(lines) <= _MOST_LINES else [*lines[:_MOST_LINES], f"and {len(lines) - _MOST_LINES} more"]
        raise RunError("\n  ".join([f"run_dir {run_dir} holds a run of another config; choose a new one:", *shown]))


def _tell_versions(run_dir: Path, versions: Mapping[str, str]) -> None:
    before = load_config(run_dir).get(VERSIONS)
    if not isinstance(before, Mapping):
        return
    names = [name for name in {**before, **versions} if versions and before.get(name) != versions.get(name)]
    if names:
        changes = ", ".join(f"{name} {before.get(name, 'none')} -> {versions.get(name, 'none')}" for name in names)
        tell(f"{run_dir} was begun with other versions ({changes}): its numbers may differ to the bit from here on")


@contextlib.contextmanager
def _explain_os_errors(run_dir: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise RunError(f"run_dir {run_dir} cannot be created or written: {error.strerror or error}") from error
