"""How much memory a run needs, said and checked before it starts."""

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from rlcore.experiment.errors import RunError

_GB = 1e9

COMPILER_BYTES = 600_000_000
"""What JAX takes on a CPU beside arrays once it compiles, and keeps. Measured with PEARL: 0.46 to 0.66 GB on
point-sparse, 0.75 GB on half-cheetah-vel."""


def num_bytes(tree: Any) -> int:
    """Bytes of all arrays of a pytree; they may be `jax.ShapeDtypeStruct`s, as from `jax.eval_shape`."""

    def size(leaf: Any) -> int:
        if not hasattr(leaf, "dtype"):
            return np.asarray(leaf).nbytes
        if jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            leaf = jax.eval_shape(jax.random.key_data, jax.ShapeDtypeStruct(leaf.shape, leaf.dtype))
        return math.prod(leaf.shape) * np.dtype(leaf.dtype).itemsize

    return sum(map(size, jax.tree.leaves(tree)))


def available_bytes() -> int | None:
    """Bytes that can still be had on JAX's first device, in a container those it may have; None where nobody tells."""
    device = jax.devices()[0]
    if device.platform != "cpu":
        stats = device.memory_stats() or {}
        return stats["bytes_limit"] - stats["bytes_in_use"] if "bytes_limit" in stats else None
    limits = [_available_in_container(), _available_in_system()]
    return min((limit for limit in limits if limit is not None), default=None)


def _available_in_system() -> int | None:
    try:
        lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        return int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return None


def _available_in_container(directory: Path = Path("/sys/fs/cgroup")) -> int | None:
    try:
        limit = int((directory / "memory.max").read_text())  # "max" where there is none
        return limit - int((directory / "memory.current").read_text())
    except (OSError, ValueError):
        return None


def resident_bytes() -> int:
    """Bytes of memory that this process takes now; 0 where nobody tells."""
    try:
        status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        return int(status["VmRSS"].split()[0]) * 1024
    except (OSError, KeyError):
        return 0


def check_memory(parts: Mapping[str, int], remedy: str) -> str:
    """Refuses a run that does not fit into memory; call it when everything is imported, and before arrays are made.

    On a CPU the program counts too: what the process takes already, and what compiling will. Saving and restoring
    checkpoints adds no more than the largest array for a moment, see `rlcore.experiment.checkpoints.arrays`;
    `Run.restore` holds its template beside what it restores, `Run.restore_or_init` does not.

    Args:
      parts: bytes by the name of what they are for, such as "replay (100 tasks x 12000 rows x 196 bytes)": all that
        is held at one time, also in the midst of an update.
      remedy: what to change where it does not fit.

    Returns:
      A line that says what the run will hold, in all and in parts, and on which device.

    Raises:
      RunError: with the numbers.
    """
    device = jax.devices()[0]
    need, available = sum(parts.values()), available_bytes()
    total, listed = need, dict(parts)
    if device.platform == "cpu":
        need += COMPILER_BYTES
        listed["program"] = COMPILER_BYTES + resident_bytes()
        total += listed["program"]
    numbers = ", ".join(f"{name} {size / _GB:.2f} GB" for name, size in listed.items())
    room = "" if available is None else f"; available: {available / _GB:.2f} GB"
    if available is not None and need > available:
        raise RunError(f"the run does not fit into memory: {numbers}{room} on {device.device_kind}; {remedy}")
    return f"memory: {numbers}; {total / _GB:.2f} GB in all on {device.device_kind}{room}"
