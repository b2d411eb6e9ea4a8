"""Training runs of MAML with TRPO and of ProMP: opened, trained in, and read back; see `rlcore.meta.Algorithm`."""

from functools import partial

import metarl_envs
from metarl_envs import Benchmark
from rlcore.experiment import from_dict
from rlcore.meta import Algorithm, SavedRun

from metarl_baselines.gradient import TEST_OPTIONS, fill_options
from metarl_baselines.maml.config import MAMLConfig
from metarl_baselines.maml.learner import MAMLLearner


def make_learner(outer: str, config: MAMLConfig, benchmark: Benchmark) -> MAMLLearner:
    """The learner; raises ValueError where the config is of the other one of the two algorithms."""
    if config.outer != outer:
        raise ValueError(f"outer must be {outer} in a run of this algorithm, got {config.outer}")
    return MAMLLearner(config, benchmark)


def _read_config(saved: SavedRun) -> MAMLConfig:
    """The config, also of a run that was begun before some options were there, which do nothing by default."""
    promp = {"target_inner_kl": None, **saved.config["promp"]}
    return from_dict(MAMLConfig, {"exploration_coef": 0.0, **fill_options(saved.config), "promp": promp})


def _make_algorithm(name: str, package: str, outer: str) -> Algorithm:
    return Algorithm(
        name=name,
        package=package,
        config_type=MAMLConfig,
        make_learner=partial(make_learner, outer),
        read_config=_read_config,
        find_benchmark=metarl_envs.benchmark,
        test_options=TEST_OPTIONS,
    )


MAML_TRPO = _make_algorithm("maml-trpo", "metarl_baselines.maml", "trpo")
PROMP = _make_algorithm("promp", "metarl_baselines.promp", "promp")
open_run, train, load = MAML_TRPO.open_run, MAML_TRPO.train, MAML_TRPO.load
