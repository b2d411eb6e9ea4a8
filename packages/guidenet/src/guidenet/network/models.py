"""Guided networks with weights: from installed packages, from files of the user, and their own small files."""

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import jax
import numpy as np

from guidenet.network.backbones import num_channels
from guidenet.network.config import BackboneConfig, Config, HeadConfig
from guidenet.network.guided_network import GuidedNetwork, Params
from guidenet.network.model_file import Stored, read_model, same_shapes, write_model

_FOLDER = Path(__file__).parent / "trained"

TRAINED: dict[str, str] = {
    "cut-outs": "drawings and pieces of photos on photos: classes, objects, all that is alike, and video together",
}
"""Networks that come with the package, by name, and what they were trained on."""


RIDGE = 10.0
"""The factor on the score of a ridge regression, see `HeadConfig`; that of the difference of cosines is 10 too."""

DECODED_RIDGE = 20.0
"""The same where a decoder follows, which sees the score as part of the metric's and takes some of it back."""


def load_backbone(config: BackboneConfig, path: str | Path | None = None) -> dict[str, Any] | None:
    """Trained parameters of a backbone; None where there are none, as for `small`.

    Args:
      config: of the backbone.
      path: of a file with the weights. EfficientNet-Lite0's are found in the extra `weights` without it.

    Raises:
      WeightsMissingError: the extra is not installed.
      FileNotFoundError: there is no such file.
      ValueError: `vgg16` has no path, `small` has one, or the file is not of that backbone.
    """
    if path is not None and config.record.load is None:
        raise ValueError(f"weights must be None for the backbone {config.name}, which has none, got {path}")
    if path is not None and not Path(path).is_file():
        raise FileNotFoundError(f"weights must be a file, and there is no {path}")
    return None if config.record.load is None else config.record.load(path, config.channels)


def pretrained(
    config: Config | None = None, weights: str | Path | None = None, key: jax.Array | None = None
) -> tuple[GuidedNetwork, Params]:
    """A network with a trained backbone; its head is as `GuidedNetwork.init` makes it.

    Args:
      config: None is `Config()`, whose head, a cosine metric, is of use untrained.
      weights: as for `load_backbone`.
      key: for what is not trained; None is key 0. The key is consumed.

    Raises:
      WeightsMissingError, ValueError: as `load_backbone`.
    """
    network = GuidedNetwork(Config() if config is None else config)
    backbone = load_backbone(network.config.backbone, weights)
    key = jax.random.key(0) if key is None else key
    if backbone is not None:
        missing = [layer for layer in network.config.backbone.record.untrained_layers if layer not in backbone]
        if missing:
            key, fresh = jax.random.split(key)
            untrained = network.init(fresh)["backbone"]
            backbone |= {layer: untrained[layer] for layer in missing}
    return network, network.init(key, backbone)


def pretrained_with_ridge(weights: str | Path | None = None) -> tuple[GuidedNetwork, Params]:
    """The nearest prototype, and a ridge regression on features of two strides: of use untrained, and with many images.

    Args:
      weights: as for `load_backbone`.

    Raises:
      WeightsMissingError, ValueError: as `load_backbone`.
    """
    (finest,) = num_channels(BackboneConfig())
    return pretrained(Config(BackboneConfig(strides=(16, 32)), HeadConfig(compared=finest, ridge=RIDGE)), weights)


def with_ridge(network: GuidedNetwork, factor: float | None = None) -> GuidedNetwork:
    """The same network, of the same parameters, with a ridge regression beside what its head was trained to do.

    Guidance of the one is none of the other, whose sums are of more.

    Args:
      network: with or without a decoder, which is given the sum of both.
      factor: see `HeadConfig`; None is `RIDGE`, and `DECODED_RIDGE` with a decoder.

    Raises:
      ValueError: the network's guidance is not a mean of features.
    """
    if factor is None:
        factor = DECODED_RIDGE if network.config.has_decoder else RIDGE
    head = dataclasses.replace(network.config.head, ridge=factor)
    return GuidedNetwork(dataclasses.replace(network.config, head=head))


def save_model(path: str | Path, network: GuidedNetwork, params: Params, *, with_backbone: bool = True) -> None:
    """Writes a network that was trained. The file is written whole or not at all.

    Args:
      path: of an npz file.
      network: the network.
      params: of it.
      with_backbone: False leaves a backbone out that `load_backbone` has unchanged.
    """
    kept = {part: leaves for part, leaves in params.items() if with_backbone or part != "backbone"}
    write_model(path, Stored(network.config, kept, fingerprint(network, params)))


def load_model(path: str | Path, weights: str | Path | None = None) -> tuple[GuidedNetwork, Params]:
    """Reads a network that was trained.

    Args:
      path: of a file of `save_model`, or the name of one of `TRAINED`.
      weights: of the backbone, as for `load_backbone`, if the file is without.

    Raises:
      FileNotFoundError: there is no such file.
      WeightsMissingError: the backbone's weights are not installed.
      ValueError: the file is damaged or of another version, or the weights are not those that it was trained with.
    """
    if path not in TRAINED and not Path(path).exists():
        raise FileNotFoundError(f"{path} must be a trained network, a file or {', '.join(TRAINED)}, and there is none")
    stored = read_model(_FOLDER / f"{path}.npz" if path in TRAINED else path)
    network, params = GuidedNetwork(stored.config), stored.params
    if "backbone" not in params:
        params["backbone"] = load_backbone(stored.config.backbone, weights)
    if not same_shapes(params, jax.eval_shape(network.init, jax.random.key(0))):
        raise ValueError(f"{path} must have the parameters of its options, and has others: it is damaged")
    if fingerprint(network, params) != stored.encoder:
        raise ValueError(f"weights must be those that {path} was trained with, got others")
    return network, params


def fingerprint(network: GuidedNetwork, params: Params) -> str:
    """Tells encoders apart: guidance belongs to the one that made its features. 16 hexadecimal digits."""
    digest = hashlib.blake2b(digest_size=8)
    digest.update(json.dumps(dataclasses.asdict(network.config.backbone)).encode())
    for part in ("backbone", "projection"):
        for path, leaf in jax.tree_util.tree_leaves_with_path(params[part]):
            digest.update(jax.tree_util.keystr(path).encode())
            digest.update(np.ascontiguousarray(leaf).data)
    return digest.hexdigest()
