"""Options of RL2; `presets` has the sets of them that belong together."""

import dataclasses
from typing import Literal

from rlcore.experiment import check_at_least, check_positive, check_types
from rlcore.meta import check_curriculum
from rlcore.policy_gradient import PPOConfig


@dataclasses.dataclass(frozen=True)
class RL2Config:
    """Options of RL2 (Duan et al., 2016) with PPO.

    What remembers and acts:
      ppo: how it is trained. Minibatches are of whole trials.
      memory_size: numbers in the state of the GRU.
      embedding_size: width of the layer that joins what the GRU is told at a step.
      hidden_sizes: of the policy and of the value, which see the GRU's state and the embedding.
      initial_std: of each action, where the environment's range is [-1, 1].
      image_channels, num_image_features: of the convolutions that make features of pictures; vectors are their own
        features.

    What it is trained for:
      credit: how far it reaches. `trial` counts what later episodes of the trial earn, so that exploring is worth
        something; `episode` ends with each episode, as in the code behind the thesis's figures.
      bootstrap_at_end: whether what would follow on a trial counts too, by its value; else the rewards of the trial do
        and no more. Where credit ends with each episode, what would follow on a time limit always counts. With
        `baseline=linear` nothing follows, whatever this says.
      border_in_memory: whether the first input of an episode tells that one begins, and what the last action of the
        episode before earned; in that code it tells neither.
      baseline: what an action's return is compared with: `network`, its value, or `linear`, features of each trial
        fitted to what it earned, as in that code; for vectors, with ppo.value_coef=0 and ppo.value_scale_rate=0.
      bptt_steps: gradients pass through so many steps of the memory and no more; 0 lets them pass through the trial.
      training_reward: the signal that trains: `reward`, or the name of another one that the environment reports. The
        memory is told of `reward`, the only one there is at test time.

    How data is collected, in steps counted by the family's horizon: where episodes end early, others follow.
      num_tasks_per_iteration: train tasks of an iteration, all different; 0 means all there are.
      num_trials_per_task: in each of them, one after the other.
      num_episodes: of a trial.
      ease_from_iteration, ease_until_iteration: between them the difficulty of train tasks rises linearly from 0 to 1,
        where the family has easier versions of its tasks; both 0 leave the tasks alone. Test tasks are never eased.

    How it is tested:
      num_test_episodes: of a trial.
      deterministic_test: whether test actions are the policy's centre, or drawn.
      test_every: iterations between tests.
    """

    ppo: PPOConfig = dataclasses.field(default_factory=PPOConfig)
    memory_size: int = 64
    embedding_size: int = 64
    hidden_sizes: tuple[int, ...] = (64,)
    initial_std: float = 0.5
    image_channels: tuple[int, ...] = (16, 32, 32)
    num_image_features: int = 32

    credit: Literal["trial", "episode"] = "trial"
    bootstrap_at_end: bool = True
    border_in_memory: bool = True
    baseline: Literal["network", "linear"] = "network"
    bptt_steps: int = 0
    training_reward: str = "reward"

    num_tasks_per_iteration: int = 40
    num_trials_per_task: int = 1
    num_episodes: int = 2
    ease_from_iteration: int = 0
    ease_until_iteration: int = 0

    num_test_episodes: int = 3
    deterministic_test: bool = True
    test_every: int = 1

    def __post_init__(self):
        check_types(self)
        for name in ("hidden_sizes", "image_channels"):
            for size in getattr(self, name):
                check_positive(name, size)
        for name in ("memory_size", "embedding_size", "initial_std", "num_image_features"):
            check_positive(name, getattr(self, name))
        for name in ("num_trials_per_task", "num_episodes", "num_test_episodes", "test_every"):
            check_positive(name, getattr(self, name))
        for name in ("bptt_steps", "num_tasks_per_iteration"):
            check_at_least(name, getattr(self, name), 0)
        check_curriculum(self)
        if self.baseline == "linear" and (self.ppo.value_coef or self.ppo.value_scale_rate):
            raise ValueError(
                "baseline=linear needs ppo.value_coef=0 and ppo.value_scale_rate=0, got "
                f"{self.ppo.value_coef} and {self.ppo.value_scale_rate}"
            )
