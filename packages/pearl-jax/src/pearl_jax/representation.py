"""PEARL as a representation: what the actor and critics see is the observation joined with a sample of q(z | c).

In the shape descriptions `M` denotes the tasks of a batch, `B` the transitions of each for the actor and critics, `C`
those for the encoder, `Do`, `Da`, `Dz`, `Dc` the sizes of observations, actions, the task variable and context
transitions.
"""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
from rlcore.distributions import Gaussian, standard_gaussian
from rlcore.representation import RepresentationOutput
from rlcore.types import Params

from pearl_jax.config import PearlConfig
from pearl_jax.encoders import make_encoder


class Row(NamedTuple):
    """A transition as it is stored: `Transition` with two rewards.

    reward: `[...]` what trains the actor and the critics.
    context_reward: `[...]` the benchmark's own reward, all that the encoder may see.
    """

    obs: chex.Array
    action: chex.Array
    reward: chex.Array
    discount: chex.Array
    next_obs: chex.Array
    context_reward: chex.Array


class PearlBatch(NamedTuple):
    """What one gradient step learns from.

    obs, next_obs: `[M, B, Do]`. action: `[M, B, Da]`. reward, discount: `[M, B]`.
    context: `[M, C, Dc]`.
    context_valid: `[M, C]` bool, which transitions of the context count.
    context_reward: `[M, C]` the rewards that the context shows.
    """

    obs: chex.Array
    action: chex.Array
    reward: chex.Array
    discount: chex.Array
    next_obs: chex.Array
    context: chex.Array
    context_valid: chex.Array
    context_reward: chex.Array


def context_features(
    config: PearlConfig, obs: chex.Array, action: chex.Array, reward: chex.Array, next_obs: chex.Array
) -> chex.Array:
    """What the encoder sees of transitions, `[..., Dc]`: s, a, r, and s' where the config says so."""
    parts = [obs, action, reward[..., None]]
    return jnp.concatenate([*parts, next_obs] if config.next_obs_in_context else parts, axis=-1)


def join_task(obs: chex.Array, z: chex.Array) -> chex.Array:
    """Observations `[M, ..., Do]` and task variables `[M, Dz]` as one vector `[M, ..., Do + Dz]`."""
    z = z.reshape(z.shape[0], *[1] * (obs.ndim - 2), z.shape[-1])
    return jnp.concatenate([obs, jnp.broadcast_to(z, (*obs.shape[:-1], z.shape[-1]))], axis=-1)


class TaskInference:
    """Observations joined with z ~ q(z | c), one z for each task of the batch.

    The critic's loss trains the encoder through z (thesis, equation 10); the loss of its own is beta times the KL
    divergence from the prior (equation 8), and that of reward-free contexts where the config asks for it.
    """

    def __init__(self, config: PearlConfig):
        self._config = config
        self.encoder = make_encoder(config)

    def init(self, key: chex.PRNGKey, example: PearlBatch) -> Params:
        """The encoder's parameters; the key is consumed."""
        return self.encoder.init(key, example.context)

    def apply(self, params: Params, batch: PearlBatch, key: chex.PRNGKey) -> RepresentationOutput:
        """Infers the tasks of a batch; the key is consumed."""
        config = self._config
        rewarded = batch.context_reward != 0
        has_reward = jnp.any(rewarded & batch.context_valid, axis=1).astype(jnp.float32)
        metrics = {"context/has_reward": jnp.mean(has_reward)}
        loss = jnp.zeros((), jnp.float32)

        posterior = self._infer(params, batch.context, batch.context_valid)
        if self.encoder.has_kl:
            reduce = jnp.sum if config.kl_reduction == "sum" else jnp.mean
            kl = kl_from_prior(posterior)
            loss += config.kl_coef * reduce(kl)
            metrics |= {"posterior/kl": jnp.mean(kl), "posterior/std": jnp.mean(jnp.sqrt(posterior.variance))}
            if config.blank_kl_coef:
                blank = self._infer(params, batch.context, batch.context_valid & ~rewarded)
                blank_kl = kl_from_prior(blank)
                loss += config.blank_kl_coef * reduce(blank_kl)
                metrics["posterior/blank_kl"] = jnp.mean(blank_kl)

        z = posterior.sample(key) if self.encoder.has_kl else posterior.mean
        return RepresentationOutput(
            obs=join_task(batch.obs, z),
            next_obs=join_task(batch.next_obs, jax.lax.stop_gradient(z)),
            loss=loss,
            metrics=metrics,
            weight=has_reward[:, None] if config.require_reward else None,
        )

    def _infer(self, params: Params, context: chex.Array, valid: chex.Array) -> Gaussian:
        return self.encoder.posterior(params, self.encoder.summarise(params, context, valid))


def kl_from_prior(posterior: Gaussian) -> chex.Array:
    """KL(q(z | c) || N(0, I)) of each task in nats, `[M]` (thesis, equation 8)."""
    return posterior.kl_divergence(standard_gaussian(posterior.mean.shape))
