"""What presets of learners that adapt by gradient steps have in common."""

from typing import Any

from metarl_baselines.gradient.config import AdaptationConfig
from metarl_baselines.traits import Traits


def tiny_options(traits: Traits) -> dict[str, Any]:
    """For a smoke test."""
    return {
        "hidden_sizes": (16,),
        "adaptation": AdaptationConfig(num_episodes=2),
        "training_reward": traits.training_reward,
        "num_tasks_per_iteration": min(5, traits.num_tasks),
    }


def cpu_options(traits: Traits) -> dict[str, Any]:
    """For two cores."""
    return {
        "adaptation": AdaptationConfig(num_episodes=20 if traits.short else 10),
        "training_reward": traits.training_reward,
        "num_tasks_per_iteration": min(40 if traits.short else 20, traits.num_tasks),
        "test_every": 5,
    }


def reference_options(traits: Traits, *, num_tasks: int, num_episodes: int) -> dict[str, Any]:
    """For so many tasks of an iteration, and episodes before each inner step and after the last one."""
    return {
        "adaptation": AdaptationConfig(num_episodes=num_episodes),
        "training_reward": traits.training_reward,
        "num_tasks_per_iteration": min(num_tasks, traits.num_tasks),
        "test_every": 10,
    }
