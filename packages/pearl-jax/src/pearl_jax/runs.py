"""Training runs of PEARL: opened, trained in, and read back; see `rlcore.meta.Algorithm`."""

import flax.linen as nn
import metarl_envs
from rlcore.experiment import from_dict
from rlcore.meta import Algorithm, SavedRun

from pearl_jax.config import PearlConfig
from pearl_jax.learner import PearlLearner


def _read_config(saved: SavedRun) -> PearlConfig:
    """The config; version 0.1.0 had the options of convolutions beside it."""
    options = saved.config
    if "image_channels" not in options:
        network, default = saved.parts.get("conv_encoder", {}), PearlConfig()
        channels, size = network.get("channels", default.image_channels), network.get("output_size")
        options = {**options, "image_channels": channels, "num_image_features": size or default.num_image_features}
    return from_dict(PearlConfig, options)


def _describe(obs_network: nn.Module | None = None) -> dict[str, str]:
    return {} if obs_network is None else {"obs_network": repr(obs_network)}


def _rename(name: str) -> str:
    """In version 0.1.0 the representation of vectors was the encoder."""
    return name.replace(".representation.encoder", ".representation")


ALGORITHM = Algorithm("pearl", "pearl_jax", PearlLearner, _read_config, metarl_envs.benchmark, _describe, _rename)
open_run, train, load = ALGORITHM.open_run, ALGORITHM.train, ALGORITHM.load
