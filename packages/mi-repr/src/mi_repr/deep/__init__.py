"""Encoders of images that mutual-information objectives train; `mi_repr.deep.catcher` judges them on games of catch."""

from mi_repr.deep import losses
from mi_repr.deep.config import (
    OBJECTIVES,
    REPRESENTATIONS,
    ControlConfig,
    EncoderConfig,
    ExperimentConfig,
    PretrainConfig,
    ProbeConfig,
)
from mi_repr.deep.encoders import Encoder, Encoding
from mi_repr.deep.objectives import Contrastive, Inverse, Objective, make_objective

__all__ = [
    "OBJECTIVES",
    "REPRESENTATIONS",
    "Contrastive",
    "ControlConfig",
    "Encoder",
    "EncoderConfig",
    "Encoding",
    "ExperimentConfig",
    "Inverse",
    "Objective",
    "PretrainConfig",
    "ProbeConfig",
    "losses",
    "make_objective",
]
