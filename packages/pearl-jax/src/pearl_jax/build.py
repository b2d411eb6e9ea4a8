"""From a config and a benchmark to an agent; what does not fit is refused here, before anything is computed."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from gymnasium import spaces
from metarl_envs import Benchmark, check_actions, check_vector_space, take_tasks
from rlcore.experiment import check_memory, num_bytes
from rlcore.meta import TrialPlayer, get_signal

from pearl_jax.agent import PearlAgent, PearlPolicy
from pearl_jax.config import PearlConfig


def make_agent(config: PearlConfig, benchmark: Benchmark, obs_network: nn.Module | None = None) -> PearlAgent:
    """The agent for a benchmark's observations and actions.

    Args:
      config: the options.
      benchmark: what will be played.
      obs_network: turns observations into features `[..., Do]`, for example `rlcore.networks.ConvEncoder` those that
        are pictures; None for vectors.

    Raises:
      ValueError: PEARL cannot play the benchmark, or the config does not fit it.
    """
    family = benchmark.family
    obs_space = family.observation_space
    if obs_network is None:
        obs_space = check_vector_space(benchmark, "observation", obs_space)
    else:
        obs_space = _network_space(benchmark, obs_space, obs_network)
    action_size = check_actions(benchmark)
    if config.num_tasks_per_iteration > benchmark.num_train_tasks:
        raise ValueError(
            f"num_tasks_per_iteration must be at most the {benchmark.num_train_tasks} train tasks of {benchmark.name}, "
            f"got {config.num_tasks_per_iteration}"
        )
    episodes = max(config.num_initial_episodes, config.num_context_episodes + config.num_extra_episodes)
    if episodes * family.horizon > config.replay_capacity:
        raise ValueError(
            f"replay_capacity must hold the {episodes * family.horizon} steps of a visit, got {config.replay_capacity}"
        )
    obs_dtype = jnp.float32 if obs_network is None else obs_space.dtype
    agent = PearlAgent(config, obs_space.shape, action_size, family.horizon, obs_network, obs_dtype)
    if config.training_reward != "reward":
        _check_training_reward(agent, benchmark)
    return agent


def check_fits(agent: PearlAgent, benchmark: Benchmark) -> str:
    """Refuses a run whose replay and networks do not fit into memory.

    Returns:
      A line that says what the run will hold.

    Raises:
      RunError: with the numbers.
    """
    capacity, num_tasks = agent.config.replay_capacity, benchmark.num_train_tasks
    row = num_bytes(agent.example_row())
    networks = num_bytes(jax.eval_shape(agent.init, jax.random.key(0)))
    replay = f"replay ({num_tasks} tasks x {capacity} transitions x {row} bytes)"
    held = num_tasks * capacity * row
    parts = {replay: held, "a copy of it when a run is resumed": held, "networks and optimiser": networks}
    return check_memory(parts, "lower replay_capacity, which drops the oldest transitions")


def _network_space(benchmark: Benchmark, space: spaces.Space[Any], obs_network: nn.Module) -> spaces.Box:
    if not isinstance(space, spaces.Box):
        raise ValueError(f"benchmark {benchmark.name}: the observation space must be an array, got {space}")
    example = jax.ShapeDtypeStruct((1, *space.shape), space.dtype)
    features, _ = jax.eval_shape(obs_network.init_with_output, jax.random.key(0), example)
    if features.ndim != 2:
        raise ValueError(f"obs_network must make a vector of an observation, got features {features.shape[1:]}")
    return space


def _check_training_reward(agent: PearlAgent, benchmark: Benchmark) -> None:
    """Looks at what the environment reports, by tracing it or by an episode in one task."""
    family = benchmark.family
    player = TrialPlayer(PearlPolicy(agent, 1, deterministic=True), family, num_episodes=1)
    task = take_tasks(benchmark.train_tasks, [0])
    if family.functional is not None:
        params = jax.eval_shape(agent.init, jax.random.key(0)).average
        trials = jax.eval_shape(player, params, task, jax.random.key(0))
    else:
        trials = player(agent.init(jax.random.key(0)).average, task, jax.random.key(0))
    get_signal(trials.trajectory, agent.config.training_reward)
