"""What a meta-RL algorithm says of its presets, its collecting and its testing, in records."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from rlcore.meta.policy import MetaPolicy
from rlcore.types import Params


class Plan(NamedTuple):
    """What a preset is for a benchmark. config: the algorithm's options. num_iterations: how many are usual."""

    config: Any
    num_iterations: int


class Preset(NamedTuple):
    """make: from the traits of a benchmark to a plan. purpose: what it is for, in a line."""

    make: Callable[[Any], Plan]
    purpose: str


def make_plan(presets: Mapping[str, Preset], name: str, benchmark: Any, read_traits: Callable[[Any], Any]) -> Plan:
    """The options of a preset for a benchmark, and the usual number of iterations.

    Args:
      presets: all there are.
      name: of one of them.
      benchmark: a `metarl_envs.Benchmark`.
      read_traits: from it to what presets look at.

    Raises:
      ValueError: there is no such preset, or the benchmark is not one.
    """
    if name not in presets:
        raise ValueError(f"preset must be one of {', '.join(presets)}, got {name!r}")
    if not hasattr(benchmark, "train_tasks"):
        hint = f"; metarl_envs.benchmark({benchmark!r}) is one, if registered" if isinstance(benchmark, str) else ""
        raise ValueError(f"benchmark must be a metarl_envs.Benchmark, got {benchmark!r}{hint}")
    return presets[name].make(read_traits(benchmark))


class Collection(NamedTuple):
    """How trials are collected in train tasks.

    policy: what acts and remembers; hashable.
    num_steps: of a trial in each task; episodes that end early are followed by others until so many are played.
    num_trials: in each task, one after the other.
    num_tasks: visited in an iteration, all different; 0 means all there are.
    choose: from the agent and the train tasks `ids: [M]` to the parameters of the policy, where each task has some of
      its own; None where `MetaLearner.params` gives them.
    """

    policy: MetaPolicy
    num_steps: int
    num_trials: int = 1
    num_tasks: int = 0
    choose: Callable[[Any, np.ndarray], Params] | None = None


class Testing(NamedTuple):
    """How the agent is tested in tasks never seen.

    policy: what acts and remembers; hashable.
    num_episodes: of a trial.
    num_trials: of each task, side by side, over which results are averaged.
    every: iterations between tests.
    adapts_after: so many episodes, in rising order, where the policy adapts to all of them at once; None where it does
      so after every episode, or at every step.
    """

    policy: MetaPolicy
    num_episodes: int
    num_trials: int = 1
    every: int = 1
    adapts_after: tuple[int, ...] | None = None

    def num_adapted(self, num_before: int) -> int:
        """How many episodes the policy has adapted to where so many have been played."""
        if self.adapts_after is None:
            return num_before
        return max((number for number in self.adapts_after if number <= num_before), default=0)
