"""Which mutual-information objectives give representations sufficient for control: exactly, and in deep RL."""

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
from mi_repr.experiment import Experiment
from mi_repr.features import FrozenFeatures, frozen_encoder, true_state
from mi_repr.objectives import Contrastive, Inverse, Objective, make_objective
from mi_repr.presets import PRESETS, preset
from mi_repr.pretrain import Pretrainer, pretrain
from mi_repr.probes import probe

__all__ = [
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
