"""Checkpoints of one run: each a directory that is either whole or known to be damaged.

`<directory>/000000000010/` holds the checkpoint of iteration 10:

- `arrays/`: the values, written by orbax.
- `leaves.json`: the name and type of every leaf of the state.
- `manifest.json`: size and checksum of every file. Orbax reads a chunk that is missing as zeros, so a checkpoint
  counts only if this list holds.

A checkpoint is written under a temporary name and renamed when it is on the disk: killing the program at any instant
leaves the one before. Everything a killed program left behind has a name that starts with `tmp-`.
"""

import json
import shutil
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from absl import logging

from rlcore.experiment.errors import RunError
from rlcore.experiment.files import measure, sync
from rlcore.experiment.leaves import Leaf, describe, find_mismatch, from_host, to_host

StateT = TypeVar("StateT")

_ARRAYS, _LEAVES, _MANIFEST = "arrays", "leaves.json", "manifest.json"
_TEMPORARY = "tmp-"


def save(directory: Path, iteration: int, state: Any, keep: int) -> None:
    """Writes the checkpoint of an iteration, then removes the oldest until `keep` are left."""
    import orbax.checkpoint as ocp  # takes a second: only where it is used

    clean(directory)
    temporary = directory / f"{_TEMPORARY}{iteration}"
    temporary.mkdir()
    # Compression would cost more time than it saves space: replays of floats hardly shrink.
    with ocp.Checkpointer(ocp.PyTreeCheckpointHandler(use_compression=False)) as checkpointer:
        # Orbax refuses arrays of size 0.
        arrays = {str(index): array for index, array in enumerate(to_host(state)) if array.size}
        checkpointer.save(temporary.absolute() / _ARRAYS, args=ocp.args.PyTreeSave(arrays))
    (temporary / _LEAVES).write_text(json.dumps(describe(state)))
    (temporary / _MANIFEST).write_text(json.dumps(_measure_files(temporary)))
    for path in [*temporary.rglob("*"), temporary]:
        sync(path)
    path = directory / f"{iteration:012d}"
    if path.exists():
        remove(path)
    temporary.rename(path)
    sync(directory)
    for old in find(directory)[keep:]:
        remove(old)


def find(directory: Path) -> list[Path]:
    """Returns the checkpoints in `directory`, newest first."""
    return sorted((path for path in directory.glob("*") if path.name.isdecimal()), reverse=True)


def restore(directory: Path, template: StateT) -> tuple[StateT, int, list[Path]]:
    """Returns the newest intact state, its iteration and the newer checkpoints, which are damaged.

    Logs a warning for each damaged checkpoint.

    Raises `RunError` if all of them are damaged or there are none, or if the state does not fit `template`.
    """
    damaged: list[Path] = []
    for path in find(directory):
        damage = _find_damage(path)
        if damage is None:
            return _load(path, template), int(path.name), damaged
        logging.warning("skipping the damaged checkpoint %s: %s", path, damage)
        damaged.append(path)
    if damaged:
        raise RunError(f"all checkpoints in {directory} are damaged; choose another run_dir to start afresh")
    raise RunError(f"there is no checkpoint in {directory}")


def remove(checkpoint: Path) -> None:
    """Removes a checkpoint; a kill in between leaves none that looks damaged, because it is renamed first."""
    temporary = checkpoint.with_name(f"{_TEMPORARY}{checkpoint.name}")
    checkpoint.rename(temporary)
    shutil.rmtree(temporary)


def clean(directory: Path) -> None:
    """Removes what a killed program left behind."""
    for path in directory.glob(f"{_TEMPORARY}*"):
        shutil.rmtree(path)


def _measure_files(checkpoint: Path) -> dict[str, list[int]]:
    files = sorted(path for path in checkpoint.rglob("*") if path.is_file())
    return {path.relative_to(checkpoint).as_posix(): measure(path) for path in files}


def _find_damage(checkpoint: Path) -> str | None:
    try:
        manifest = json.loads((checkpoint / _MANIFEST).read_text())
        if _LEAVES not in manifest:
            return f"{_MANIFEST} is incomplete"
        for name, measured in manifest.items():
            if measure(checkpoint / name) != measured:
                return f"{name} has changed"
    except (FileNotFoundError, NotADirectoryError) as error:
        return f"{error.filename} is missing"
    except (ValueError, AttributeError, TypeError):
        return f"{_MANIFEST} is unreadable"
    return None


def _load(checkpoint: Path, template: StateT) -> StateT:
    import orbax.checkpoint as ocp

    leaves = [Leaf(*leaf) for leaf in json.loads((checkpoint / _LEAVES).read_text())]
    mismatch = find_mismatch(template, leaves)
    if mismatch is not None:
        raise RunError(f"the checkpoint {checkpoint} does not fit this program: {mismatch}")
    with ocp.Checkpointer(ocp.PyTreeCheckpointHandler()) as checkpointer:
        arrays = checkpointer.restore(checkpoint.absolute() / _ARRAYS, args=ocp.args.PyTreeRestore())
    empty = np.empty(0)
    return from_host(template, [arrays.get(str(index), empty) for index in range(len(leaves))], leaves)
