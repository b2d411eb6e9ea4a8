"""Where metrics go beside `metrics.jsonl`: TensorBoard, Weights & Biases, MLflow, or a tracker of one's own.

A tracker is told what is written to `metrics.jsonl`, and nothing is read from it. Whatever goes wrong with one once the
run has begun is told once, and the training goes on without it.
"""

import importlib
import importlib.util
import os
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from rlcore.experiment.checks import check_choice
from rlcore.experiment.errors import RunError
from rlcore.experiment.files import write_atomically
from rlcore.experiment.reporting.metrics import Scalar
from rlcore.experiment.reporting.screen import tell
from rlcore.experiment.reporting.tensorboard import TensorBoard

End = Literal["finished", "stopped", "failed"]
"""How the training in this process ended: as it should, by Ctrl-C or a termination request, or by an error."""


class Tracker(Protocol):
    """Takes the metrics of one run."""

    def write(self, iteration: int, scalars: Mapping[str, Scalar]) -> None:
        """Takes the metrics of an iteration; after a restart some iterations come again, with the same numbers."""
        ...

    def close(self, end: End) -> None:
        """Ends what this process began."""
        ...


class WandB:
    """A run of Weights & Biases, begun at the first metrics, that a restart goes on with where it is online.

    Its environment variables hold: `WANDB_PROJECT` names the project (`rlcore`), `WANDB_MODE=offline` sends nothing; a
    restart then writes another offline run, of the same name.
    """

    def __init__(self, run_dir: Path, config: Mapping[str, Any]) -> None:
        self._run_dir, self._config = run_dir, config
        self._run: Any = None

    def write(self, iteration: int, scalars: Mapping[str, Scalar]) -> None:
        """See `Tracker`; Weights & Biases leaves out steps that it has."""
        if self._run is None:
            wandb: Any = importlib.import_module("wandb")
            project = os.environ.get("WANDB_PROJECT", "rlcore")
            run_id = _remember(self._run_dir / "wandb_id", lambda: uuid.uuid4().hex)
            options = {"id": run_id, "resume": "allow", "name": self._run_dir.name, "config": dict(self._config)}
            self._run = wandb.init(project=project, dir=str(self._run_dir), **options)
        self._run.log(dict(scalars), step=iteration)

    def close(self, end: End) -> None:
        """See `Tracker`."""
        if self._run is not None:
            self._run.finish(exit_code=0 if end == "finished" else 1)


class MLflow:
    """A run of MLflow, begun at the first metrics, that a restart goes on with.

    Its environment variables hold: `MLFLOW_TRACKING_URI` says where, `MLFLOW_EXPERIMENT_NAME` in which experiment
    (`rlcore`).
    """

    def __init__(self, run_dir: Path, config: Mapping[str, Any]) -> None:
        self._run_dir, self._config = run_dir, config
        self._client: Any = None
        self._run_id = ""

    def write(self, iteration: int, scalars: Mapping[str, Scalar]) -> None:
        """See `Tracker`; MLflow keeps what comes again beside what it has."""
        if self._client is None:
            self._client = self._begin()
        entities: Any = importlib.import_module("mlflow.entities")
        now = int(1000 * time.time())
        metrics = [entities.Metric(name, value, now, iteration) for name, value in scalars.items()]
        self._client.log_batch(self._run_id, metrics)

    def _begin(self) -> Any:
        mlflow: Any = importlib.import_module("mlflow")
        client = mlflow.MlflowClient()
        title = os.environ.get("MLFLOW_EXPERIMENT_NAME", "rlcore")

        def create() -> str:
            found = client.get_experiment_by_name(title)
            experiment = client.create_experiment(title) if found is None else found.experiment_id
            return client.create_run(experiment, run_name=self._run_dir.name).info.run_id

        self._run_id = _remember(self._run_dir / "mlflow_id", create)
        client.update_run(self._run_id, status="RUNNING")
        params = [mlflow.entities.Param(name, str(value)) for name, value in _flatten(self._config)]
        client.log_batch(self._run_id, params=params)  # of a run that goes on the same ones again, which is no error
        return client

    def close(self, end: End) -> None:
        """See `Tracker`."""
        if self._client is not None:
            self._client.update_run(self._run_id, status=_MLFLOW_STATUS[end])


_MLFLOW_STATUS: dict[End, str] = {"finished": "FINISHED", "stopped": "KILLED", "failed": "FAILED"}


class Kind(NamedTuple):
    """A kind of tracker.

    make: from the run directory and the config of a run to its tracker, before anything is written there.
    module: that must be installed. package: what installs it.
    """

    make: Callable[[Path, Mapping[str, Any]], Tracker]
    module: str
    package: str


TRACKERS: dict[str, Kind] = {
    "tensorboard": Kind(lambda run_dir, config: TensorBoard(run_dir), "tensorboardX", "'rlcore[tensorboard]'"),
    "wandb": Kind(WandB, "wandb", "wandb"),
    "mlflow": Kind(MLflow, "mlflow", "mlflow"),
}
"""By the names that `Run.open` and `--track` take; one's own may be added."""


def check_trackers(names: Sequence[str]) -> None:
    """Refuses trackers that cannot be had.

    Raises:
      ValueError: there is none of a name.
      RunError: what it needs is not installed.
    """
    for name in names:
        check_choice("trackers", name, list(TRACKERS))
        kind = TRACKERS[name]
        if importlib.util.find_spec(kind.module) is None:
            raise RunError(f"tracker {name} needs a package: pip install {kind.package}")


class Trackers:
    """Some trackers as one; one that fails is left out from then on."""

    def __init__(self, names: Sequence[str], run_dir: Path, config: Mapping[str, Any]) -> None:
        self._trackers = {name: TRACKERS[name].make(run_dir, config) for name in dict.fromkeys(names)}

    def write(self, iteration: int, scalars: Mapping[str, Scalar]) -> None:
        """See `Tracker`."""
        self._all(lambda tracker: tracker.write(iteration, scalars))

    def close(self, end: End) -> None:
        """See `Tracker`."""
        self._all(lambda tracker: tracker.close(end))
        self._trackers.clear()

    def _all(self, use: Callable[[Tracker], None]) -> None:
        for name, tracker in list(self._trackers.items()):
            try:
                use(tracker)
            except Exception as error:  # a service that is away must not end a training of hours
                del self._trackers[name]
                tell(f"tracker {name} is left out from here on, metrics.jsonl goes on: {error}")


def _remember(path: Path, make: Callable[[], str]) -> str:
    """The name that the tracker knows the run by: as it was first given, across restarts."""
    if not path.exists():
        write_atomically(path, make() + "\n")
    return path.read_text().strip()


def _flatten(config: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Options by their whole names, such as `config.sac.discount`."""
    pairs = []
    for name, value in config.items():
        inner = isinstance(value, Mapping) and value
        pairs += _flatten(value, f"{prefix}{name}.") if inner else [(prefix + name, value)]
    return pairs
