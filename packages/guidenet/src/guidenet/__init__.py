"""Segment from a few annotations, and carry the concept over to other images and video (thesis chapter 4)."""

from guidenet.network import fusion, losses, weights
from guidenet.network.config import BackboneConfig, Config, DecoderConfig, HeadConfig, LossConfig
from guidenet.network.features import Features
from guidenet.network.geometry import Grid, downsample, upsample
from guidenet.network.guided_network import GuidedNetwork, Params
from guidenet.network.guides import Guide, guide, merge_shots, oppose, pool
from guidenet.network.models import (
    TRAINED,
    fingerprint,
    load_backbone,
    load_model,
    pretrained,
    pretrained_with_ridge,
    save_model,
    with_ridge,
)
from guidenet.network.presets import PRESETS, preset
from guidenet.network.weights import WeightsMissingError
from guidenet.reading import read_image, read_labels
from guidenet.segmenter.guidance import Guidance
from guidenet.segmenter.prediction import Prediction
from guidenet.segmenter.segmenter import Segmenter

__all__ = [
    "PRESETS",
    "TRAINED",
    "BackboneConfig",
    "Config",
    "DecoderConfig",
    "Features",
    "Grid",
    "Guidance",
    "Guide",
    "GuidedNetwork",
    "HeadConfig",
    "LossConfig",
    "Params",
    "Prediction",
    "Segmenter",
    "WeightsMissingError",
    "downsample",
    "fingerprint",
    "fusion",
    "guide",
    "load_backbone",
    "load_model",
    "losses",
    "merge_shots",
    "oppose",
    "pool",
    "preset",
    "pretrained",
    "pretrained_with_ridge",
    "read_image",
    "read_labels",
    "save_model",
    "upsample",
    "weights",
    "with_ridge",
]
