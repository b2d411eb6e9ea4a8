"""Training runs of RL2: opened, trained in, and read back; see `rlcore.meta.Algorithm`."""

import metarl_envs
from rlcore.experiment import from_dict
from rlcore.meta import Algorithm

from metarl_baselines.rl2.config import RL2Config
from metarl_baselines.rl2.learner import RL2Learner

ALGORITHM = Algorithm(
    name="rl2",
    package="metarl_baselines.rl2",
    config_type=RL2Config,
    make_learner=RL2Learner,
    read_config=lambda saved: from_dict(RL2Config, saved.config),
    find_benchmark=metarl_envs.benchmark,
    test_options=("num_test_episodes", "deterministic_test", "test_every"),
)
open_run, train, load = ALGORITHM.open_run, ALGORITHM.train, ALGORITHM.load
