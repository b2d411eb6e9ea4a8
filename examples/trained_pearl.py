"""A trained PEARL, read back from its run directory."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import metarl_envs
import pearl_jax
from metarl_envs import Benchmark
from rlcore.experiment import from_dict, load_config, override, restore_latest
from rlcore.types import Params


class TrainedPearl(NamedTuple):
    """agent, params: what was trained. benchmark: on what. iteration, env_steps: for how long."""

    agent: pearl_jax.PearlAgent
    params: Params
    benchmark: Benchmark
    iteration: int
    env_steps: int


def load_trained(run_dir: str, overrides: Sequence[str]) -> TrainedPearl:
    """Reads the newest checkpoint of a run of train_pearl.py, with some test options of its config replaced.

    Raises:
      ValueError: there is no such run, or an override is no option of it.
    """
    saved = load_config(run_dir)
    config = override(from_dict(pearl_jax.PearlConfig, saved["pearl"]), overrides)
    benchmark = metarl_envs.benchmark(saved["benchmark"])
    agent = pearl_jax.make_agent(config, benchmark)
    template = jax.eval_shape(lambda: pearl_jax.init_state(agent, benchmark, saved["seed"]))
    state, iteration = restore_latest(run_dir, template)
    return TrainedPearl(agent, state.agent.average, benchmark, iteration, int(state.env_steps))


def check_num_tasks(num_tasks: int, benchmark: Benchmark) -> None:
    """Raises ValueError where a benchmark has fewer test tasks."""
    if num_tasks > benchmark.num_test_tasks:
        raise ValueError(f"num_tasks must be at most {benchmark.num_test_tasks} for {benchmark.name}, got {num_tasks}")
