"""Which mutual-information objectives give representations sufficient for control: exactly, and in deep RL.

Names are imported when they are first used: `mi_repr.tabular`, the exact analyser, needs neither networks nor games.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mi_repr import losses, tabular
    from mi_repr.config import (
        OBJECTIVES,
        REPRESENTATIONS,
        ControlConfig,
        EncoderConfig,
        ExperimentConfig,
        PretrainConfig,
        ProbeConfig,
    )
    from mi_repr.control import Controller
    from mi_repr.encoders import Encoder, Encoding
    from mi_repr.exact import exact_information, optimal_q
    from mi_repr.experiment import GAMES, Experiment
    from mi_repr.features import FrozenFeatures, frozen_encoder, true_state
    from mi_repr.objectives import Contrastive, Inverse, Objective, make_objective
    from mi_repr.presets import PRESETS, preset
    from mi_repr.pretraining import Pretrainer, pretrain
    from mi_repr.probes import probe

__all__ = [
    "GAMES",
    "OBJECTIVES",
    "PRESETS",
    "REPRESENTATIONS",
    "Contrastive",
    "ControlConfig",
    "Controller",
    "Encoder",
    "EncoderConfig",
    "Encoding",
    "Experiment",
    "ExperimentConfig",
    "FrozenFeatures",
    "Inverse",
    "Objective",
    "PretrainConfig",
    "Pretrainer",
    "ProbeConfig",
    "exact_information",
    "frozen_encoder",
    "losses",
    "make_objective",
    "optimal_q",
    "preset",
    "pretrain",
    "probe",
    "tabular",
    "true_state",
]

if not TYPE_CHECKING:
    _SUBMODULES = ("losses", "tabular")
    _HOMES = (
        "config",
        "presets",
        "exact",
        "encoders",
        "objectives",
        "pretraining",
        "features",
        "probes",
        "control",
        "experiment",
    )

    def __getattr__(name):
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        if name in _SUBMODULES:
            return importlib.import_module(f"{__name__}.{name}")
        homes = (importlib.import_module(f"{__name__}.{home}") for home in _HOMES)
        return next(vars(home)[name] for home in homes if name in vars(home))

    def __dir__():
        return sorted([*globals(), *__all__])
