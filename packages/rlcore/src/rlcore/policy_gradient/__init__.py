"""Policy gradients: advantages, the losses and steps of PPO and TRPO, and a baseline without a network."""

from rlcore.policy_gradient.advantages import (
    episode_discounts,
    generalised_advantages,
    standardise,
    weighted_mean,
)
from rlcore.policy_gradient.baseline import fit_linear, linear_features, linear_values
from rlcore.policy_gradient.config import PPOConfig, TRPOConfig
from rlcore.policy_gradient.networks import ActorCritic, GaussianPolicy
from rlcore.policy_gradient.ppo import PPO, Experience, PolicyAndValue, PPOBatch, PPOState
from rlcore.policy_gradient.trust_region import (
    Step,
    conjugate_gradient,
    difference_product,
    hessian_vector_product,
    natural_step,
    trust_region_step,
)
from rlcore.policy_gradient.value_scale import ValueScale, init_value_scale

__all__ = [
    "PPO",
    "ActorCritic",
    "Experience",
    "GaussianPolicy",
    "PPOBatch",
    "PPOConfig",
    "PPOState",
    "PolicyAndValue",
    "Step",
    "TRPOConfig",
    "ValueScale",
    "conjugate_gradient",
    "difference_product",
    "episode_discounts",
    "fit_linear",
    "generalised_advantages",
    "hessian_vector_product",
    "init_value_scale",
    "linear_features",
    "linear_values",
    "natural_step",
    "standardise",
    "trust_region_step",
    "weighted_mean",
]
