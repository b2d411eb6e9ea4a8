"""What learners that adapt by gradient steps share: episodes between two steps, advantages, how they act and learn."""

from metarl_baselines.gradient.adaptation import (
    Adaptation,
    Played,
    Replayed,
    adapt_once,
    adapt_through,
    average,
    make_outer_step,
    replay,
)
from metarl_baselines.gradient.config import AdaptationConfig
from metarl_baselines.gradient.episodes import Episodes, advantages, blank_episodes, cut_visit
from metarl_baselines.gradient.policy import GradientPolicy, Memory
from metarl_baselines.gradient.setup import Setup

__all__ = [
    "Adaptation",
    "AdaptationConfig",
    "Episodes",
    "GradientPolicy",
    "Memory",
    "Played",
    "Replayed",
    "Setup",
    "adapt_once",
    "adapt_through",
    "advantages",
    "average",
    "blank_episodes",
    "cut_visit",
    "make_outer_step",
    "replay",
]
