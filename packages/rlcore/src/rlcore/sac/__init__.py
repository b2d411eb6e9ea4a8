"""Soft actor-critic with a slot for a representation."""

from rlcore.sac.config import SACConfig
from rlcore.sac.heads import ActionHead, ContinuousHead, DiscreteHead, PolicyTerms, make_critics
from rlcore.sac.learner import SAC, Batch, SACParams, SACState, make_optimiser

__all__ = [
    "SAC",
    "ActionHead",
    "Batch",
    "ContinuousHead",
    "DiscreteHead",
    "PolicyTerms",
    "SACConfig",
    "SACParams",
    "SACState",
    "make_critics",
    "make_optimiser",
]
