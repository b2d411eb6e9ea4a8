"""The file of a trained network: an npz of its options and parameters, without code and without pickles."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from guidenet.archives import read_arrays
from guidenet.network.config import BackboneConfig, Config, DecoderConfig, HeadConfig, LossConfig
from guidenet.network.guided_network import Params

_VERSION = 1
_HEADER = "header"
_PARTS = {"backbone": BackboneConfig, "head": HeadConfig, "decoder": DecoderConfig, "loss": LossConfig}


class Stored(NamedTuple):
    """What a file holds.

    config: options of the network.
    params: by part; without a backbone that is to be found elsewhere.
    encoder: fingerprint of the encoder.
    """

    config: Config
    params: dict[str, Any]
    encoder: str


def write_model(path: str | Path, stored: Stored) -> None:
    """Writes the file, whole or not at all."""
    header = {"version": _VERSION, "config": dataclasses.asdict(stored.config), "encoder": stored.encoder}
    arrays: dict[str, Any] = {
        "/".join(str(getattr(entry, "key", entry)) for entry in keys): np.asarray(leaf)
        for keys, leaf in jax.tree_util.tree_leaves_with_path(stored.params)
    }
    path = Path(path)
    unfinished = path.with_name(f".{path.name}.part")
    with unfinished.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **{_HEADER: np.array(json.dumps(header))}, **arrays)
    unfinished.replace(path)


def read_model(path: str | Path) -> Stored:
    """Reads what `write_model` wrote, in every bit.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: it is no such file, or of another version.
    """
    arrays = read_arrays(path, "an npz of a trained network")
    try:
        header = json.loads(str(arrays.pop(_HEADER)))
        version = header["version"]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} must be an npz of a trained network: {error!r}") from None
    if version != _VERSION:
        raise ValueError(f"{path} must be a trained network of version {_VERSION}, got {version!r}")
    try:
        config = _config(header["config"])
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{path} must have the options of a network: {error!r}") from None
    params: dict[str, Any] = {"projection": {}}
    for name, array in arrays.items():
        *parts, leaf = name.split("/")
        place = params
        for part in parts:
            place = place.setdefault(part, {})
        place[leaf] = array
    return Stored(config, params, str(header["encoder"]))


def _config(values: Mapping[str, Any]) -> Config:
    def build(kind: type[Any], options: Mapping[str, Any]) -> Any:
        return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in options.items()})

    parts = {name: build(kind, values[name]) for name, kind in _PARTS.items() if name in values or name != "decoder"}
    return build(Config, {**values, **parts})


def same_shapes(params: Params, expected: Params) -> bool:
    """Whether parameters have the names, shapes and dtypes expected."""
    found, wanted = (
        {jax.tree_util.keystr(path): (leaf.shape, leaf.dtype) for path, leaf in jax.tree_util.tree_leaves_with_path(p)}
        for p in (params, expected)
    )
    return found == wanted
