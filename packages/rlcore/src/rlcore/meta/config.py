"""What a meta-RL algorithm says of its presets, its collecting and its testing, in records."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from rlcore.meta.policy import Benchmark, MetaPolicy
from rlcore.types import Params


class Plan(NamedTuple):
    """What a preset is for a benchmark. config: the algorithm's options. num_iterations: how many are usual."""

    config: Any
    num_iterations: int


class Preset(NamedTuple):
    """make: from the traits of a benchmark to a plan. purpose: what it is for, in a line."""

    make: Callable[[Any], Plan]
    purpose: str


class Presets(Mapping[str, Preset]):
    """The presets of an algorithm, by name: what they are for a benchmark, its traits decide."""

    def __init__(self, read_traits: Callable[[Any], Any], presets: Mapping[str, Preset]) -> None:
        """Keeps them in their order.

        Args:
          read_traits: from a `metarl_envs.Benchmark` to what presets look at.
          presets: all there are.
        """
        self._read_traits, self._presets = read_traits, dict(presets)

    def __getitem__(self, name: str) -> Preset:
        """Of that name."""
        return self._presets[name]

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter(self._presets)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._presets)

    def plan(self, name: str, benchmark: Benchmark) -> Plan:
        """The options of that name for a benchmark, and the usual number of iterations.

        Args:
          name: one of these presets'.
          benchmark: a `metarl_envs.Benchmark` to train on, registered or one's own.

        Raises:
          ValueError: there is no such preset, or the benchmark is not one.
        """
        if name not in self:
            raise ValueError(f"preset must be one of {', '.join(self)}, got {name!r}")
        if not hasattr(benchmark, "train_tasks"):
            hint = f"; metarl_envs.benchmark({benchmark!r}) is one, if registered" if isinstance(benchmark, str) else ""
            raise ValueError(f"benchmark must be a metarl_envs.Benchmark, got {benchmark!r}{hint}")
        return self[name].make(self._read_traits(benchmark))


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
