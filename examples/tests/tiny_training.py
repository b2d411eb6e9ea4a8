"""A training of nothing, in a run directory like any other: each metric is a sum of random numbers so far.

It appends when it starts and ends, and on which cores it may run, to starts.jsonl in the working directory.
"""

import json
import os
import time
from pathlib import Path

import jax
import numpy as np
import tiny_algorithm
from absl import flags
from rlcore.experiment import Run, main, override, to_dict

_SEED = flags.DEFINE_integer("seed", 0, "Of the numbers.")
_NUM_ITERATIONS = flags.DEFINE_integer("num_iterations", 4, "How many.")
_RUN_DIR = flags.DEFINE_string("run_dir", None, "Where.", required=True)
_BENCHMARK = flags.DEFINE_string("benchmark", "none", "Of the config alone.")
_PRESET = flags.DEFINE_string("preset", "tiny", "Of no effect.")
_OVERRIDE = flags.DEFINE_multi_string("override", [], "Of the config.")
_SECONDS = flags.DEFINE_float("seconds", 0.0, "Of an iteration.")
_FAIL_AT = flags.DEFINE_integer("fail_at", 0, "The iteration that goes wrong.")


def write_event(event: str) -> None:
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    row = {"event": event, "run": Path(_RUN_DIR.value).name, "pid": os.getpid(), "time": time.time(), "cores": cores}
    with Path("starts.jsonl").open("a") as file:
        file.write(json.dumps(row) + "\n")


def train() -> None:
    write_event("start")
    config = override(tiny_algorithm.TinyConfig(), _OVERRIDE.value)
    identity = {"algorithm": "tiny", "benchmark": {"name": _BENCHMARK.value}, "seed": _SEED.value}
    with Run.open(_RUN_DIR.value, {**identity, "config": to_dict(config)}, checkpoint_every=1) as run:
        state, start = run.restore({"key": jax.random.key(_SEED.value), "sum": np.float32(config.part.start)})
        for iteration in run.iterations(start, _NUM_ITERATIONS.value):
            if iteration in (_FAIL_AT.value, config.fail_at):
                raise ArithmeticError("the tiny training was told to fail")
            time.sleep(_SECONDS.value or config.seconds)
            key, use_key = jax.random.split(state["key"])
            state = {"key": key, "sum": np.float32(state["sum"] + jax.random.randint(use_key, (), 0, 1000))}
            metrics = {"env_steps": 10 * iteration, "test/return": state["sum"], "test/return_1": state["sum"]}
            run.finish_iteration(iteration, state, metrics)
    write_event("end")


if __name__ == "__main__":
    main(train)
