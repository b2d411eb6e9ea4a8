"""A training killed at any moment loses nothing: the same command again ends with the same numbers, to the bit."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import jax
import metarl_envs
import numpy as np
import pearl_jax
import pytest
from rlcore.experiment import from_dict, load_config, restore_latest

TRAIN = Path(__file__).resolve().parents[1] / "train_pearl.py"
COMMAND = [sys.executable, TRAIN, "--preset=tiny", "--num_iterations=24", "--override=num_updates=150"]
NUM_KILLS = 10


def _metrics(run_dir):
    rows = [json.loads(line) for line in (run_dir / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in row.items() if not name.startswith("time/")} for row in rows]


def _final_state(run_dir):
    saved = load_config(run_dir)
    benchmark = metarl_envs.benchmark(saved["benchmark"])
    agent = pearl_jax.make_agent(from_dict(pearl_jax.PearlConfig, saved["pearl"]), benchmark)
    state, iteration = restore_latest(run_dir, pearl_jax.init_state(agent, benchmark, saved["seed"]))
    return state._replace(key=jax.random.key_data(state.key)), iteration


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_ten_kills_at_random_moments_change_nothing(tmp_path):
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run([*COMMAND, f"--run_dir={whole}"], env=environment, check=True)

    moments = random.Random(0)
    num_kills, reached = 0, set()
    while num_kills < NUM_KILLS:
        process = subprocess.Popen([*COMMAND, f"--run_dir={killed}"], env=environment)
        try:
            process.wait(timeout=moments.uniform(1, 30))
            break  # it finished before its moment came
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
            num_kills += 1
            reached.add(len(_metrics(killed)) if (killed / "metrics.jsonl").exists() else 0)
    print(f"{num_kills} kills; metrics lines at the kills: {sorted(reached)}")
    assert num_kills == NUM_KILLS
    assert len(reached) > 1  # some of them came amid training
    subprocess.run([*COMMAND, f"--run_dir={killed}"], env=environment, check=True)

    assert _metrics(killed) == _metrics(whole)
    (one, last), (other, other_last) = _final_state(killed), _final_state(whole)
    assert last == other_last == 24
    jax.tree.map(np.testing.assert_array_equal, one, other)
