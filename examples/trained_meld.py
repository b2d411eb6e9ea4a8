"""A trained MELD, read back from its run directory."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import meld_jax
import metarl_envs
import numpy as np
from metarl_envs import Benchmark
from rlcore.experiment import from_dict, load_config, override, restore_latest


class TrainedMeld(NamedTuple):
    """agent: what was trained. benchmark: on what. state: all of it. iteration: for how long."""

    agent: meld_jax.MeldAgent
    benchmark: Benchmark
    state: meld_jax.TrainState
    iteration: int


def load_trained(run_dir: str, overrides: Sequence[str] = ()) -> TrainedMeld:
    """Reads the newest checkpoint of a run of train_meld.py, with some test options of its config replaced.

    Raises:
      ValueError: there is no such run, or an override is no option of it.
    """
    saved = load_config(run_dir)
    if "meld" not in saved:
        raise ValueError(f"run_dir must be a run of train_meld.py, got {run_dir}")
    config = override(from_dict(meld_jax.MeldConfig, saved["meld"]), overrides)
    benchmark = metarl_envs.benchmark(saved["benchmark"])
    agent = meld_jax.make_agent(config, benchmark)
    num_expert_trials = saved["first_stage"]["num_trials"]
    template = jax.eval_shape(lambda: meld_jax.init_state(agent, benchmark, saved["seed"], num_expert_trials))
    state, iteration = restore_latest(run_dir, template)
    return TrainedMeld(agent, benchmark, state, iteration)


def load_first_stage(run_dir: str, agent: meld_jax.MeldAgent, benchmark: Benchmark) -> meld_jax.TrainState:
    """The end of a first stage.

    Raises:
      ValueError: there is none, or what it holds does not fit the second stage.
    """
    first = load_trained(run_dir)
    tasks = [jax.tree.leaves(b.train_tasks) for b in (first.benchmark, benchmark)]
    if len(tasks[0]) != len(tasks[1]) or not all(map(np.array_equal, *tasks)):
        raise ValueError(f"first_stage must be of the tasks of {benchmark.name}, got one of {first.benchmark.name}")
    trials = [jax.eval_shape(a.example_trial) for a in (first.agent, agent)]
    if trials[0] != trials[1]:
        raise ValueError(f"first_stage must have trials of the same shape, got {run_dir}")
    if first.agent.config.model != agent.config.model:
        raise ValueError(f"first_stage must have the same options of the model, got {run_dir}")
    if first.agent.config.second_stage_reward == "reward":
        raise ValueError(f"first_stage must have second_stage_reward set, for example to sparse_reward, got {run_dir}")
    return first.state
