"""Encoders of images that mutual-information objectives train; `mi_repr.deep.catcher` judges them on games of catch."""

from mi_repr.deep import losses
from mi_repr.deep.config import EncoderConfig, PretrainConfig
from mi_repr.deep.encoders import Encoder, Encoding
from mi_repr.deep.frozen import FrozenEncoder
from mi_repr.deep.objectives import (
    OBJECTIVES,
    Bootstrap,
    Contrastive,
    Inverse,
    MultiInverse,
    Objective,
    Reconstruction,
    Setting,
    make_objective,
)
from mi_repr.deep.pretraining import Pretrained, pretrain
from mi_repr.deep.probing import linear_probe
from mi_repr.deep.sources import Source
from mi_repr.deep.training import Pretrainer, train

__all__ = [
    "OBJECTIVES",
    "Bootstrap",
    "Contrastive",
    "Encoder",
    "EncoderConfig",
    "Encoding",
    "FrozenEncoder",
    "Inverse",
    "MultiInverse",
    "Objective",
    "PretrainConfig",
    "Pretrained",
    "Pretrainer",
    "Reconstruction",
    "Setting",
    "Source",
    "linear_probe",
    "losses",
    "make_objective",
    "pretrain",
    "train",
]
