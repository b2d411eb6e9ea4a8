"""Options of PPO and of TRPO's step."""

import dataclasses
from typing import Literal

from rlcore.experiment import check_at_least, check_positive, check_rate, check_types


@dataclasses.dataclass(frozen=True)
class PPOConfig:
    """Options of PPO (Schulman et al., 2017).

    discount: of the return, per step.
    gae_lambda: share of later advantages; 1 is the return less the value, 0 the error of one step.
    clip: how far the ratio of new to old probabilities counts, from 1 in either direction.
    learning_rate: Adam's step size, of everything.
    num_epochs: how often the newest data is learned from.
    num_minibatches: into how many parts each epoch cuts it, at random.
    value_coef, entropy_coef: weights of the value's loss and of the entropy.
    max_grad_norm: clip the gradient of everything together to this norm; None does not clip.
    value_scale_rate: values are learned in units of the spread of what they should be, about its mean; both are moving
      averages, to which every batch contributes this share. 0 learns values as they are.
    """

    discount: float = 0.99
    gae_lambda: float = 0.95
    clip: float = 0.2
    learning_rate: float = 3e-4
    num_epochs: int = 10
    num_minibatches: int = 4
    value_coef: float = 0.5
    entropy_coef: float = 0.0
    max_grad_norm: float | None = 0.5
    value_scale_rate: float = 0.05

    def __post_init__(self):
        check_types(self)
        for name in ("discount", "gae_lambda", "value_scale_rate"):
            check_rate(name, getattr(self, name), zero=True)
        check_rate("learning_rate", self.learning_rate)
        for name in ("clip", "num_epochs", "num_minibatches"):
            check_positive(name, getattr(self, name))
        for name in ("value_coef", "entropy_coef"):
            check_at_least(name, getattr(self, name), 0)
        if self.max_grad_norm is not None:
            check_positive("max_grad_norm", self.max_grad_norm)


@dataclasses.dataclass(frozen=True)
class TRPOConfig:
    """Options of a step of TRPO (Schulman et al., 2015).

    max_kl: how far the policy moves at most: mean KL(old || new) in nats.
    damping: added to the diagonal of the Fisher matrix.
    num_iterations: of conjugate gradient.
    hessian_product: of the divergence: `exact`, or by symmetric `differences` of its gradient.
    shrink: of the step from trial to trial.
    num_trials: at most.
    """

    max_kl: float = 0.01
    damping: float = 0.0
    num_iterations: int = 10
    hessian_product: Literal["exact", "differences"] = "exact"
    shrink: float = 0.8
    num_trials: int = 15

    def __post_init__(self):
        check_types(self)
        for name in ("max_kl", "num_iterations", "num_trials"):
            check_positive(name, getattr(self, name))
        check_at_least("damping", self.damping, 0)
        if not 0 < self.shrink < 1:
            raise ValueError(f"shrink must be in (0, 1), got {self.shrink}")
