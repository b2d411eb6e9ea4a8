"""Runs needs side by side, each on a core of its own, and ends them when the user asks."""

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import time
import types
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import NamedTuple

from rlcore.experiment import tell

from support.thesis.records import Need
from support.thesis.status import Look, make_flags

EXAMPLES = Path(__file__).resolve().parents[2]
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_POLL_S = 0.1
_TAIL_LINES = 12


class _Job(NamedTuple):
    """A need that runs. core: its own, or None."""

    need: Need
    process: subprocess.Popen[bytes]
    core: int | None
    log: Path
    start: float


class Runner:
    """Runs needs, a number of them at a time.

    failed: by name, those that ended otherwise than finished, and those that were left out for want of them.
    """

    def __init__(self, look: Look, num_jobs: int) -> None:
        """Cores are those that this process may use; with more jobs than cores the system shares them out."""
        self._look = look
        cores: list[int] = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else []
        self._cores: list[int | None] = [*cores[:num_jobs]] if num_jobs <= len(cores) else [None] * num_jobs
        self._jobs: list[_Job] = []
        self._signals: list[int] = []
        self._exit_signal: int | None = None
        self.failed: dict[str, str] = {}

    def run(self, needs: Sequence[Need]) -> None:
        """Starts them in order, each as soon as a core is free and what it reads is there.

        After Ctrl-C, a termination request or the end of the terminal nothing is started any more; the runs save what
        they have, and the program exits with 128 and the signal's number.
        """
        waiting = list(needs)
        with self._watch():
            while self._jobs or (waiting and self._exit_signal is None):
                self._pass_signals_on()
                self._reap()
                while self._exit_signal is None and self._cores and (need := self._take(waiting)):
                    self._start(need, self._cores.pop(0))
                if self._jobs:
                    time.sleep(_POLL_S)
        if self._exit_signal is not None:
            tell("stopped; run the same command again to go on")
            raise SystemExit(128 + self._exit_signal)

    def _take(self, waiting: list[Need]) -> Need | None:
        """Removes and returns the first that can start; removes those that nothing can come of, and says so."""
        for need in list(waiting):
            missing = [other.name for other in need.after if other.name in self.failed]
            if missing:
                waiting.remove(need)
                self._fail(need, f"left out: it needs {missing[0]}")
            elif self._is_ready(need, waiting):
                waiting.remove(need)
                if not self._look.find_run(need).finished:
                    return need
                tell(f"{need.name}: is there by now")  # what a training draws at its end, or another process made
        return None

    def _is_ready(self, need: Need, waiting: Sequence[Need]) -> bool:
        pending = {other.name for other in (*waiting, *(job.need for job in self._jobs))}
        taken = {job.need.place for job in self._jobs}
        return need.place not in taken and not any(other.name in pending for other in need.after)

    def _start(self, need: Need, core: int | None) -> None:
        command = [sys.executable, str(EXAMPLES / need.program), *make_flags(need, self._look.runs)]
        log = get_log(self._look.runs, need)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as file:
            file.write(f"$ {shlex.join(command)}\n".encode())
            file.flush()
            with _pinned(core):
                # In a session of its own, so that Ctrl-C reaches it once, from here.
                process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True
                )
        self._jobs.append(_Job(need, process, core, log, time.monotonic()))
        tell(f"{need.name}: started{'' if core is None else f' on core {core}'}, log in {log}")

    def _reap(self) -> None:
        for job in [job for job in self._jobs if job.process.poll() is not None]:
            self._jobs.remove(job)
            self._cores.append(job.core)
            code, minutes = job.process.returncode, (time.monotonic() - job.start) / 60
            if code == 0 and self._look.find_run(job.need).finished:
                tell(f"{job.need.name}: finished after {minutes:.1f} min")
            elif self._exit_signal is not None:
                tell(f"{job.need.name}: stopped after {minutes:.1f} min")
            else:
                reason = f"failed with exit code {code}" if code else "ended, but is not finished"
                self._fail(job.need, f"{reason}; the end of {job.log}:\n{read_tail(job.log)}")

    def _fail(self, need: Need, reason: str) -> None:
        self.failed[need.name] = reason.partition(";")[0]
        tell(f"{need.name}: {reason}")

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
            for job in self._jobs:  # only where this program itself has failed
                job.process.terminate()
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _handle(self, number: int, frame: types.FrameType | None) -> None:
        del frame
        self._signals.append(number)

    def _pass_signals_on(self) -> None:
        """The first lets runs save what they have, the second ends them at once."""
        while self._signals:
            self._exit_signal = self._signals.pop(0)
            for job in self._jobs:
                job.process.send_signal(signal.SIGINT if self._exit_signal == signal.SIGINT else signal.SIGTERM)
            tell("\nruns stop after what they are at; once more to stop them at once")


def get_log(runs: Path, need: Need) -> Path:
    """Where what a need's command prints is."""
    return runs / "logs" / f"{need.name.replace('/', '-')}.log"


def read_tail(log: Path) -> str:
    """The last lines of a log, indented."""
    lines = log.read_text(errors="replace").splitlines()
    return "\n".join(f"    {line}" for line in lines[-_TAIL_LINES:])


@contextlib.contextmanager
def _pinned(core: int | None) -> Generator[None]:
    """Within it, what is started runs on this core, if there is one to run on."""
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
