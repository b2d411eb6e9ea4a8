"""The values in checkpoints of rlcore 0.1.0, which orbax wrote."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

DIRECTORY = "arrays"


def read(checkpoint: Path, indices: Sequence[int]) -> Iterator[np.ndarray]:
    """Yields the arrays of `indices`; one of size 0, which orbax cannot hold, comes with shape `[0]`."""
    import orbax.checkpoint as ocp  # takes seconds, and new checkpoints do without

    with ocp.Checkpointer(ocp.PyTreeCheckpointHandler()) as checkpointer:
        arrays = checkpointer.restore((checkpoint / DIRECTORY).absolute(), args=ocp.args.PyTreeRestore())
    for index in indices:
        yield arrays.get(str(index), np.empty(0))
