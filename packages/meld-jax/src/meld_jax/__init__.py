"""MELD: meta-reinforcement learning from images, by filtering one latent state that holds state and task."""

from rlcore.meta import Outcome, get_outcome

from meld_jax.agent import AgentParams, AgentState, MeldAgent, MeldData
from meld_jax.build import check_fits, make_agent
from meld_jax.collect import make_trials
from meld_jax.config import MeldConfig, ModelConfig
from meld_jax.evaluate import (
    Diagnosis,
    diagnose,
    make_test_player,
    make_test_policy,
    outcome_metrics,
    repeat_tasks,
)
from meld_jax.filtering import Trial, filter_trials
from meld_jax.model import LatentModel
from meld_jax.policy import MeldMemory, MeldPolicy
from meld_jax.presets import PRESETS, preset
from meld_jax.representation import Belief
from meld_jax.train import TrainState, begin_second_stage, init_state, train

__all__ = [
    "PRESETS",
    "AgentParams",
    "AgentState",
    "Belief",
    "Diagnosis",
    "LatentModel",
    "MeldAgent",
    "MeldConfig",
    "MeldData",
    "MeldMemory",
    "MeldPolicy",
    "ModelConfig",
    "Outcome",
    "TrainState",
    "Trial",
    "begin_second_stage",
    "check_fits",
    "diagnose",
    "filter_trials",
    "get_outcome",
    "init_state",
    "make_agent",
    "make_test_player",
    "make_test_policy",
    "make_trials",
    "outcome_metrics",
    "preset",
    "repeat_tasks",
    "train",
]
