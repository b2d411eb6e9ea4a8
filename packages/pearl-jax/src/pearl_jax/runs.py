"""Training runs of PEARL: opened, trained in, and read back; see `rlcore.meta.Algorithm`."""

import re

import flax.linen as nn
import metarl_envs
from rlcore.experiment import from_dict
from rlcore.meta import Algorithm, SavedRun

from pearl_jax.config import PearlConfig
from pearl_jax.learner import PearlLearner


def _read_config(saved: SavedRun) -> PearlConfig:
    """The config; version 0.1.0 had the options of convolutions beside it, older runs lack those that came since."""
    default = PearlConfig()
    told = {name: getattr(default, name) for name in ("reconstruction_coef", "num_hypotheses")}
    options = {"encoder_losses": list(default.encoder_losses), **told, **saved.config}
    if "image_channels" not in options:
        network = saved.parts.get("conv_encoder", {})
        channels, size = network.get("channels", default.image_channels), network.get("output_size")
        options = {**options, "image_channels": channels, "num_image_features": size or default.num_image_features}
    return from_dict(PearlConfig, options)


def _describe(obs_network: nn.Module | None = None) -> dict[str, str]:
    if obs_network is None:
        return {}
    text = re.sub(r" at 0x[0-9a-f]+", "", repr(obs_network))  # where a function lies is no part of what it is
    if "<lambda>" in text:
        raise ValueError(f"obs_network must be told from others by what it prints, got one with a lambda: {text}")
    return {"obs_network": text}


def _rename(name: str) -> str:
    """In version 0.1.0 the representation of vectors was the encoder."""
    return name.replace(".representation.encoder", ".representation")


ALGORITHM = Algorithm(
    name="pearl",
    package="pearl_jax",
    config_type=PearlConfig,
    make_learner=PearlLearner,
    read_config=_read_config,
    find_benchmark=metarl_envs.benchmark,
    test_options=("num_test_episodes", "num_test_prior_episodes", "deterministic_test", "test_every"),
    describe=_describe,
    rename=_rename,
)
open_run, train, load = ALGORITHM.open_run, ALGORITHM.train, ALGORITHM.load
