"""MELD: meta-reinforcement learning from images, by filtering one latent state that holds state and task."""

from meld_jax.config import MeldConfig, ModelConfig
from meld_jax.diagnosis import Diagnosis, diagnose
from meld_jax.learner import MeldLearner
from meld_jax.presets import PRESETS, preset
from meld_jax.runs import load, load_first_stage, open_run, train

__all__ = [
    "PRESETS",
    "Diagnosis",
    "MeldConfig",
    "MeldLearner",
    "ModelConfig",
    "diagnose",
    "load",
    "load_first_stage",
    "open_run",
    "preset",
    "train",
]
