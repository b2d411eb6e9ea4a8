"""PEARL as a representation: what the actor and critics see is the observation joined with a sample of q(z | c).

In the shape descriptions `M` denotes the tasks of a batch, `B` the transitions of each for the actor and critics, `C` those
for the encoder, `Do`, `Da`, `Dz`, `Dc` the sizes of observations, actions, the task variable and context transitions.
"""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

from pearl_jax.config import PearlConfig
from pearl_jax.encoders import make_encoder
from rlcore.distributions import Gaussian, standard_gaussian
from rlcore.representation import RepresentationOutput
from rlcore.types import Params


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
    has_reward: `[M]` bool, whether any of those has a reward other than 0.
    """

    obs: chex.Array
    action: chex.Array
    reward: chex.Array
    discount: chex.Array
    next_obs: chex.Array
    context: chex.Array
    context_valid: chex.Array
    has_reward: chex.Array


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
    divergence from the prior (equation 8).
    """

    def __init__(self, config: PearlConfig):
        self._config = config
        self.encoder = make_encoder(config)

    def init(self, key: chex.PRNGKey, example: PearlBatch) -> Params:
        """The encoder's parameters; the key is consumed."""
        return self.encoder.init(key, example.context)

    def apply(self, params: Params, batch: PearlBatch, key: chex.PRNGKey) -> RepresentationOutput:
        """Infers the tasks of a batch; the key is consumed."""
        posterior = self.encoder.posterior(params, self.encoder.summarise(params, batch.context, batch.context_valid))
        z = posterior.sample(key) if self.encoder.has_kl else posterior.mean
        obs = join_task(batch.obs, z)
        next_obs = join_task(batch.next_obs, jax.lax.stop_gradient(z))
        has_reward = batch.has_reward.astype(jnp.float32)
        weight = has_reward[:, None] if self._config.require_reward else None
        metrics = {"context/has_reward": jnp.mean(has_reward)}
        if not self.encoder.has_kl:
            return RepresentationOutput(obs, next_obs, jnp.zeros((), jnp.float32), metrics, weight)
        kl = kl_from_prior(posterior)
        reduce = jnp.sum if self._config.kl_reduction == "sum" else jnp.mean
        metrics |= {"posterior/kl": jnp.mean(kl), "posterior/std": jnp.mean(jnp.sqrt(posterior.variance))}
        return RepresentationOutput(obs, next_obs, self._config.kl_coef * reduce(kl), metrics, weight)


def kl_from_prior(posterior: Gaussian) -> chex.Array:
    """KL(q(z | c) || N(0, I)) of each task in nats, `[M]` (thesis, equation 8)."""
    return posterior.kl_divergence(standard_gaussian(posterior.mean.shape))
