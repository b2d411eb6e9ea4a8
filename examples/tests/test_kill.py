"""A training killed at any moment loses nothing: the same command again ends with the same numbers, to the bit."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import metarl_envs
import numpy as np
import pearl_jax
import pytest
from rlcore.experiment import from_dict, load_config, restore_latest
from rlcore.meta import init_state

TRAIN = Path(__file__).resolve().parents[1] / "train_pearl.py"
NUM_KILLS, NUM_ITERATIONS = 10, 160
COMMAND = [sys.executable, TRAIN, "--preset=tiny", f"--num_iterations={NUM_ITERATIONS}", "--override=num_updates=100"]


def _metrics(run_dir):
    rows = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in row.items() if not name.startswith("time/")} for row in rows]


def _num_iterations(run_dir):
    metrics = run_dir / "metrics.jsonl"
    return metrics.read_bytes().count(b"\n") if metrics.exists() else 0


def _wait_some(process, run_dir, moments):
    """Until up to 12 more iterations are done, and then up to a second more: a start takes longer than an iteration."""
    target = _num_iterations(run_dir) + moments.randint(0, 12)
    while _num_iterations(run_dir) < target and process.poll() is None:
        time.sleep(0.01)
    time.sleep(moments.uniform(0, 1))


def _final_state(run_dir):
    saved = load_config(run_dir)
    learner = pearl_jax.PearlLearner(
        from_dict(pearl_jax.PearlConfig, saved["config"]), metarl_envs.benchmark(saved["benchmark"]["name"])
    )
    state, iteration = restore_latest(run_dir, init_state(learner, saved["seed"]))
    return state._replace(key=jax.random.key_data(state.key)), iteration


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_ten_kills_at_random_moments_change_nothing(tmp_path):
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run([*COMMAND, f"--run_dir={whole}"], env=environment, check=True)

    moments, reached = random.Random(0), []
    for _ in range(NUM_KILLS):
        process = subprocess.Popen([*COMMAND, f"--run_dir={killed}"], env=environment)
        _wait_some(process, killed, moments)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        reached.append(_num_iterations(killed))
    print(f"iterations done at the kills: {reached}")
    assert len(set(reached)) > NUM_KILLS // 2
    assert max(reached) < NUM_ITERATIONS
    subprocess.run([*COMMAND, f"--run_dir={killed}"], env=environment, check=True)

    assert _metrics(killed) == _metrics(whole)
    (one, last), (other, other_last) = _final_state(killed), _final_state(whole)
    assert last == other_last == NUM_ITERATIONS
    jax.tree.map(np.testing.assert_array_equal, one, other)
