"""Segment from a few annotations, and carry the concept over to other images and video (thesis chapter 4)."""

from guidenet import fusion, losses, weights
from guidenet.config import BackboneConfig, Config, HeadConfig, LossConfig
from guidenet.geometry import Grid, downsample, upsample
from guidenet.guidance import Guidance
from guidenet.guides import Guide, guide, merge_shots, oppose, pool
from guidenet.images import read_image, read_labels
from guidenet.models import TRAINED, fingerprint, load_backbone, load_model, pretrained, save_model
from guidenet.network import GuidedNetwork, Params
from guidenet.prediction import Prediction
from guidenet.presets import PRESETS, preset
from guidenet.segmenter import Segmenter
from guidenet.weights import WeightsMissingError

__all__ = [
    "PRESETS",
    "TRAINED",
    "BackboneConfig",
    "Config",
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
    "read_image",
    "read_labels",
    "save_model",
    "upsample",
    "weights",
]
