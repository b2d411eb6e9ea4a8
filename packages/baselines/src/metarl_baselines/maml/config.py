"""Options of MAML and of ProMP; `presets` has the sets of them that belong together."""

import dataclasses
from typing import Literal

from rlcore.experiment import check_at_least, check_positive, check_rate, check_types
from rlcore.meta import check_curriculum
from rlcore.policy_gradient import TRPOConfig

from metarl_baselines.gradient import AdaptationConfig


@dataclasses.dataclass(frozen=True)
class ProMPConfig:
    """Options of ProMP's outer steps (Rothfuss et al., 2019).

    clip: how far the ratio of new to old probabilities counts, from 1 in either direction, after the last inner step.
    inner_kl_coef: weight of the mean KL(old || new) of the policies before it.
    learning_rate: Adam's step size.
    num_epochs: steps on the newest trials, all of them together.
    """

    clip: float = 0.3
    inner_kl_coef: float = 5e-4
    learning_rate: float = 1e-3
    num_epochs: int = 5

    def __post_init__(self):
        check_types(self)
        check_positive("clip", self.clip)
        check_at_least("inner_kl_coef", self.inner_kl_coef, 0)
        check_rate("learning_rate", self.learning_rate)
        check_positive("num_epochs", self.num_epochs)


@dataclasses.dataclass(frozen=True)
class MAMLConfig:
    """Options of MAML (Finn et al., 2017) for policies.

    What acts and adapts:
      hidden_sizes: of the policy, a network of tanh units.
      action_scale: the policy acts in [-scale, scale] where the environment's range is [-1, 1].
      initial_std: of each action, in the policy's range.
      adaptation: when it adapts, and what an action is taken to be worth.
      inner_objective: of an inner step, whose gradient is the same at the policy that played, and whose second
        derivative is not. `log_likelihood`: log pi A. `likelihood_ratio`: pi / pi_old A, whose derivatives are those of
        the expected return, to second order too.
      inner_learning_rate: of an inner step, along the gradient of every parameter.

    What it is trained for:
      training_reward: the signal that trains: `reward`, or the name of another one that the environment reports. Inner
        steps see `reward`, the only one there is at test time.
      outer: how the parameters before adapting are trained: by a `trpo` step, or by gradient steps of `promp`.
      trpo, promp: options of the one and of the other.

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
    adaptation: AdaptationConfig = dataclasses.field(default_factory=AdaptationConfig)
    inner_objective: Literal["log_likelihood", "likelihood_ratio"] = "log_likelihood"
    inner_learning_rate: float = 0.1

    training_reward: str = "reward"
    outer: Literal["trpo", "promp"] = "trpo"
    trpo: TRPOConfig = dataclasses.field(default_factory=TRPOConfig)
    promp: ProMPConfig = dataclasses.field(default_factory=ProMPConfig)

    num_tasks_per_iteration: int = 40
    ease_from_iteration: int = 0
    ease_until_iteration: int = 0

    deterministic_test: bool = False
    test_every: int = 1

    def __post_init__(self):
        check_types(self)
        for size in self.hidden_sizes:
            check_positive("hidden_sizes", size)
        for name in ("action_scale", "initial_std", "inner_learning_rate", "test_every"):
            check_positive(name, getattr(self, name))
        check_at_least("num_tasks_per_iteration", self.num_tasks_per_iteration, 0)
        check_curriculum(self)
        if self.outer == "promp" and self.inner_objective != "likelihood_ratio":
            raise ValueError(f"outer=promp needs inner_objective=likelihood_ratio, got {self.inner_objective}")
