"""Options of the soft actor-critic."""

import dataclasses
import math

from rlcore.experiment import check_at_least, check_positive, check_rate, check_types


@dataclasses.dataclass(frozen=True)
class SACConfig:
    """Options of SAC (Haarnoja et al., 2018), for continuous and discrete actions.

    hidden_sizes: widths of the actor's and the critics' hidden layers.
    layer_norm: normalise the critics' hidden layers.
    num_critics: members of the critic ensemble; targets use the smallest.
    discount: of the return, per step.
    tau: share of the online parameters that the target takes over at every update.
    actor_learning_rate, critic_learning_rate, temperature_learning_rate: Adam's step sizes; the critic's also serves
      the representation and the value network.
    decay_from_update, decay_until_update: between them the step sizes fall linearly; both 0 keep them constant.
    final_learning_rate_share: share of themselves to which they fall.
    max_grad_norm: clip the gradient of everything together to this norm; None does not clip.
    temperature: weight of the entropy; None learns it, starting at `initial_temperature`.
    target_entropy: in nats, for a learned temperature; None asks the action head (continuous: minus the number of
      action dimensions; discrete: 0.4 log of the number of actions, because the customary 0.98 log lets the
      temperature explode where actions are few).
    reward_scale: multiplies the reward inside the Bellman target.
    value_network: bootstrap from a learned state value and its target (Haarnoja et al., 2018, first version; PEARL's
      reference) in place of target critics.
    mean_coef, log_std_coef: weights of the actor's squared pre-tanh means and squared log standard deviations;
      continuous actions only.
    """

    hidden_sizes: tuple[int, ...] = (256, 256)
    layer_norm: bool = False
    num_critics: int = 2
    discount: float = 0.99
    tau: float = 0.005
    actor_learning_rate: float = 3e-4
    critic_learning_rate: float = 3e-4
    temperature_learning_rate: float = 3e-4
    decay_from_update: int = 0
    decay_until_update: int = 0
    final_learning_rate_share: float = 0.0
    max_grad_norm: float | None = None
    temperature: float | None = None
    initial_temperature: float = 1.0
    target_entropy: float | None = None
    reward_scale: float = 1.0
    value_network: bool = False
    mean_coef: float = 0.0
    log_std_coef: float = 0.0

    def __post_init__(self):
        check_types(self)
        for size in self.hidden_sizes:
            check_positive("hidden_sizes", size)
        check_positive("num_critics", self.num_critics)
        check_rate("discount", self.discount, zero=True)
        check_rate("tau", self.tau)
        for name in ("actor_learning_rate", "critic_learning_rate", "temperature_learning_rate"):
            check_rate(name, getattr(self, name))
        check_rate("final_learning_rate_share", self.final_learning_rate_share, zero=True)
        check_at_least("decay_from_update", self.decay_from_update, 0)
        if self.decay_from_update or self.decay_until_update:
            check_at_least("decay_until_update", self.decay_until_update, self.decay_from_update + 1)
        if self.max_grad_norm is not None:
            check_positive("max_grad_norm", self.max_grad_norm)
        if self.temperature is not None:
            check_at_least("temperature", self.temperature, 0)
        if self.target_entropy is not None and not math.isfinite(self.target_entropy):
            raise ValueError(f"target_entropy must be finite, got {self.target_entropy}")
        check_positive("initial_temperature", self.initial_temperature)
        check_positive("reward_scale", self.reward_scale)
        check_at_least("mean_coef", self.mean_coef, 0)
        check_at_least("log_std_coef", self.log_std_coef, 0)
