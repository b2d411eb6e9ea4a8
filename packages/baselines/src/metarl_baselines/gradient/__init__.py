"""What learners that adapt by gradient steps share: episodes between two steps, advantages, how they act and learn."""

from metarl_baselines.gradient.adaptation import (
    Adaptation,
    OuterTerms,
    Played,
    adapt_once,
    adapt_through,
    reconstruct,
    rescale,
)
from metarl_baselines.gradient.config import TEST_OPTIONS, AdaptationConfig, GradientConfig, fill_options
from metarl_baselines.gradient.episodes import Episodes, advantages, blank_episodes, cut_visit
from metarl_baselines.gradient.learner import Data, GradientLearner
from metarl_baselines.gradient.outer import average, last_batch, make_outer_step, outer_loss
from metarl_baselines.gradient.policy import GradientPolicy, Memory

__all__ = [
    "TEST_OPTIONS",
    "Adaptation",
    "AdaptationConfig",
    "Data",
    "Episodes",
    "GradientConfig",
    "GradientLearner",
    "GradientPolicy",
    "Memory",
    "OuterTerms",
    "Played",
    "adapt_once",
    "adapt_through",
    "advantages",
    "average",
    "blank_episodes",
    "cut_visit",
    "fill_options",
    "last_batch",
    "make_outer_step",
    "outer_loss",
    "reconstruct",
    "rescale",
]
