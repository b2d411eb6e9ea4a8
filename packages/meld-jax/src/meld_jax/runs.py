"""Training runs of MELD: opened, trained in, and read back; see `rlcore.meta.Algorithm`."""

import os
from typing import Any, cast

import jax
import metarl_envs
from metarl_envs import Benchmark
from rlcore.experiment import from_dict, restore_part
from rlcore.meta import Algorithm

from meld_jax.config import MeldConfig
from meld_jax.learner import FirstStage, MeldLearner


def _describe(first_stage: FirstStage | None = None) -> dict[str, Any]:
    num_trials = first_stage.replay.capacity if first_stage else 0
    return {"first_stage": {"run_dir": first_stage and first_stage.run_dir, "num_trials": num_trials}}


ALGORITHM = Algorithm(
    name="meld",
    package="meld_jax",
    config_type=MeldConfig,
    make_learner=MeldLearner,
    read_config=lambda saved: from_dict(MeldConfig, saved.config),
    find_benchmark=metarl_envs.benchmark,
    test_options=("num_test_trials", "deterministic_test", "test_every"),
    describe=_describe,
)
open_run, train, load = ALGORITHM.open_run, ALGORITHM.train, ALGORITHM.load


def load_first_stage(
    run_dir: str | os.PathLike[str],
    config: MeldConfig,
    benchmark: Benchmark,
    *,
    first_benchmark: Benchmark | None = None,
) -> FirstStage:
    """The end of a first stage, for a second one.

    Args:
      run_dir: of the first stage.
      config: of the second stage.
      benchmark: of the second stage.
      first_benchmark: of the first stage; by default the registered one of its name.

    Raises:
      ValueError: there is none, or what it holds does not fit the second stage.
    """
    _, learner, its_benchmark = ALGORITHM.read(run_dir, benchmark=first_benchmark)
    first = cast(MeldLearner, learner)
    if its_benchmark.identity()["train_tasks"] != benchmark.identity()["train_tasks"]:
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
