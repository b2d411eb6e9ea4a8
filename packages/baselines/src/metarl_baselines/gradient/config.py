"""Options of adapting, the same for all learners that adapt by gradient steps."""

import dataclasses

from rlcore.experiment import check_at_least, check_positive, check_rate, check_types


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


TEST_OPTIONS = ("adaptation.num_test_steps", "deterministic_test", "test_every")
"""Of such learners' configs, those which may be replaced when a run is read."""
