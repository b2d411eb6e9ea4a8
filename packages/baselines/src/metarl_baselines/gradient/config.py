"""Options of learners that adapt by gradient steps."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from rlcore.experiment import check_at_least, check_positive, check_rate, check_types
from rlcore.meta import check_curriculum
from rlcore.policy_gradient import TRPOConfig


@dataclasses.dataclass(frozen=True)
class AdaptationConfig:
    """When a policy adapts in a trial, and what an action is taken to be worth.

    num_episodes: that are played before each inner step, which learns from them and from no others.
    num_steps: inner steps of a trial in training; 0 trains a policy that does not adapt.
    num_test_steps: inner steps of a trial in tests. A test has one more episode than they take.
    discount: of the return, per step.
    gae_lambda: share of later advantages; 1 is the return less the baseline, which is linear in features of each
      task's episodes and fitted to them. Nothing follows on an episode, however it ended.
    """

    num_episodes: int = 20
    num_steps: int = 1
    num_test_steps: int = 1
    discount: float = 0.99
    gae_lambda: float = 1.0

    def __post_init__(self):
        check_types(self)
        check_positive("num_episodes", self.num_episodes)
        for name in ("num_steps", "num_test_steps"):
            check_at_least(name, getattr(self, name), 0)
        for name in ("discount", "gae_lambda"):
            check_rate(name, getattr(self, name), zero=True)


@dataclasses.dataclass(frozen=True)
class GradientConfig:
    """Options of every algorithm here that adapts by gradient steps.

    What acts and adapts:
      hidden_sizes: of the policy's network.
      action_scale: the policy acts in [-scale, scale] where the environment's range is [-1, 1].
      initial_std: of each action, in the policy's range.
      min_std: the least that it becomes, by outer or inner steps.
      adaptation: when it adapts, and what an action is taken to be worth.

    What it is trained for:
      training_reward: the signal that trains: `reward`, or the name of another one that the environment reports. Inner
        steps see `reward`, the only one there is at test time.
      trpo: options of an outer step of TRPO.

    How data is collected:
      num_tasks_per_iteration: train tasks of an iteration, all different; 0 means all there are. In each the policy
        plays as many episodes before each inner step as after the last one.
      ease_from_iteration, ease_until_iteration: between them the difficulty of train tasks rises linearly from 0 to 1,
        where the family has easier versions of its tasks; both 0 leave the tasks alone. Test tasks are never eased.

    How it is tested:
      deterministic_test: whether test actions are the policy's centre after the last inner step, or drawn.
      test_every: iterations between tests.
    """

    hidden_sizes: tuple[int, ...] = (64, 64)
    action_scale: float = 10.0
    initial_std: float = 1.0
    min_std: float = 1e-6
    adaptation: AdaptationConfig = dataclasses.field(default_factory=AdaptationConfig)

    training_reward: str = "reward"
    trpo: TRPOConfig = dataclasses.field(default_factory=TRPOConfig)

    num_tasks_per_iteration: int = 40
    ease_from_iteration: int = 0
    ease_until_iteration: int = 0

    deterministic_test: bool = False
    test_every: int = 1

    def __post_init__(self):
        check_types(self)
        for size in self.hidden_sizes:
            check_positive("hidden_sizes", size)
        for name in ("action_scale", "initial_std", "min_std", "test_every"):
            check_positive(name, getattr(self, name))
        if self.min_std > self.initial_std:
            raise ValueError(f"min_std must be at most initial_std={self.initial_std}, got {self.min_std}")
        check_at_least("num_tasks_per_iteration", self.num_tasks_per_iteration, 0)
        check_curriculum(self)


TEST_OPTIONS = ("adaptation.num_test_steps", "deterministic_test", "test_every")
"""Of them, those which may be replaced when a run is read."""


def fill_options(saved: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a run, also of one that was begun before there was a least deviation."""
    return {"min_std": GradientConfig.min_std, **saved}
