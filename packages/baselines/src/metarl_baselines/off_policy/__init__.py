"""What off-policy algorithms share that replay whole trials: their options, and their learner on the one SAC."""

from metarl_baselines.off_policy.batch import TrialBatch, make_batch
from metarl_baselines.off_policy.config import TrialReplayConfig
from metarl_baselines.off_policy.learner import TrialReplayAgent, TrialReplayLearner, sample_trials

__all__ = [
    "TrialBatch",
    "TrialReplayAgent",
    "TrialReplayConfig",
    "TrialReplayLearner",
    "make_batch",
    "sample_trials",
]
