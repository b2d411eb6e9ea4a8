"""Options of MAESN; `presets` has the sets of them that belong together."""

import dataclasses

from rlcore.experiment import check_at_least, check_positive, check_types
from rlcore.meta import check_curriculum
from rlcore.policy_gradient import TRPOConfig

from metarl_baselines.gradient import AdaptationConfig


@dataclasses.dataclass(frozen=True)
class MAESNConfig:
    """Options of MAESN (Gupta et al., 2018).

    What acts and adapts:
      hidden_sizes: of the policy, a network of rectified units that sees the observation and the latent z.
      action_scale: the policy acts in [-scale, scale] where the environment's range is [-1, 1].
      initial_std: of each action, in the policy's range.
      latent_size: numbers in z, which is drawn once in an episode.
      initial_step_size: of inner steps on mean and log-deviation of z; each has a step size of its own, and learns it.
      adaptation: when it adapts, and what an action is taken to be worth.

    What it is trained for:
      training_reward: the signal that trains: `reward`, or the name of another one that the environment reports. Inner
        steps see `reward`, the only one there is at test time.
      kl_coef: weight of KL(z before adapting || N(0, I)) of the visited tasks; from N(0, I) tests begin.
      trpo: options of the outer step.

    How data is collected:
      num_tasks_per_iteration: train tasks of an iteration, all different; 0 means all there are. In each the policy
        plays as many episodes before each inner step as after the last one.
      ease_from_iteration, ease_until_iteration: between them the difficulty of train tasks rises linearly from 0 to 1,
        where the family has easier versions of its tasks; both 0 leave the tasks alone. Test tasks are never eased.

    How it is tested:
      deterministic_test: whether test actions are the policy's centre after the last inner step, or drawn; z is drawn.
      test_every: iterations between tests.
    """

    hidden_sizes: tuple[int, ...] = (100, 100)
    action_scale: float = 1.0
    initial_std: float = 1.0
    latent_size: int = 2
    initial_step_size: float = 0.5
    adaptation: AdaptationConfig = dataclasses.field(default_factory=AdaptationConfig)

    training_reward: str = "reward"
    kl_coef: float = 0.1
    trpo: TRPOConfig = dataclasses.field(default_factory=lambda: TRPOConfig(damping=1e-5))

    num_tasks_per_iteration: int = 20
    ease_from_iteration: int = 0
    ease_until_iteration: int = 0

    deterministic_test: bool = False
    test_every: int = 1

    def __post_init__(self):
        check_types(self)
        for size in self.hidden_sizes:
            check_positive("hidden_sizes", size)
        for name in ("action_scale", "initial_std", "latent_size", "initial_step_size", "test_every"):
            check_positive(name, getattr(self, name))
        for name in ("kl_coef", "num_tasks_per_iteration"):
            check_at_least(name, getattr(self, name), 0)
        check_curriculum(self)
