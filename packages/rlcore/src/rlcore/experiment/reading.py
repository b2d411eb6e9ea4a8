"""The state of a run that others may be training: reading changes nothing in its directory."""

import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from rlcore.experiment import checkpoints
from rlcore.experiment.directory import CHECKPOINTS, load_config, run_path

StateT = TypeVar("StateT")


def latest_iteration(run_dir: str | os.PathLike[str]) -> int:
    """Returns the iteration of the newest checkpoint of a run, which it would go on from; 0 where it has none.

    Raises `RunError` if there is no run.
    """
    load_config(run_dir)
    found = checkpoints.find(run_path(run_dir) / CHECKPOINTS)
    return int(found[0].name) if found else 0


def restore_latest(run_dir: str | os.PathLike[str], template: StateT) -> tuple[StateT, int]:
    """Returns the newest intact state of a run and its iteration, and changes nothing in the directory.

    Args:
      run_dir: a run directory; another process may be training in it.
      template: a state of the same structure; its leaves may be `jax.ShapeDtypeStruct`s, as from `jax.eval_shape`.

    Raises `RunError` if there is no run or no intact checkpoint, or if the state does not fit `template`.
    """
    load_config(run_dir)
    state, iteration, _ = checkpoints.restore(run_path(run_dir) / CHECKPOINTS, template)
    return state, iteration


def restore_part(
    run_dir: str | os.PathLike[str], templates: Mapping[str, Any], *, rename: Callable[[str], str] | None = None
) -> tuple[dict[str, Any], int]:
    """Returns parts of the newest intact state of a run and its iteration; nothing else of the state is read.

    ```
    parts, iteration = restore_part(run_dir, {".agent.average": jax.eval_shape(...), ".env_steps": 0})
    params = parts[".agent.average"]
    ```

    Args:
      run_dir: a run directory; another process may be training in it.
      templates: for the name of each part, a tree as there, whose leaves may be `jax.ShapeDtypeStruct`s. The name of a
        part is its path in the state, `.params['actor']`, as `jax.tree_util.keystr` writes it; the names of all leaves
        are in `leaves.json` of a checkpoint.
      rename: the name that a leaf has in an older checkpoint, by its name today; asked for those that are not there.

    Raises `RunError` if there is no run or no intact checkpoint, or if a part is not there or of another shape.
    """
    load_config(run_dir)
    return checkpoints.restore_part(run_path(run_dir) / CHECKPOINTS, templates, rename)
