"""Options of MAML and of ProMP; `presets` has the sets of them that belong together."""

import dataclasses
from typing import Literal

from rlcore.experiment import check_at_least, check_positive, check_rate, check_types
from rlcore.policy_gradient import TRPOConfig

from metarl_baselines.gradient import GradientConfig


@dataclasses.dataclass(frozen=True)
class ProMPConfig:
    """Options of ProMP's outer steps (Rothfuss et al., 2019).

    clip: how far the ratio of new to old probabilities counts, from 1 in either direction, after the last inner step.
    inner_kl_coef: weight of the mean KL(old || new) of the policies before it.
    target_inner_kl: what that divergence should be, in nats for each inner step. An iteration that ends below 2 / 3
      of it halves the weight, one that ends above three halves of it doubles it; None leaves it alone.
    learning_rate: Adam's step size.
    num_epochs: steps on the newest trials, all of them together.
    """

    clip: float = 0.3
    inner_kl_coef: float = 5e-4
    target_inner_kl: float | None = None
    learning_rate: float = 1e-3
    num_epochs: int = 5

    def __post_init__(self):
        check_types(self)
        check_positive("clip", self.clip)
        check_at_least("inner_kl_coef", self.inner_kl_coef, 0)
        if self.target_inner_kl is not None:
            check_positive("target_inner_kl", self.target_inner_kl)
            check_positive("inner_kl_coef", self.inner_kl_coef)
        check_rate("learning_rate", self.learning_rate)
        check_positive("num_epochs", self.num_epochs)


@dataclasses.dataclass(frozen=True)
class MAMLConfig(GradientConfig):
    """Options of MAML (Finn et al., 2017) for policies, networks of tanh units, beside those of `GradientConfig`.

    inner_objective: of an inner step, whose gradient is the same at the policy that played, and whose second derivative
      is not. `log_likelihood`: log pi A. `likelihood_ratio`: pi / pi_old A, whose derivatives are those of the expected
      return, to second order too.
    inner_learning_rate: of an inner step, along the gradient of every parameter.
    outer: how the parameters before adapting are trained: by a `trpo` step, or by gradient steps of `promp`.
    promp: options of the latter. Those of the one that is not chosen keep their defaults: they would do nothing.
    exploration_coef: of a `trpo` step, weight of E-MAML's term (Stadie et al., 2018), which makes likelier what was
      played before adapting where rewards after it were high; 0 leaves it out, 1 is the original's.
    """

    inner_objective: Literal["log_likelihood", "likelihood_ratio"] = "log_likelihood"
    inner_learning_rate: float = 0.1
    outer: Literal["trpo", "promp"] = "trpo"
    promp: ProMPConfig = dataclasses.field(default_factory=ProMPConfig)
    exploration_coef: float = 0.0

    def __post_init__(self):
        super().__post_init__()
        check_positive("inner_learning_rate", self.inner_learning_rate)
        check_at_least("exploration_coef", self.exploration_coef, 0)
        if self.outer == "promp" and self.inner_objective != "likelihood_ratio":
            raise ValueError(f"outer=promp needs inner_objective=likelihood_ratio, got {self.inner_objective}")
        if self.outer == "promp" and self.exploration_coef:
            raise ValueError(f"outer=promp needs exploration_coef=0, got {self.exploration_coef}")
        for part, default in (("promp", ProMPConfig()), ("trpo", TRPOConfig())):
            if part != self.outer and getattr(self, part) != default:
                raise ValueError(f"{part} must have its defaults with outer={self.outer}, got {getattr(self, part)}")
        adapts = self.adaptation.num_steps > 0
        if self.promp.target_inner_kl is not None and not adapts:
            raise ValueError("promp.target_inner_kl needs adaptation.num_steps of at least 1, got 0")
        if self.exploration_coef and not adapts:
            raise ValueError("exploration_coef needs adaptation.num_steps of at least 1, got 0")
