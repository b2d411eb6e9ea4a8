"""Training runs of MELD: opened, trained in, and read back; see `rlcore.meta.Algorithm`."""

import os
from typing import Any, cast

import jax
import metarl_envs
import numpy as np
from metarl_envs import Benchmark
from rlcore.experiment import from_dict, restore_part
from rlcore.meta import Algorithm

from meld_jax.config import MeldConfig
from meld_jax.learner import FirstStage, MeldLearner


def _describe(first_stage: FirstStage | None = None) -> dict[str, Any]:
    num_trials = first_stage.replay.capacity if first_stage else 0
    return {"first_stage": {"run_dir": first_stage and first_stage.run_dir, "num_trials": num_trials}}


ALGORITHM = Algorithm(
    "meld",
    "meld_jax",
    MeldLearner,
    lambda saved: from_dict(MeldConfig, saved.config),
    metarl_envs.benchmark,
    _describe,
)
open_run, train, load = ALGORITHM.open_run, ALGORITHM.train, ALGORITHM.load


def load_first_stage(run_dir: str | os.PathLike[str], config: MeldConfig, benchmark: Benchmark) -> FirstStage:
    """The end of a first stage, for a second one of these options on this benchmark.

    Raises:
      ValueError: there is none, or what it holds does not fit the second stage.
    """
    _, learner, its_benchmark = ALGORITHM.read(run_dir)
    first = cast(MeldLearner, learner)
    tasks = [jax.tree.leaves(b.take_train_tasks(np.arange(b.num_train_tasks))) for b in (its_benchmark, benchmark)]
    if len(tasks[0]) != len(tasks[1]) or not all(map(np.array_equal, *tasks)):
        raise ValueError(f"first_stage must be of the tasks of {benchmark.name}, got one of {its_benchmark.name}")
    if first.config.model != config.model:
        raise ValueError(f"first_stage must have the same options of the model, got {run_dir}")
    if first.config.second_stage_reward == "reward":
        raise ValueError(f"first_stage must have second_stage_reward set, for example to sparse_reward, got {run_dir}")
    trials = [jax.eval_shape(learner.agent.example_trial) for learner in (first, MeldLearner(config, benchmark))]
    if trials[0] != trials[1]:
        raise ValueError(f"first_stage must have trials of the same shape, got {run_dir}")
    agent, data = jax.eval_shape(first.init, jax.random.key(0))
    parts, _ = restore_part(run_dir, {".agent.model": agent.model, ".data.replay": data.replay})
    return FirstStage(str(run_dir), parts[".agent.model"], parts[".data.replay"])
