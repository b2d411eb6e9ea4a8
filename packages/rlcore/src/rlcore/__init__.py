"""One soft actor-critic with a slot for a representation, and what goes around it.

Here is what a first program needs; the rest is imported from where it stands. Names are looked up when they are used,
so that a program which only reads a run directory does not wait for networks.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rlcore.experiment import Run
    from rlcore.meta import MetaLearner, MetaPolicy, evaluate, meta_train
    from rlcore.sac import SAC, ContinuousHead, DiscreteHead, SACConfig
    from rlcore.types import FuncEnv, Metrics, Params, Transition, VectorEnv

_HOMES = {
    "experiment": ("Run",),
    "meta": ("MetaLearner", "MetaPolicy", "evaluate", "meta_train"),
    "sac": ("SAC", "ContinuousHead", "DiscreteHead", "SACConfig"),
    "types": ("FuncEnv", "Metrics", "Params", "Transition", "VectorEnv"),
}

__all__ = [
    "SAC",
    "ContinuousHead",
    "DiscreteHead",
    "FuncEnv",
    "MetaLearner",
    "MetaPolicy",
    "Metrics",
    "Params",
    "Run",
    "SACConfig",
    "Transition",
    "VectorEnv",
    "evaluate",
    "meta_train",
]


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"rlcore.{module}"), name)
    raise AttributeError(f"module 'rlcore' has no attribute {name!r}")
