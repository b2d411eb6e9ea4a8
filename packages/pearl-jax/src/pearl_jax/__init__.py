"""PEARL: off-policy meta-reinforcement learning by inferring a probabilistic task variable."""

from pearl_jax.agent import AgentState, PearlAgent, PearlMemory, PearlPolicy
from pearl_jax.build import check_fits, make_agent
from pearl_jax.config import PearlConfig
from pearl_jax.evaluate import adaptation_metrics, make_test_policy
from pearl_jax.presets import PRESETS, preset
from pearl_jax.representation import TaskInference
from pearl_jax.train import TrainState, init_state, train

__all__ = [
    "PRESETS",
    "AgentState",
    "PearlAgent",
    "PearlConfig",
    "PearlMemory",
    "PearlPolicy",
    "TaskInference",
    "TrainState",
    "adaptation_metrics",
    "check_fits",
    "init_state",
    "make_agent",
    "make_test_policy",
    "preset",
    "train",
]
