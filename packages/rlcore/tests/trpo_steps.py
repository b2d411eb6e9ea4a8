"""TRPO for one task, of what `rlcore.policy_gradient` offers: a step of it on what a policy has just played."""

import jax
import jax.numpy as jnp
from rlcore.policy_gradient import (
    episode_discounts,
    fit_linear,
    generalised_advantages,
    linear_features,
    losses,
    standardise,
    trust_region_step,
)
from rlcore.rollout import find_ends


def make_trpo(network, config, discount, gae_lambda):
    """`(params, trajectory [T, N], step [T, N]) -> (params, taken)`, with a linear baseline of all that was played."""

    def improve(params, trajectory, step):
        obs, action, reward, goes_on, next_obs = trajectory.transition
        ended = find_ends(trajectory)
        features, next_features = linear_features(obs, step), linear_features(next_obs, step + 1)
        zero, follows = jnp.zeros_like(reward), 1 - ended.astype(reward.dtype)
        earned = generalised_advantages(reward, zero, zero, zero, discount * follows)
        flat = [leaf.reshape(-1, *leaf.shape[2:]) for leaf in (features, earned)]
        fit = fit_linear(*flat, jnp.ones_like(flat[1]))
        discounts = episode_discounts(goes_on, ended, discount, gae_lambda)
        advantage = standardise(generalised_advantages(reward, features @ fit, next_features @ fit, *discounts))
        old = network.apply(params, obs)
        log_prob = old.log_prob(action)

        def loss(params):
            return losses.surrogate_loss(network.apply(params, obs).log_prob(action), log_prob, advantage)

        return trust_region_step(
            loss, lambda params: jnp.mean(old.kl_divergence(network.apply(params, obs))), params, config
        )

    return jax.jit(improve)
