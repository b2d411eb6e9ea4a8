"""VariBAD: a belief about the task that rewards of whole trials shape; trained off-policy, by the one SAC."""

from metarl_baselines.varibad.agent import make_learner
from metarl_baselines.varibad.config import VariBADConfig
from metarl_baselines.varibad.presets import PRESETS, preset
from metarl_baselines.varibad.runs import load, open_run, train

__all__ = ["PRESETS", "VariBADConfig", "load", "make_learner", "open_run", "preset", "train"]
