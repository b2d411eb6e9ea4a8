"""The thesis's experiments on games of catch: an encoder, what it keeps of the state, an agent that sees through it."""

from mi_repr.deep.catcher.config import (
    REPRESENTATIONS,
    CatcherPretrainConfig,
    ControlConfig,
    ExperimentConfig,
    ProbeConfig,
)
from mi_repr.deep.catcher.control import Controller
from mi_repr.deep.catcher.exact import exact_information, optimal_q
from mi_repr.deep.catcher.experiment import GAMES, Experiment
from mi_repr.deep.catcher.features import FrozenFeatures, frozen_encoder, true_state
from mi_repr.deep.catcher.presets import PRESETS, preset
from mi_repr.deep.catcher.probes import probe
from mi_repr.deep.catcher.source import CatcherSource

__all__ = [
    "GAMES",
    "PRESETS",
    "REPRESENTATIONS",
    "CatcherPretrainConfig",
    "CatcherSource",
    "ControlConfig",
    "Controller",
    "Experiment",
    "ExperimentConfig",
    "FrozenFeatures",
    "ProbeConfig",
    "exact_information",
    "frozen_encoder",
    "optimal_q",
    "preset",
    "probe",
    "true_state",
]
