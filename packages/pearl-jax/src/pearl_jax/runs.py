"""Training runs of PEARL: opened, gone on with, and read back."""

import os
from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import metarl_envs
from metarl_envs import Benchmark
from rlcore.experiment import Run, from_dict, override, package_versions
from rlcore.meta import (
    Trained,
    TrainState,
    check_benchmark,
    check_run,
    closed_on_error,
    identify,
    load_trained,
    meta_train,
    read_run,
)

from pearl_jax.config import PearlConfig
from pearl_jax.learner import PearlLearner

ALGORITHM = "pearl"


def open_run(
    run_dir: str | os.PathLike[str],
    config: PearlConfig,
    benchmark: Benchmark,
    seed: int,
    *,
    obs_network: nn.Module | None = None,
    **options: Any,
) -> Run:
    """Opens a new run, or one to go on with.

    Args:
      run_dir: a directory that holds this run, is empty, or does not exist.
      config: the options.
      benchmark: what to train on.
      seed: of everything random.
      obs_network: see `PearlLearner`.
      **options: of `rlcore.experiment.Run.open`: `checkpoint_every`, `keep`, `tensorboard`.

    Raises:
      RunError: the directory holds another run; shows where they differ.
    """
    versions = package_versions("pearl-jax", "metarl-envs", "rlcore", "jax")
    return Run.open(run_dir, _identify(config, benchmark, seed, obs_network), versions=versions, **options)


def train(
    config: PearlConfig,
    benchmark: Benchmark,
    run: Run,
    *,
    seed: int,
    num_iterations: int,
    obs_network: nn.Module | None = None,
) -> TrainState:
    """Meta-trains PEARL in a run that `open_run` opened with the same arguments, see `rlcore.meta.meta_train`.

    Raises:
      ValueError: the config does not fit the benchmark.
      RunError: the run is another one, or does not fit into memory.
      NonFiniteError: an environment, the agent or a loss gave a number that is not finite; the last checkpoint is
        intact.
    """
    with closed_on_error(run):
        check_run(run, _identify(config, benchmark, seed, obs_network), "pearl_jax.open_run")
        learner = PearlLearner(config, benchmark, obs_network)
    return meta_train(learner, benchmark, run, seed=seed, num_iterations=num_iterations)


def load(
    run_dir: str | os.PathLike[str],
    overrides: Sequence[str] = (),
    *,
    benchmark: Benchmark | None = None,
    obs_network: nn.Module | None = None,
) -> Trained:
    """Reads the newest checkpoint of a run, also while it goes on.

    Args:
      run_dir: of the run.
      overrides: test options of its config to replace, such as `num_test_episodes=5`.
      benchmark: that it was trained on; by default the registered one of its name.
      obs_network: as it was trained with.

    Raises:
      RunError: there is no such run, it is of another algorithm or benchmark, or its checkpoints are damaged.
      ValueError: no benchmark has its name, or an override is no option.
    """
    saved = read_run(run_dir, ALGORITHM)
    config = override(_read_config(saved.config, saved.parts), overrides)
    benchmark = benchmark or metarl_envs.benchmark(saved.benchmark["name"])
    check_benchmark(saved, benchmark, run_dir)
    is_first_version = saved.benchmark["train_tasks"] is None
    return load_trained(
        run_dir,
        PearlLearner(config, benchmark, obs_network),
        benchmark,
        saved.seed,
        _rename if is_first_version else None,
    )


def _identify(config: PearlConfig, benchmark: Benchmark, seed: int, obs_network: nn.Module | None) -> dict[str, Any]:
    parts = {} if obs_network is None else {"obs_network": repr(obs_network)}
    return identify(ALGORITHM, config, benchmark, seed, parts)


def _read_config(options: dict[str, Any], parts: dict[str, Any]) -> PearlConfig:
    """The config; version 0.1.0 had the options of convolutions beside it."""
    if "image_channels" not in options:
        network = parts.get("conv_encoder", {})
        default = PearlConfig()
        options = {
            **options,
            "image_channels": network.get("channels", default.image_channels),
            "num_image_features": network.get("output_size", default.num_image_features),
        }
    return from_dict(PearlConfig, options)


def _rename(name: str) -> str:
    """In version 0.1.0 the representation of vectors was the encoder."""
    return name.replace(".representation.encoder", ".representation")
