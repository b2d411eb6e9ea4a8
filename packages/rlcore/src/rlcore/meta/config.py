"""What a meta-RL algorithm says of its collecting and testing, in records that the one loop reads."""

from typing import Any, NamedTuple

from rlcore.meta.policy import MetaPolicy


class Plan(NamedTuple):
    """What a preset is for a benchmark. config: the algorithm's options. num_iterations: how many are usual."""

    config: Any
    num_iterations: int


class Collection(NamedTuple):
    """How trials are collected in train tasks.

    policy: what acts and remembers; hashable.
    num_steps: of a trial in each task; episodes that end early are followed by others until so many are played.
    num_trials: in each task, one after the other.
    num_tasks: visited in an iteration, all different; 0 means all there are.
    """

    policy: MetaPolicy
    num_steps: int
    num_trials: int = 1
    num_tasks: int = 0


class Testing(NamedTuple):
    """How the agent is tested in tasks never seen.

    policy: what acts and remembers; hashable.
    num_episodes: of a trial.
    num_trials: of each task, side by side, over which results are averaged.
    every: iterations between tests.
    """

    policy: MetaPolicy
    num_episodes: int
    num_trials: int = 1
    every: int = 1
