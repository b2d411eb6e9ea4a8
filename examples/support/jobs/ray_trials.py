"""Runs jobs as trials of Ray Tune, on this machine or on a cluster.

A trial starts the same command as `support.jobs.processes` does, in a worker of Ray, and tells Tune one metric of what
the command writes. All else is in run directories: a trial whose worker dies is started again and goes on there, and so
does one of a sweep that was itself killed. So machines of a cluster have to share the file system of the run
directories, and this checkout with its environment at the same path.

`support.sweep.engines` sets what Ray reads when it is imported.
"""

import signal
import time
import types
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import ray
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from rlcore.experiment import read_metrics, tell

from support.jobs.children import start
from support.jobs.cores import lease_cores
from support.jobs.ray_cluster import Cluster
from support.jobs.records import Job, read_tail

_POLL_S = 1.0
_NUM_TRIES = 3
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Halving(NamedTuple):
    """Asynchronous successive halving (ASHA, Li et al., 2018): of the trials that got as far, the best third goes on.

    num_iterations: of a whole training; a ninth is the least that a trial gets.
    """

    num_iterations: int

    def make(self, metric: str) -> ASHAScheduler:
        """As Tune has it; more of the metric is better. A trial at its end is left to end by itself."""
        limits = {"max_t": self.num_iterations, "grace_period": max(1, self.num_iterations // 9)}
        options = {"time_attr": "iteration", "reduction_factor": 3, "stop_last_trials": False}
        return ASHAScheduler(metric=metric, mode="max", **limits, **options)


class Trials:
    """Runs jobs as trials.

    failed: by name, those that did not come to their end.
    """

    def __init__(self, cluster: Cluster, folder: Path, metric: str, halving: Halving | None = None) -> None:
        """Connects to Ray.

        Args:
          cluster: where trials run.
          folder: for what Tune notes down, and for names of trials that were stopped early, `stopped-ITERATIONS.txt`.
          metric: that Tune gets.
          halving: which trials are stopped early; None for none.

        Raises:
          ValueError: nobody answers at the address, or no machine there has what a trial needs.
        """
        self._cluster, self._folder, self._metric, self._halving = cluster, folder.absolute(), metric, halving
        self.failed: dict[str, str] = {}
        cluster.connect()

    def run(self, jobs: Sequence[Job]) -> None:
        """Runs them; with halving, not those that were stopped early before.

        After Ctrl-C, a termination request or the end of the terminal trials end at once, and the program exits with
        128 and the signal's number.
        """
        chosen = {job.name: job for job in jobs}
        file = self._folder / f"stopped-{self._halving.num_iterations if self._halving else 0}.txt"
        for name in file.read_text().splitlines() if file.exists() else []:
            if chosen.pop(name, None):
                tell(f"{name}: was stopped early")
        if chosen:
            for number in _SIGNALS:
                if signal.getsignal(number) != signal.SIG_IGN:
                    signal.signal(number, _stop)
            self._make_tuner(chosen, file if self._halving else None).fit()
        ray.shutdown()

    def _make_tuner(self, jobs: Mapping[str, Job], stopped: Path | None) -> tune.Tuner:
        cwd = Path.cwd()
        commands = {name: _Command(job.command, cwd / job.place, cwd / job.log, cwd) for name, job in jobs.items()}
        train = partial(_train, commands=commands, metric=self._metric, num_cpus=self._cluster.num_cpus)
        return tune.Tuner(
            tune.with_resources(train, {"cpu": self._cluster.num_cpus, "gpu": self._cluster.num_gpus}),
            param_space={"job": tune.grid_search(list(commands))},
            tune_config=tune.TuneConfig(
                scheduler=self._halving.make(self._metric) if self._halving else None,
                max_concurrent_trials=self._cluster.num_trials,
            ),
            run_config=tune.RunConfig(
                storage_path=str(self._folder / "tune"),
                failure_config=tune.FailureConfig(max_failures=_NUM_TRIES - 1),
                callbacks=[_Teller(jobs, stopped, self.failed)],
                verbose=0,
            ),
        )


class _Teller(tune.Callback):
    """Tells what becomes of trials, and notes it down.

    stopped: the file for names of those that were stopped early; None where none is to be.
    """

    def __init__(self, jobs: Mapping[str, Job], stopped: Path | None, failed: dict[str, str]) -> None:
        self._jobs, self._stopped, self._failed = jobs, stopped, failed

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Also of one that is started again."""
        job = self._jobs[trial.config["job"]]
        tell(f"{job.name}: started, log in {job.log}")

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Also of one that the scheduler stops."""
        job = self._jobs[trial.config["job"]]
        if job.is_finished():
            tell(f"{job.name}: finished")
        elif self._stopped is None:
            self._fail(job, "ended, but is not finished")
        else:
            with self._stopped.open("a") as file:
                file.write(f"{job.name}\n")
            tell(f"{job.name}: stopped early")

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Of one that has failed as often as it may."""
        self._fail(self._jobs[trial.config["job"]], f"failed {_NUM_TRIES} times")

    def _fail(self, job: Job, reason: str) -> None:
        self._failed[job.name] = reason
        tell(f"{job.name}: {reason}; the end of {job.log}:\n{read_tail(job.log)}")


def _stop(number: int, frame: types.FrameType | None) -> None:
    del frame
    tell("\nstopped; run the same command again to go on")
    raise SystemExit(128 + number)


class _Command(NamedTuple):
    """What a worker needs of a job; paths are absolute."""

    command: tuple[str, ...]
    place: Path
    log: Path
    cwd: Path


def _train(config: Mapping[str, Any], *, commands: Mapping[str, _Command], metric: str, num_cpus: int) -> None:
    """A trial, in a worker of Ray. Where the worker ends, its child ends with it."""
    command = commands[config["job"]]
    with lease_cores(num_cpus) as cores:
        process = start(command.command, command.log, cores=cores, cwd=command.cwd)
        try:
            told, ended = 0, False
            while not ended:
                time.sleep(_POLL_S)
                ended = process.poll() is not None  # before the metrics are read, so that the last ones are among them
                for row in read_metrics(command.place) if (command.place / "metrics.jsonl").exists() else []:
                    if row["iteration"] > told and metric in row:
                        told = row["iteration"]
                        tune.report({"iteration": told, metric: row[metric]})  # does not return where Tune stops it
        finally:
            process.kill()
    if process.returncode:
        raise RuntimeError(f"exit code {process.returncode}")
