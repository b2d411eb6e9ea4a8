"""What runs the trials of a sweep: processes of this machine, or Ray, which is optional.

There is none for joblib. A trial is a process with a command line of its own, so a pool of workers would do nothing but
wait for processes; and it gives none of them a core, does not hand Ctrl-C on, and breaks where a worker dies.
"""

import importlib.util
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from support.jobs.processes import Runner
from support.jobs.records import Job

ENGINES = ("processes", "ray")
_RAY_ENVIRONMENT = {
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",  # under `uv run` each worker would get a copy of the working directory
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",  # which prints a table even where it is told to be quiet
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # metrics are in run directories
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # which would wait for trials that are in a long iteration
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
}
"""Ray reads some of it when it is imported."""


class Engine(Protocol):
    """What runs jobs. failed: afterwards, by name, why those failed that did."""

    failed: dict[str, str]

    def run(self, jobs: Sequence[Job]) -> None:
        """Runs them."""
        ...


def make_engine(
    name: str, num_jobs: int | None, ray_options: Mapping[str, Any], *, runs: Path, metric: str, num_iterations: int
) -> Engine:
    """An engine.

    Args:
      name: of `ENGINES`.
      num_jobs: at a time; None for one, and of Ray for as many as have room.
      ray_options: what the user said of `address`, `cpus`, `gpus` and `scheduler`.
      runs: the folder of run directories.
      metric: by which trials are compared.
      num_iterations: of a trial.

    Raises:
      ValueError: Ray is not installed or not asked for, nobody is at the address, or no machine has room for a trial.
    """
    if name == "processes":
        if ray_options:
            raise ValueError(f"{', '.join(ray_options)} must be given with engine=ray only")
        return Runner(num_jobs or 1)
    if importlib.util.find_spec("ray") is None:
        raise ValueError("engine ray needs Ray, which is not installed: uv run --extra sweep examples/sweep.py ...")
    os.environ.update(_RAY_ENVIRONMENT)
    from support.jobs.ray_cluster import Cluster
    from support.jobs.ray_trials import Halving, Trials

    cpus, gpus = ray_options.get("cpus", 1), ray_options.get("gpus", 0.0)
    cluster = Cluster(ray_options.get("address"), num_jobs, cpus, gpus)
    return Trials(cluster, runs, metric, Halving(num_iterations) if "scheduler" in ray_options else None)
