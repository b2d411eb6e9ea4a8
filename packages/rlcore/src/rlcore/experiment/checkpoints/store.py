"""Checkpoints of one run: each a directory that is either whole or known to be damaged.

`<directory>/000000000010/` holds the checkpoint of iteration 10:

- `arrays.bin`, `arrays.json`: the values, see `rlcore.experiment.checkpoints.arrays`.
- `leaves.json`: the name and type of every leaf of the state.
- `manifest.json`: size and checksum of every file but `arrays.bin`, whose checksums are in `arrays.json`.

Checkpoints of rlcore 0.1.0 are read too: their values are in `arrays/`, written by orbax.

A checkpoint is written under a temporary name and renamed when it is on the disk: killing the program at any instant
leaves the one before. Everything a killed program left behind has a name that starts with `tmp-`.
"""

import contextlib
import json
import shutil
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from absl import logging

from rlcore.experiment.checkpoints import arrays, orbax_arrays
from rlcore.experiment.checkpoints.arrays import DamageError
from rlcore.experiment.checkpoints.leaves import Leaf, describe, find_mismatch, from_host, to_host
from rlcore.experiment.disk import explain_full
from rlcore.experiment.errors import RunError
from rlcore.experiment.files import measure, sync
from rlcore.experiment.memory import num_bytes

StateT = TypeVar("StateT")
ResultT = TypeVar("ResultT")

_LEAVES, _MANIFEST = "leaves.json", "manifest.json"
_TEMPORARY = "tmp-"


def save(directory: Path, iteration: int, state: Any, keep: int) -> None:
    """Writes the checkpoint of an iteration, then removes the oldest until `keep` are left.

    Raises `RunError` if it cannot be written, as on a full disk; the checkpoints before it are intact.
    """
    leaves = describe(state)
    temporary = directory / f"{_TEMPORARY}{iteration}"
    try:
        clean(directory)
        temporary.mkdir()
        _write(temporary, leaves, state)
        path = directory / f"{iteration:012d}"
        if path.exists():
            remove(path)
        temporary.rename(path)
        sync(directory)
        for old in find(directory)[keep:]:
            remove(old)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        size = num_bytes(state) / 1e9
        raise explain_full(f"the checkpoint of iteration {iteration} ({size:.3g} GB)", directory, error) from error


def find(directory: Path) -> list[Path]:
    """Returns the checkpoints in `directory`, newest first."""
    return sorted((path for path in directory.glob("*") if path.name.isdecimal()), reverse=True)


def restore(directory: Path, template: StateT) -> tuple[StateT, int, list[Path]]:
    """Returns the newest intact state, its iteration and the newer checkpoints, which are damaged.

    Logs a warning for each damaged checkpoint.

    Raises `RunError` if all of them are damaged or there are none, or if the state does not fit `template`.
    """

    def load(checkpoint: Path) -> StateT:
        leaves = _read_leaves(checkpoint)
        _refuse(checkpoint, find_mismatch(template, leaves))
        return from_host(template, _read_arrays(checkpoint), leaves)

    return _load_newest(directory, load)


def restore_part(
    directory: Path, templates: Mapping[str, Any], rename: Callable[[str], str] | None
) -> tuple[dict[str, Any], int]:
    """See `rlcore.experiment.restore_part`."""

    def load(checkpoint: Path) -> dict[str, Any]:
        stored = {leaf.name: (index, leaf) for index, leaf in enumerate(_read_leaves(checkpoint))}
        parts: dict[str, Any] = {}
        for prefix, template in templates.items():
            places, leaves = [], []
            for wanted in describe(template):
                name = prefix + wanted.name
                old_name = name if name in stored or rename is None else rename(name)
                index, leaf = stored.get(old_name, (-1, Leaf(name, "missing", False)))
                if leaf.type != wanted.type:
                    _refuse(checkpoint, f"state{leaf.name} is {leaf.type} there and {wanted.type} here")
                places.append(index)
                leaves.append(leaf)
            parts[prefix] = from_host(template, _read_arrays(checkpoint, places), leaves)
        return parts

    state, iteration, _ = _load_newest(directory, load)
    return state, iteration


def remove(checkpoint: Path) -> None:
    """Removes a checkpoint; a kill in between leaves none that looks damaged, because it is renamed first."""
    temporary = checkpoint.with_name(f"{_TEMPORARY}{checkpoint.name}")
    checkpoint.rename(temporary)
    shutil.rmtree(temporary)


def clean(directory: Path) -> None:
    """Removes what a killed program left behind."""
    for path in directory.glob(f"{_TEMPORARY}*"):
        shutil.rmtree(path)


def _load_newest(directory: Path, load: Callable[[Path], ResultT]) -> tuple[ResultT, int, list[Path]]:
    damaged: list[Path] = []
    for path in find(directory):
        try:
            return load(path), int(path.name), damaged
        except DamageError as damage:
            logging.warning("skipping the damaged checkpoint %s: %s", path, damage)
            damaged.append(path)
    if damaged:
        raise RunError(f"all checkpoints in {directory} are damaged; choose another run_dir to start afresh")
    raise RunError(f"there is no checkpoint in {directory}")


def _write(directory: Path, leaves: list[Leaf], state: Any) -> None:
    arrays.write(directory, to_host(state))
    (directory / _LEAVES).write_text(json.dumps(leaves))
    manifest = {name: measure(directory / name) for name in (arrays.TABLE, _LEAVES)}
    (directory / _MANIFEST).write_text(json.dumps(manifest))
    for path in [*directory.iterdir(), directory]:
        sync(path)


def _read_leaves(checkpoint: Path) -> list[Leaf]:
    """Checks every file of the manifest, and returns the leaves in it."""
    with _damage_explained():
        manifest = json.loads((checkpoint / _MANIFEST).read_text())
        if _LEAVES not in manifest or len(manifest) < 2:
            raise DamageError(f"{_MANIFEST} is incomplete")
        for name, measured in manifest.items():
            if measure(checkpoint / name) != measured:
                raise DamageError(f"{name} has changed")
        return [Leaf(*leaf) for leaf in json.loads((checkpoint / _LEAVES).read_text())]


def _read_arrays(checkpoint: Path, indices: Sequence[int] | None = None) -> Iterator[np.ndarray]:
    with _damage_explained():
        if (checkpoint / orbax_arrays.DIRECTORY).is_dir():
            num_leaves = len(json.loads((checkpoint / _LEAVES).read_text()))
            yield from orbax_arrays.read(checkpoint, range(num_leaves) if indices is None else indices)
        else:
            yield from arrays.read(checkpoint, indices)


@contextlib.contextmanager
def _damage_explained() -> Generator[None]:
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DamageError(f"{error.filename} is missing") from None
    except OSError as error:  # such as no permission, which other checkpoints will not have either
        raise RunError(f"{error.filename} cannot be read: {error.strerror or error}") from error
    except (ValueError, AttributeError, TypeError) as error:
        raise DamageError(f"{_MANIFEST} is unreadable") from error


def _refuse(checkpoint: Path, mismatch: str | None) -> None:
    if mismatch is not None:
        raise RunError(f"the checkpoint {checkpoint} does not fit this program: {mismatch}")
