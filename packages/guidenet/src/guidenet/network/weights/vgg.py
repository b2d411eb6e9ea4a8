"""VGG-16 weights from a file of the user: no package has them, and this one downloads nothing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from guidenet.archives import read_arrays
from guidenet.network.backbones.vgg import CONVOLUTIONS, VGG16_CHANNELS
from guidenet.network.weights.torch_file import read_torch_file


def load_vgg16(path: str | Path | None, channels: Sequence[int] = ()) -> dict[str, Any]:
    """Parameters of `VGG16`, of a file with the names that torchvision gives them.

    `features.0.weight` and so on are the convolutions, `[D, C, 3, 3]`; `classifier.0.weight` is fc6, `[4096, 25088]`.
    Caffe's weights converted to these names want `inputs=caffe`, torchvision's own `inputs=torchvision`.

    Args:
      path: a state dict saved by PyTorch, or an npz with the same names; None is refused, as no package has them.
      channels: of the five stages and of fc6; empty is VGG-16's. Where fc6 is smaller than in the file, as in the
        preset `reference`, it is not read, and `GuidedNetwork.init` must make it: an entry `fc6` is missing.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: there is no path, or the file has other names or shapes; the message names the first.
    """
    if path is None:
        raise ValueError("weights must be a file for the backbone vgg16: no package has any, got None")
    tensors = _read(Path(path))
    channels = tuple(channels) or VGG16_CHANNELS
    params: dict[str, Any] = {}
    position, previous = 0, 3
    for i, (count, width) in enumerate(zip(CONVOLUTIONS, channels[:5], strict=True)):
        for j in range(count):
            weight = _take(tensors, path, f"features.{position}.weight", (width, previous, 3, 3))
            bias = _take(tensors, path, f"features.{position}.bias", (width,))
            params[f"conv{i + 1}_{j + 1}"] = {"kernel": weight.transpose(2, 3, 1, 0), "bias": bias}
            position, previous = position + 2, width
        position += 1
    found = tensors.get("classifier.0.weight")
    if found is not None and found.shape[0] != channels[5]:
        return params
    weight = _take(tensors, path, "classifier.0.weight", (channels[5], previous * 49))
    bias = _take(tensors, path, "classifier.0.bias", (channels[5],))
    params["fc6"] = {"kernel": weight.reshape(-1, previous, 7, 7).transpose(2, 3, 1, 0), "bias": bias}
    return params


def _read(path: Path) -> dict[str, npt.NDArray[Any]]:
    if path.suffix != ".npz":
        return read_torch_file(path)
    return read_arrays(path, "an npz of weights")


def _take(
    tensors: dict[str, npt.NDArray[Any]], path: str | Path, name: str, shape: tuple[int, ...]
) -> npt.NDArray[np.float32]:
    if name not in tensors:
        raise ValueError(f"{path} must hold a VGG-16 with {name}, got {', '.join(sorted(tensors)[:3])}, ...")
    if tensors[name].shape != shape:
        raise ValueError(f"{name} in {path} must have the shape {shape}, got {tensors[name].shape}")
    return tensors[name].astype(np.float32)
