"""The thesis's experiments on games of catch: an encoder, what it keeps of the state, an agent that sees through it."""

from mi_repr.deep.catcher.control import Controller
from mi_repr.deep.catcher.exact import exact_information, optimal_q
from mi_repr.deep.catcher.experiment import GAMES, Experiment
from mi_repr.deep.catcher.features import FrozenFeatures, frozen_encoder, true_state
from mi_repr.deep.catcher.presets import PRESETS, preset
from mi_repr.deep.catcher.pretraining import Pretrainer, pretrain
from mi_repr.deep.catcher.probes import probe

__all__ = [
    "GAMES",
    "PRESETS",
    "Controller",
    "Experiment",
    "FrozenFeatures",
    "Pretrainer",
    "exact_information",
    "frozen_encoder",
    "optimal_q",
    "preset",
    "pretrain",
    "probe",
    "true_state",
]
