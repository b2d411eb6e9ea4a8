"""PEARL: off-policy meta-reinforcement learning by inferring a probabilistic task variable."""

from pearl_jax.config import PearlConfig
from pearl_jax.learner import PearlLearner
from pearl_jax.presets import PRESETS, preset
from pearl_jax.runs import load, open_run, train

__all__ = ["PRESETS", "PearlConfig", "PearlLearner", "load", "open_run", "preset", "train"]
