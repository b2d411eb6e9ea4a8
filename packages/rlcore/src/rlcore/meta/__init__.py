"""Meta-RL: policies that adapt by what they remember, the trials that they play, and the one loop that trains them."""

from rlcore.meta.arguments import check_num_visited
from rlcore.meta.config import Collection, Plan, Preset, Presets, Testing
from rlcore.meta.curriculum import check_curriculum, ease, find_difficulty
from rlcore.meta.player import Player
from rlcore.meta.policy import Benchmark, Family, MetaPolicy
from rlcore.meta.results import Outcome, get_outcome, outcome_metrics
from rlcore.meta.runs import Algorithm, SavedRun, Trained, check_benchmark, read_run
from rlcore.meta.signals import check_finite, check_reported, check_signal, get_signal
from rlcore.meta.training import MetaLearner, TrainState, describe_memory, init_state, meta_train
from rlcore.meta.trials import TrialPlayer, Trials, Visit, evaluate, play_host_trial, play_trial

__all__ = [
    "Algorithm",
    "Benchmark",
    "Collection",
    "Family",
    "MetaLearner",
    "MetaPolicy",
    "Outcome",
    "Plan",
    "Player",
    "Preset",
    "Presets",
    "SavedRun",
    "Testing",
    "TrainState",
    "Trained",
    "TrialPlayer",
    "Trials",
    "Visit",
    "check_benchmark",
    "check_curriculum",
    "check_finite",
    "check_num_visited",
    "check_reported",
    "check_signal",
    "describe_memory",
    "ease",
    "evaluate",
    "find_difficulty",
    "get_outcome",
    "get_signal",
    "init_state",
    "meta_train",
    "outcome_metrics",
    "play_host_trial",
    "play_trial",
    "read_run",
]
