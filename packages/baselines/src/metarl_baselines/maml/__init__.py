"""MAML by trust regions: parameters from which one gradient step on a task's episodes leads far."""

from metarl_baselines.maml.config import MAMLConfig, ProMPConfig
from metarl_baselines.maml.learner import MAMLLearner
from metarl_baselines.maml.presets import PRESETS, preset
from metarl_baselines.maml.runs import load, open_run, train

__all__ = ["PRESETS", "MAMLConfig", "MAMLLearner", "ProMPConfig", "load", "open_run", "preset", "train"]
