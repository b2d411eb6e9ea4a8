"""Training runs of recurrent SAC: opened, trained in, and read back; see `rlcore.meta.Algorithm`."""

import metarl_envs
from rlcore.experiment import from_dict
from rlcore.meta import Algorithm

from metarl_baselines.off_policy.config import TEST_OPTIONS
from metarl_baselines.recurrent_sac.agent import make_learner
from metarl_baselines.recurrent_sac.config import RecurrentSACConfig

ALGORITHM = Algorithm(
    name="recurrent-sac",
    package="metarl_baselines.recurrent_sac",
    config_type=RecurrentSACConfig,
    make_learner=make_learner,
    read_config=lambda saved: from_dict(RecurrentSACConfig, saved.config),
    find_benchmark=metarl_envs.benchmark,
    test_options=TEST_OPTIONS,
)
open_run, train, load = ALGORITHM.open_run, ALGORITHM.train, ALGORITHM.load
