"""What presets of algorithms that replay whole trials have in common."""

import math
from typing import Any

from rlcore.sac import SACConfig

from metarl_baselines.traits import Traits

_CPU_TASKS, _CPU_REPLAY_BYTES = 20, 2e9
_REFERENCE_TRIALS = 2500
"""A million environment steps at a horizon of 200."""


def make_sac(width: int, learning_rate: float, *, discount: float, tau: float) -> SACConfig:
    """A small SAC with a fixed temperature, which helps where rewards are sparse and late (Ni et al., 2022)."""
    return SACConfig(
        hidden_sizes=(width, width),
        discount=discount,
        tau=tau,
        actor_learning_rate=learning_rate,
        critic_learning_rate=learning_rate,
        temperature=0.01,
    )


def tiny_options(traits: Traits) -> dict[str, Any]:
    """For a smoke test."""
    return {
        "sac": make_sac(32, 2e-3, discount=0.9, tau=0.02),
        "memory_size": 32,
        "training_reward": traits.training_reward,
        "batch_size": 8,
        "replay_capacity": 20,
        "num_tasks_per_iteration": min(20, traits.num_tasks),
        "num_updates": 20,
    }


def cpu_options(traits: Traits, num_iterations: int) -> dict[str, Any]:
    """For two cores. The replay holds what a training of so many iterations collects, or two gigabytes."""
    num_tasks = min(_CPU_TASKS, traits.num_tasks)
    collected = 1 + math.ceil(1.5 * num_iterations * num_tasks / traits.num_tasks)  # visits of a task vary
    room = int(_CPU_REPLAY_BYTES // (traits.num_tasks * 2 * traits.episode_bytes))
    if traits.short:
        sac, batch_size = make_sac(64, 2e-3, discount=0.95, tau=0.02), 16
    else:
        sac, batch_size = make_sac(128, 1e-3, discount=0.99, tau=0.01), 8
    return {
        "sac": sac,
        "memory_size": 32,
        "embedding_size": 16,
        "training_reward": traits.training_reward,
        "batch_size": batch_size,
        "replay_capacity": max(1, min(collected, room)),
        "num_tasks_per_iteration": num_tasks,
        "test_every": 5,
    }


def reference_options(traits: Traits) -> dict[str, Any]:
    """How the code of Ni et al. collects trials and learns from them, on half-cheetah-vel."""
    return {
        "memory_size": 128,
        "training_reward": traits.training_reward,
        "batch_size": 32,
        "replay_capacity": max(5, -(-_REFERENCE_TRIALS // traits.num_tasks)),
        "num_initial_trials": 5,
        "num_tasks_per_iteration": min(25, traits.num_tasks),
        "num_updates": 200,
        "test_every": 10,
    }
