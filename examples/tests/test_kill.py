"""A training killed at any moment loses nothing: the same command again ends with the same numbers, to the bit."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
import pytest
from meld_jax.runs import ALGORITHM as MELD
from metarl_baselines.maesn.runs import ALGORITHM as MAESN
from metarl_baselines.maml.runs import MAML_TRPO, PROMP
from metarl_baselines.recurrent_sac.runs import ALGORITHM as RECURRENT_SAC
from metarl_baselines.rl2.runs import ALGORITHM as RL2
from metarl_baselines.varibad.runs import ALGORITHM as VARIBAD
from pearl_jax.runs import ALGORITHM as PEARL
from rlcore.experiment import restore_latest
from rlcore.meta import Algorithm, init_state

EXAMPLES = Path(__file__).resolve().parents[1]
NUM_KILLS = 20


class Case(NamedTuple):
    """algorithm: whose runs they are. example: what trains. flags: of the example. num_iterations: to train."""

    algorithm: Algorithm
    example: str
    flags: tuple[str, ...]
    num_iterations: int


_QUICK = ("--override=num_updates=5",)
CASES = {
    "navigation": Case(PEARL, "train_pearl.py", ("--override=num_updates=100",), 200),
    "half-cheetah": Case(
        PEARL,
        "train_pearl.py",
        (
            "--benchmark=half-cheetah-vel-v0",
            "--override=num_tasks_per_iteration=3",
            "--override=num_initial_episodes=1",
            "--override=num_updates=20",
        ),
        120,
    ),
    "images": Case(MELD, "train_meld.py", (), 240),
    "recurrent-sac": Case(RECURRENT_SAC, "train_baseline.py", ("--algorithm=recurrent-sac", *_QUICK), 2000),
    "rl2": Case(RL2, "train_baseline.py", ("--algorithm=rl2",), 2000),
    "maml-trpo": Case(MAML_TRPO, "train_baseline.py", ("--algorithm=maml-trpo",), 8000),
    "promp": Case(PROMP, "train_baseline.py", ("--algorithm=promp",), 8000),
    "maesn": Case(MAESN, "train_baseline.py", ("--algorithm=maesn",), 8000),
    "varibad": Case(VARIBAD, "train_baseline.py", ("--algorithm=varibad", *_QUICK), 2000),
}


def _metrics(run_dir):
    rows = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in row.items() if not name.startswith("time/")} for row in rows]


def _num_iterations(run_dir):
    metrics = run_dir / "metrics.jsonl"
    return metrics.read_bytes().count(b"\n") if metrics.exists() else 0


def _wait_some(process, run_dir, moments):
    """Until up to 8 more iterations are done, and then up to a second more: a start takes longer than an iteration."""
    target = _num_iterations(run_dir) + moments.randint(0, 8)
    while _num_iterations(run_dir) < target and process.poll() is None:
        time.sleep(0.01)
    time.sleep(moments.uniform(0, 1))


def _final_state(algorithm, run_dir):
    saved, learner, _ = algorithm.read(run_dir)
    state, iteration = restore_latest(run_dir, jax.eval_shape(lambda: init_state(learner, saved.seed)))
    return state._replace(key=jax.random.key_data(state.key)), iteration


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", CASES)
def test_twenty_kills_at_random_moments_change_nothing(tmp_path, name):
    case = CASES[name]
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "MPLBACKEND": "Agg"}
    command = [sys.executable, EXAMPLES / case.example, "--preset=tiny", f"--num_iterations={case.num_iterations}"]
    command += case.flags
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run([*command, f"--run_dir={whole}"], env=environment, check=True)

    moments, reached = random.Random(0), []
    for _ in range(NUM_KILLS):
        process = subprocess.Popen([*command, f"--run_dir={killed}"], env=environment)
        _wait_some(process, killed, moments)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        reached.append(_num_iterations(killed))
    print(f"iterations done at the kills: {reached}")
    assert len(set(reached)) > NUM_KILLS // 2
    assert max(reached) < case.num_iterations
    subprocess.run([*command, f"--run_dir={killed}"], env=environment, check=True)

    assert _metrics(killed) == _metrics(whole)
    (one, last), (other, other_last) = (_final_state(case.algorithm, run_dir) for run_dir in (killed, whole))
    assert last == other_last == case.num_iterations
    jax.tree.map(np.testing.assert_array_equal, one, other)
