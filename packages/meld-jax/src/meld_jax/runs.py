"""Training runs of MELD: opened, gone on with, and read back."""

import os
from collections.abc import Sequence
from typing import Any

import jax
import metarl_envs
import numpy as np
from metarl_envs import Benchmark
from rlcore.experiment import Run, from_dict, override, package_versions, restore_part
from rlcore.meta import (
    SavedRun,
    Trained,
    TrainState,
    check_benchmark,
    check_run,
    closed_on_error,
    identify,
    load_trained,
    meta_train,
    read_run,
)

from meld_jax.config import MeldConfig
from meld_jax.learner import FirstStage, MeldLearner

ALGORITHM = "meld"


def open_run(
    run_dir: str | os.PathLike[str],
    config: MeldConfig,
    benchmark: Benchmark,
    seed: int,
    *,
    first_stage: FirstStage | None = None,
    **options: Any,
) -> Run:
    """Opens a new run, or one to go on with.

    Args:
      run_dir: a directory that holds this run, is empty, or does not exist.
      config: the options.
      benchmark: what to train on.
      seed: of everything random.
      first_stage: from `load_first_stage`.
      **options: of `rlcore.experiment.Run.open`: `checkpoint_every`, `keep`, `tensorboard`.

    Raises:
      RunError: the directory holds another run; shows where they differ.
    """
    versions = package_versions("meld-jax", "metarl-envs", "rlcore", "jax")
    return Run.open(run_dir, _identify(config, benchmark, seed, first_stage), versions=versions, **options)


def train(
    config: MeldConfig,
    benchmark: Benchmark,
    run: Run,
    *,
    seed: int,
    num_iterations: int,
    first_stage: FirstStage | None = None,
) -> TrainState:
    """Meta-trains MELD in a run that `open_run` opened with the same arguments, see `rlcore.meta.meta_train`.

    Raises:
      ValueError: the config does not fit the benchmark.
      RunError: the run is another one, or does not fit into memory.
      NonFiniteError: an environment, the agent or a loss gave a number that is not finite; the last checkpoint is
        intact.
    """
    with closed_on_error(run):
        check_run(run, _identify(config, benchmark, seed, first_stage), "meld_jax.open_run")
        learner = MeldLearner(config, benchmark, first_stage)
    return meta_train(learner, benchmark, run, seed=seed, num_iterations=num_iterations)


def load(
    run_dir: str | os.PathLike[str], overrides: Sequence[str] = (), *, benchmark: Benchmark | None = None
) -> Trained:
    """Reads the newest checkpoint of a run, also while it goes on.

    Args:
      run_dir: of the run.
      overrides: test options of its config to replace, such as `num_test_trials=5`.
      benchmark: that it was trained on; by default the registered one of its name.

    Raises:
      RunError: there is no such run, it is of another algorithm or benchmark, or its checkpoints are damaged.
      ValueError: no benchmark has its name, or an override is no option.
    """
    learner, benchmark, saved = _read(run_dir, overrides, benchmark)
    return load_trained(run_dir, learner, benchmark, saved.seed)


def load_first_stage(run_dir: str | os.PathLike[str], config: MeldConfig, benchmark: Benchmark) -> FirstStage:
    """The end of a first stage, for a second one of these options on this benchmark.

    Raises:
      ValueError: there is none, or what it holds does not fit the second stage.
    """
    first, its_benchmark, _ = _read(run_dir, (), None)
    tasks = [jax.tree.leaves(b.train_tasks) for b in (its_benchmark, benchmark)]
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


def _read(
    run_dir: str | os.PathLike[str], overrides: Sequence[str], benchmark: Benchmark | None
) -> tuple[MeldLearner, Benchmark, SavedRun]:
    saved = read_run(run_dir, ALGORITHM)
    config = override(from_dict(MeldConfig, saved.config), overrides)
    benchmark = benchmark or metarl_envs.benchmark(saved.benchmark["name"])
    check_benchmark(saved, benchmark, run_dir)
    first_stage = saved.parts.get("first_stage", {"num_trials": 0})  # ablations of version 0.1.0 had none
    return MeldLearner(config, benchmark, num_expert_trials=first_stage["num_trials"]), benchmark, saved


def _identify(config: MeldConfig, benchmark: Benchmark, seed: int, first_stage: FirstStage | None) -> dict[str, Any]:
    num_trials = first_stage.replay.capacity if first_stage else 0
    part = {"run_dir": first_stage and first_stage.run_dir, "num_trials": num_trials}
    return identify(ALGORITHM, config, benchmark, seed, {"first_stage": part})
