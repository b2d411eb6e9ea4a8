"""One soft actor-critic with a slot for a representation, and what goes around it."""

from rlcore.types import FunctionalEnv, Metrics, Params, Transition, VectorEnv

__all__ = ["FunctionalEnv", "Metrics", "Params", "Transition", "VectorEnv"]
