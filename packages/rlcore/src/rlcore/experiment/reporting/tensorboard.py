"""Metrics for TensorBoard, with the extra `rlcore[tensorboard]`."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rlcore.experiment.directory import TENSORBOARD
from rlcore.experiment.reporting.metrics import Scalar

if TYPE_CHECKING:
    from tensorboardX import SummaryWriter


class TensorBoard:
    """Event files of a run, begun at the first metrics that are written."""

    def __init__(self, run_dir: Path) -> None:
        self._directory = run_dir / TENSORBOARD
        self._writer: SummaryWriter | None = None

    def write(self, iteration: int, scalars: Mapping[str, Scalar]) -> None:
        """Writes the metrics of an iteration; the first call hides what an earlier process wrote from there on."""
        if self._writer is None:
            from tensorboardX import SummaryWriter

            self._writer = SummaryWriter(str(self._directory), purge_step=iteration)
        for name, value in scalars.items():
            self._writer.add_scalar(name, value, iteration)
        self._writer.flush()

    def close(self, end: str) -> None:
        """Closes the event file."""
        del end
        if self._writer is not None:
            self._writer.close()
