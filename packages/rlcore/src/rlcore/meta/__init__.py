"""Meta-RL: policies that adapt by what they remember, the trials that they play, and how these went."""

from rlcore.meta.policy import Family, MetaPolicy
from rlcore.meta.results import Outcome, get_outcome
from rlcore.meta.signals import check_finite, get_signal
from rlcore.meta.trials import TrialPlayer, Trials, evaluate, run_host_trials, run_trials
from rlcore.rollout import Trajectory

__all__ = [
    "Family",
    "MetaPolicy",
    "Outcome",
    "Trajectory",
    "TrialPlayer",
    "Trials",
    "check_finite",
    "evaluate",
    "get_outcome",
    "get_signal",
    "run_host_trials",
    "run_trials",
]
