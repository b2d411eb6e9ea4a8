"""RL2: a policy that remembers its trial adapts by what it remembers; trained by PPO."""

from metarl_baselines.rl2.config import RL2Config
from metarl_baselines.rl2.learner import RL2Learner
from metarl_baselines.rl2.presets import PRESETS, preset
from metarl_baselines.rl2.runs import load, open_run, train

__all__ = ["PRESETS", "RL2Config", "RL2Learner", "load", "open_run", "preset", "train"]
