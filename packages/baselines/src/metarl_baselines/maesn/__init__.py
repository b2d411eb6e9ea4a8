"""MAESN: a latent of each task is adapted by gradient steps, and makes a whole episode explore in one direction."""

from metarl_baselines.maesn.config import MAESNConfig
from metarl_baselines.maesn.learner import MAESNLearner
from metarl_baselines.maesn.presets import PRESETS, preset
from metarl_baselines.maesn.runs import load, open_run, train

__all__ = ["PRESETS", "MAESNConfig", "MAESNLearner", "load", "open_run", "preset", "train"]
