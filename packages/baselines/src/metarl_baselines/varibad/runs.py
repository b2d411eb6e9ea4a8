"""Training runs of VariBAD: opened, trained in, and read back; see `rlcore.meta.Algorithm`."""

import metarl_envs
from rlcore.experiment import from_dict
from rlcore.meta import Algorithm

from metarl_baselines.off_policy.config import TEST_OPTIONS
from metarl_baselines.varibad.agent import make_learner
from metarl_baselines.varibad.config import VariBADConfig

ALGORITHM = Algorithm(
    name="varibad",
    package="metarl_baselines.varibad",
    config_type=VariBADConfig,
    make_learner=make_learner,
    read_config=lambda saved: from_dict(VariBADConfig, saved.config),
    find_benchmark=metarl_envs.benchmark,
    test_options=TEST_OPTIONS,
)
open_run, train, load = ALGORITHM.open_run, ALGORITHM.train, ALGORITHM.load
