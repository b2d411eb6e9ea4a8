"""Runs jobs side by side, each on a core of its own, and ends them when the user asks."""

import contextlib
import os
import signal
import subprocess
import time
import types
from collections.abc import Generator, Sequence
from typing import NamedTuple

from rlcore.experiment import tell

from support.jobs.children import start
from support.jobs.records import Job, read_tail

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_POLL_S = 0.1


class _Running(NamedTuple):
    """A job that runs. core: its own, or None."""

    job: Job
    process: subprocess.Popen[bytes]
    core: int | None
    start: float


class Runner:
    """Runs jobs, a number of them at a time.

    failed: by name, those that ended otherwise than finished, and those that were left out for want of them.
    """

    def __init__(self, num_jobs: int) -> None:
        """Cores are those that this process may use; with more jobs than cores the system shares them out."""
        cores: list[int] = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        self._cores: list[int | None] = [*cores[:num_jobs]] if num_jobs <= len(cores) else [None] * num_jobs
        self._running: list[_Running] = []
        self._signals: list[int] = []
        self._exit_signal: int | None = None
        self.failed: dict[str, str] = {}

    def run(self, jobs: Sequence[Job]) -> None:
        """Starts them in order, each as soon as a core is free and what it reads is there.

        After Ctrl-C, a termination request or the end of the terminal nothing is started any more; the jobs save what
        they have, and the program exits with 128 and the signal's number.
        """
        waiting = list(jobs)
        with self._watch():
            while self._running or (waiting and self._exit_signal is None):
                self._pass_signals_on()
                self._reap()
                while self._exit_signal is None and self._cores and (job := self._take(waiting)):
                    self._start(job, self._cores.pop(0))
                if self._running:
                    time.sleep(_POLL_S)
        if self._exit_signal is not None:
            tell("stopped; run the same command again to go on")
            raise SystemExit(128 + self._exit_signal)

    def _take(self, waiting: list[Job]) -> Job | None:
        """Removes and returns the first that can start; removes those that nothing can come of, and says so."""
        for job in list(waiting):
            missing = [name for name in job.after if name in self.failed]
            if missing:
                waiting.remove(job)
                self._fail(job, f"left out: it needs {missing[0]}")
            elif self._is_ready(job, waiting):
                waiting.remove(job)
                if not job.is_finished():
                    return job
                tell(f"{job.name}: is there by now")  # what a training draws at its end, or another process made
        return None

    def _is_ready(self, job: Job, waiting: Sequence[Job]) -> bool:
        pending = {other.name for other in (*waiting, *(running.job for running in self._running))}
        taken = {running.job.place for running in self._running}
        return job.place not in taken and not any(name in pending for name in job.after)

    def _start(self, job: Job, core: int | None) -> None:
        process = start(job.command, job.log, cores=None if core is None else {core})
        self._running.append(_Running(job, process, core, time.monotonic()))
        tell(f"{job.name}: started{'' if core is None else f' on core {core}'}, log in {job.log}")

    def _reap(self) -> None:
        for running in [running for running in self._running if running.process.poll() is not None]:
            self._running.remove(running)
            self._cores.append(running.core)
            job, code, minutes = running.job, running.process.returncode, (time.monotonic() - running.start) / 60
            if code == 0 and job.is_finished():
                tell(f"{job.name}: finished after {minutes:.1f} min")
            elif self._exit_signal is not None:
                tell(f"{job.name}: stopped after {minutes:.1f} min")
            else:
                reason = f"failed with exit code {code}" if code else "ended, but is not finished"
                self._fail(job, f"{reason}; the end of {job.log}:\n{read_tail(job.log)}")

    def _fail(self, job: Job, reason: str) -> None:
        self.failed[job.name] = reason.partition(";")[0]
        tell(f"{job.name}: {reason}")

    @contextlib.contextmanager
    def _watch(self) -> Generator[None]:
        """Within it, signals go to what runs; one that this process ignores, as under nohup, stays ignored."""
        previous = {number: signal.getsignal(number) for number in _SIGNALS}
        for number in _SIGNALS:
            if previous[number] != signal.SIG_IGN:
                signal.signal(number, self._handle)
        try:
            yield
        finally:
            for running in self._running:  # only where this program itself has failed
                running.process.terminate()
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _handle(self, number: int, frame: types.FrameType | None) -> None:
        del frame
        self._signals.append(number)

    def _pass_signals_on(self) -> None:
        """The first lets jobs save what they have, the second ends them at once."""
        while self._signals:
            self._exit_signal = self._signals.pop(0)
            for running in self._running:
                number = signal.SIGINT if self._exit_signal == signal.SIGINT else signal.SIGTERM
                running.process.send_signal(number)
            tell("\nruns stop after what they are at; once more to stop them at once")
