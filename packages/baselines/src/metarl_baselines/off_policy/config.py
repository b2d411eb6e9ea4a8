"""Options of algorithms that replay whole trials."""

import dataclasses
from typing import Literal

from rlcore.experiment import check_at_least, check_positive, check_types
from rlcore.meta import check_curriculum
from rlcore.sac import SACConfig


@dataclasses.dataclass(frozen=True)
class TrialReplayConfig:
    """Options of every algorithm here that replays whole trials and learns from them by SAC.

    sac: the actor-critic.

    What it is trained for:
      bootstrap_at_end: whether what would follow on a trial counts too, by its value. Within a trial what follows
        always counts: where an episode ends, by termination or a time limit, that is the next episode.
      border_in_memory: whether the first input of an episode tells that one begins, and what the last action of the
        episode before earned.
      training_reward: the signal that trains: `reward`, or the name of another one that the environment reports. The
        memory is told of `reward`, the only one there is at test time.

    What it is trained on:
      batch_size: whole trials of a gradient step, of tasks drawn with replacement; every step of them counts.
      replay_capacity: trials kept of each task.

    How data is collected, in steps counted by the family's horizon: where episodes end early, others follow.
      num_initial_trials: of every train task before the first gradient step.
      num_tasks_per_iteration: train tasks visited in an iteration, all different; 0 means all there are.
      num_episodes: of a trial, when collected and so when replayed.
      num_updates: gradient steps of an iteration.
      ease_from_iteration, ease_until_iteration: between them the difficulty of train tasks rises linearly from 0 to 1,
        where the family has easier versions of its tasks; both 0 leave the tasks alone. Test tasks are never eased.

    How it is tested:
      num_test_episodes: of a trial.
      deterministic_test: whether test actions are the policy's centre, or drawn.
      test_every: iterations between tests.
    """

    sac: SACConfig = dataclasses.field(default_factory=SACConfig)

    bootstrap_at_end: bool = True
    border_in_memory: bool = True
    training_reward: str = "reward"

    batch_size: int = 32
    replay_capacity: int = 100

    num_initial_trials: int = 1
    num_tasks_per_iteration: int = 20
    num_episodes: int = 2
    num_updates: int = 100
    ease_from_iteration: int = 0
    ease_until_iteration: int = 0

    num_test_episodes: int = 3
    deterministic_test: bool = True
    test_every: int = 1

    def __post_init__(self):
        check_types(self)
        for name in ("batch_size", "replay_capacity", "num_initial_trials", "num_episodes", "num_updates"):
            check_positive(name, getattr(self, name))
        for name in ("num_test_episodes", "test_every"):
            check_positive(name, getattr(self, name))
        check_at_least("num_tasks_per_iteration", self.num_tasks_per_iteration, 0)
        check_curriculum(self)
        if self.num_initial_trials > self.replay_capacity:
            raise ValueError(
                f"replay_capacity must hold the {self.num_initial_trials} initial trials, got {self.replay_capacity}"
            )

    @property
    def credit(self) -> Literal["trial", "episode"]:
        """How far it reaches: over all episodes of a trial, so that exploring is worth something."""
        return "trial"


TEST_OPTIONS = ("num_test_episodes", "deterministic_test", "test_every")
"""Of them, those which may be replaced when a run is read."""
