"""A trained PEARL, read back from its run directory."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import metarl_envs
import pearl_jax
from metarl_envs import Benchmark
from rlcore.experiment import from_dict, load_config, override, restore_latest
from rlcore.networks import ConvEncoder
from rlcore.types import Params


class TrainedPearl(NamedTuple):
    """agent, params: what was trained. benchmark: on what. iteration, env_steps: for how long."""

    agent: pearl_jax.PearlAgent
    params: Params
    benchmark: Benchmark
    iteration: int
    env_steps: int


def load_trained(run_dir: str, overrides: Sequence[str]) -> TrainedPearl:
    """Reads the newest checkpoint of a run of train_pearl.py or train_pearl_images.py.

    Args:
      run_dir: of the run.
      overrides: test options of its config to replace.

    Raises:
      ValueError: there is no such run, or an override is no option of it.
    """
    saved = load_config(run_dir)
    config = override(from_dict(pearl_jax.PearlConfig, saved["pearl"]), overrides)
    benchmark = metarl_envs.benchmark(saved["benchmark"])
    obs_network = make_obs_network(saved["conv_encoder"]) if "conv_encoder" in saved else None
    agent = pearl_jax.make_agent(config, benchmark, obs_network)
    template = jax.eval_shape(lambda: pearl_jax.init_state(agent, benchmark, saved["seed"]))
    state, iteration = restore_latest(run_dir, template)
    return TrainedPearl(agent, state.agent.average, benchmark, iteration, int(state.env_steps))


def make_obs_network(options: dict[str, Any]) -> ConvEncoder:
    """The network that turns pictures into features, by its options in config.json."""
    return ConvEncoder(tuple(options["channels"]), options["output_size"])
