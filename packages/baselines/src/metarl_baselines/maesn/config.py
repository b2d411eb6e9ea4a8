"""Options of MAESN; `presets` has the sets of them that belong together."""

import dataclasses

from rlcore.experiment import check_at_least, check_positive
from rlcore.policy_gradient import TRPOConfig

from metarl_baselines.gradient import GradientConfig


@dataclasses.dataclass(frozen=True)
class MAESNConfig(GradientConfig):
    """Options of MAESN (Gupta et al., 2018), beside those of `GradientConfig`.

    Its policy is a network of rectified units that sees the observation and the latent z. In tests z is drawn, also
    where actions are the policy's centre.

    latent_size: numbers in z, which is drawn once in an episode.
    initial_step_size: of inner steps on mean and log-deviation of z; each has a step size of its own, and learns it.
    kl_coef: weight of KL(z before adapting || N(0, I)) of the visited tasks; from N(0, I) tests begin.
    """

    hidden_sizes: tuple[int, ...] = (100, 100)
    action_scale: float = 1.0
    trpo: TRPOConfig = dataclasses.field(default_factory=lambda: TRPOConfig(damping=1e-5))
    num_tasks_per_iteration: int = 20

    latent_size: int = 2
    initial_step_size: float = 0.5
    kl_coef: float = 0.1

    def __post_init__(self):
        super().__post_init__()
        for name in ("latent_size", "initial_step_size"):
            check_positive(name, getattr(self, name))
        check_at_least("kl_coef", self.kl_coef, 0)
