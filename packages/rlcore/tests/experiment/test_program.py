"""A whole program in its own process, killed and interrupted."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rlcore.experiment import restore_latest

PROGRAM = Path(__file__).with_name("program.py")
NUM_ITERATIONS = 40
FLAGS = [f"--num_iterations={NUM_ITERATIONS}", "--override=sleep_s=0.02"]

Start = Callable[[str], subprocess.Popen[bytes]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the program in `tmp_path/<name>`, its errors go to `tmp_path/<name>-errors`; none outlives the test."""
    processes: list[subprocess.Popen[bytes]] = []
    warnings = ["-W", "error"]
    # Another process may be writing the entry: JAX's cache does not do so atomically.
    warnings += ["-W", "ignore:Error reading persistent compilation cache entry:UserWarning"]
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}

    def start_program(name: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, *warnings, str(PROGRAM), f"--run_dir={tmp_path / name}", *FLAGS]
        with (tmp_path / f"{name}-errors").open("wb") as errors:
            processes.append(subprocess.Popen(command, stderr=errors, env=environment))
        return processes[-1]

    yield start_program
    for process in processes:
        process.kill()
        process.wait()


def signal_in_training(process: subprocess.Popen[bytes], run_dir: Path, number: int, delay_s: float) -> int:
    """Sends a signal some time after the process first writes metrics; returns its exit code."""
    path = run_dir / "metrics.jsonl"
    before = path.stat().st_size if path.exists() else 0
    # Resuming takes back lines, so the file may shrink first.
    while process.poll() is None and (path.stat().st_size if path.exists() else 0) in (0, before):
        time.sleep(0.002)
    time.sleep(delay_s)
    process.send_signal(number)
    return process.wait()


def test_killed_and_interrupted_it_ends_with_the_same_numbers(
    start: Start, tmp_path: Path, toy: SimpleNamespace, assert_same: Any, read_timeless: Any
) -> None:
    run_dir, errors, rng = tmp_path / "run", tmp_path / "run-errors", random.Random(0)
    undisturbed = start("undisturbed")
    for _ in range(3):
        code = signal_in_training(start("run"), run_dir, signal.SIGKILL, rng.uniform(0.0, 0.2))
        assert code == -signal.SIGKILL, errors.read_text()

    code = signal_in_training(start("run"), run_dir, signal.SIGINT, 0.0)
    assert code == 130, errors.read_text()
    template = toy.init_fn(toy.Config(), 0)
    _, iteration = restore_latest(run_dir, template)
    assert f"stopped after iteration {iteration}; run the same command again to go on" in errors.read_text()
    assert [entry["iteration"] for entry in read_timeless(run_dir)] == list(range(1, iteration + 1))

    assert (start("run").wait(), undisturbed.wait()) == (0, 0), errors.read_text()
    state, iteration = restore_latest(run_dir, template)
    assert iteration == NUM_ITERATIONS
    assert_same(state, restore_latest(tmp_path / "undisturbed", template)[0])
    assert read_timeless(run_dir) == read_timeless(tmp_path / "undisturbed")
