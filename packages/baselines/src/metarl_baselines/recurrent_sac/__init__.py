"""Recurrent SAC: actor and critics that remember their trial, each by a memory of its own, trained off-policy."""

from metarl_baselines.recurrent_sac.agent import make_learner
from metarl_baselines.recurrent_sac.config import RecurrentSACConfig
from metarl_baselines.recurrent_sac.presets import PRESETS, preset
from metarl_baselines.recurrent_sac.runs import load, open_run, train

__all__ = ["PRESETS", "RecurrentSACConfig", "load", "make_learner", "open_run", "preset", "train"]
