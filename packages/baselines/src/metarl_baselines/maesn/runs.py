"""Training runs of MAESN: opened, trained in, and read back; see `rlcore.meta.Algorithm`."""

import metarl_envs
from rlcore.experiment import from_dict
from rlcore.meta import Algorithm

from metarl_baselines.gradient import TEST_OPTIONS, fill_options
from metarl_baselines.maesn.config import MAESNConfig
from metarl_baselines.maesn.learner import MAESNLearner

ALGORITHM = Algorithm(
    name="maesn",
    package="metarl_baselines.maesn",
    config_type=MAESNConfig,
    make_learner=MAESNLearner,
    read_config=lambda saved: from_dict(MAESNConfig, fill_options(saved.config)),
    find_benchmark=metarl_envs.benchmark,
    test_options=TEST_OPTIONS,
)
open_run, train, load = ALGORITHM.open_run, ALGORITHM.train, ALGORITHM.load
