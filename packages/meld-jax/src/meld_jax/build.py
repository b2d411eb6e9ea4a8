"""From a config and a benchmark to an agent; what does not fit is refused here, before anything is computed."""

import contextlib
from typing import Any

import jax
import numpy as np
from gymnasium import spaces
from metarl_envs import Benchmark, check_actions, take_tasks
from rlcore.experiment import check_memory, num_bytes
from rlcore.meta import TrialPlayer

from meld_jax.agent import MeldAgent
from meld_jax.collect import get_rewards
from meld_jax.config import MeldConfig
from meld_jax.images import check_picture
from meld_jax.policy import MeldPolicy


def make_agent(config: MeldConfig, benchmark: Benchmark) -> MeldAgent:
    """The agent for a benchmark's pictures and actions.

    Raises:
      ValueError: MELD cannot play the benchmark, or the config does not fit it.
    """
    family = benchmark.family
    image_shape = _picture_shape(config, benchmark, family.observation_space)
    action_size = check_actions(benchmark)
    if config.num_tasks_per_iteration > benchmark.num_train_tasks:
        raise ValueError(
            f"num_tasks_per_iteration must be at most the {benchmark.num_train_tasks} train tasks of {benchmark.name}, "
            f"got {config.num_tasks_per_iteration}"
        )
    if config.num_initial_trials > config.replay_capacity:
        raise ValueError(
            f"replay_capacity must hold the {config.num_initial_trials} initial trials, got {config.replay_capacity}"
        )
    if family.functional is None:
        _check_draws(benchmark)
    agent = MeldAgent(config, image_shape, action_size, family.horizon)
    if {config.training_reward, config.second_stage_reward} != {"reward"}:
        _check_rewards(agent, benchmark)
    return agent


def check_fits(agent: MeldAgent, benchmark: Benchmark, *, with_expert: bool = False) -> str:
    """Refuses a run whose replay and networks do not fit into memory.

    Args:
      agent: with its config.
      benchmark: for the number of tasks.
      with_expert: whether trials of a first stage are held too.

    Returns:
      A line that says what the run will hold.

    Raises:
      RunError: with the numbers.
    """
    capacity, num_tasks = agent.config.replay_capacity, benchmark.num_train_tasks
    trial = num_bytes(jax.eval_shape(agent.example_trial))
    held = num_tasks * capacity * trial * (2 if with_expert else 1)
    parts = {
        f"replay ({num_tasks} tasks x {capacity} trials x {trial} bytes)": held,
        "a copy of it when a run is resumed": held,
        "networks and optimisers": num_bytes(jax.eval_shape(agent.init, jax.random.key(0))),
    }
    return check_memory(parts, "lower replay_capacity, which drops the oldest trials")


def _picture_shape(config: MeldConfig, benchmark: Benchmark, space: spaces.Space[Any]) -> tuple[int, int, int]:
    if not isinstance(space, spaces.Box) or space.dtype != np.uint8:
        raise ValueError(f"benchmark {benchmark.name}: the observation space must be pictures of uint8, got {space}")
    check_picture(config.model, f"benchmark {benchmark.name}", space.shape)
    height, width, channels = space.shape
    return height, width, channels


def _check_draws(benchmark: Benchmark) -> None:
    """Looks once: whether there is a simulator, and something to draw with, is known only then."""
    try:
        with contextlib.closing(benchmark.family.make_vec(take_tasks(benchmark.train_tasks, [0]), seed=0)) as env:
            env.reset(seed=0)
    except (ImportError, RuntimeError) as error:
        raise ValueError(f"benchmark {benchmark.name} cannot be played here: {error}") from None


def _check_rewards(agent: MeldAgent, benchmark: Benchmark) -> None:
    """Looks at what the environment reports, by tracing it or by an episode in one task."""
    family = benchmark.family
    player = TrialPlayer(MeldPolicy(agent, deterministic=True, random=True), family, num_episodes=1)
    task = take_tasks(benchmark.train_tasks, [0])
    if family.functional is not None:
        trials = jax.eval_shape(lambda key: player(None, task, key), jax.random.key(0))
    else:
        trials = player(None, task, jax.random.key(0))
    get_rewards(agent.config, trials.trajectory)
