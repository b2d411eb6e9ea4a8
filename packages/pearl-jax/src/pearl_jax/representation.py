"""PEARL as a representation: what the actor and critics see is the observation joined with a sample of q(z | c).

Where there is an observation network, "observation" below stands for its features: of pictures, for example.

In the shape descriptions `M` denotes the tasks of a batch, `B` the transitions of each for the actor and critics, `C`
those for the encoder, `Do`, `Da`, `Dz`, `Dc` the sizes of observations, actions as vectors, the task variable and
context transitions.
"""

from typing import NamedTuple

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
from rlcore.distributions import Gaussian, standard_gaussian
from rlcore.networks import MLP
from rlcore.representation import RepresentationOutput
from rlcore.types import Params

from pearl_jax.config import PearlConfig
from pearl_jax.encoders import make_encoder
from pearl_jax.hypotheses import RewardModel


class Row(NamedTuple):
    """A transition as it is stored: `Transition` with two rewards and its place.

    reward: `[...]` what trains the actor and the critics.
    context_reward: `[...]` the benchmark's own reward, all that the encoder may see.
    step: `[...]` int32, the transition's place in its episode, counted from 0.
    """

    obs: chex.Array
    action: chex.Array
    reward: chex.Array
    discount: chex.Array
    next_obs: chex.Array
    context_reward: chex.Array
    step: chex.Array


class PearlBatch(NamedTuple):
    """What one gradient step learns from.

    obs, next_obs: `[M, B, ...]` what the observation network takes: vectors, or pictures such as `[M, B, H, W, 3]`.
    action: `[M, B, Da]`, or choices `[M, B]` int32. reward, discount: `[M, B]`.
    context: rows `[M, C, ...]`.
    context_valid: `[M, C]` bool, which transitions of the context count.
    """

    obs: chex.Array
    action: chex.Array
    reward: chex.Array
    discount: chex.Array
    next_obs: chex.Array
    context: Row
    context_valid: chex.Array


def context_features(
    config: PearlConfig, obs: chex.Array, action: chex.Array, reward: chex.Array, next_obs: chex.Array
) -> chex.Array:
    """What the encoder sees of transitions, `[..., Dc]`: s, a as a vector, r, and s' where the config says so."""
    parts = [obs, action, reward[..., None]]
    return jnp.concatenate([*parts, next_obs] if config.next_obs_in_context else parts, axis=-1)


def join_task(obs: chex.Array, z: chex.Array) -> chex.Array:
    """Observations `[M, ..., Do]` and task variables `[M, Dz]` as one vector `[M, ..., Do + Dz]`."""
    z = z.reshape(z.shape[0], *[1] * (obs.ndim - 2), z.shape[-1])
    return jnp.concatenate([obs, jnp.broadcast_to(z, (*obs.shape[:-1], z.shape[-1]))], axis=-1)


class InferenceParams(NamedTuple):
    """What a `TaskInference` learns: parameters of the encoder, and of the networks beside it.

    Those of the decoder are empty without `reconstruction`, those of the reward model without hypotheses.
    """

    encoder: Params
    obs_network: Params
    decoder: Params
    reward_model: Params


class VectorObs(nn.Module):
    """The observation network of vectors, which are their own features: nothing to learn."""

    @nn.compact
    def __call__(self, obs: chex.Array) -> chex.Array:
        """Passes them through."""
        return obs


class TaskInference:
    """Observations joined with z ~ q(z | c), one z for each task of the batch.

    The critic's loss trains the encoder through z (thesis, equation 10), or the losses that the config names; the loss
    of its own is beta times the KL divergence from the prior (equation 8), and that of reward-free contexts where the
    config asks for it.

    The observation network turns observations into features before anything else, as the thesis does for PEARL from
    pictures (section 5.3.3). The critic's loss trains it through the observations of the batch, as in
    `rlcore.representation.EndToEnd`. The encoder sees its features of the context with the gradient stopped: what tells
    the critic where it is tells the encoder as well, the KL divergence cannot wear the features down, and a context,
    often the larger part of the pictures, takes no backward pass through convolutions, which cost several forward ones.

    Args:
      config: the options.
      obs_network: observations to features `[..., Do]`.
      num_actions: choices, where actions are choices `[...]` int32, which are seen one-hot; 0 where they are vectors.
    """

    def __init__(self, config: PearlConfig, obs_network: nn.Module, num_actions: int = 0):
        self._config, self._num_actions = config, num_actions
        self.obs_network = obs_network
        self.encoder = make_encoder(config)
        self.reward_model = RewardModel(config.encoder_sizes)
        self._has_decoder = "reconstruction" in config.encoder_losses

    def init(self, key: chex.PRNGKey, example: PearlBatch) -> InferenceParams:
        """The parameters; the key is consumed."""
        network_key, encoder_key = jax.random.split(key)
        params = InferenceParams({}, self.obs_network.init(network_key, example.obs), {}, {})
        params = params._replace(encoder=self.encoder.init(encoder_key, self.see(params, example.context)))
        z = jnp.zeros((example.reward.shape[0], self._config.latent_size))
        if self._has_decoder:
            seen, told = self._reconstructed(params, example)
            decoder = self._make_decoder(told.shape[-1])
            params = params._replace(decoder=decoder.init(jax.random.fold_in(key, 2), join_task(seen, z)))
        if self._config.num_hypotheses:
            place = self.see_place(params, example.context)
            params = params._replace(reward_model=self.reward_model.init(jax.random.fold_in(key, 3), place, z))
        return params

    def features(self, params: InferenceParams, obs: chex.Array) -> chex.Array:
        """What actor, critics and encoder see of observations, `[..., Do]`."""
        return self.obs_network.apply(params.obs_network, obs)

    def see(self, params: InferenceParams, rows: Row) -> chex.Array:
        """What the encoder sees of transitions, `[..., Dc]`; no gradient flows into observations."""
        obs, next_obs = jax.lax.stop_gradient((self.features(params, rows.obs), self.features(params, rows.next_obs)))
        return context_features(self._config, obs, self._vector(rows.action), rows.context_reward, next_obs)

    def see_place(self, params: InferenceParams, rows: Row) -> chex.Array:
        """Where a reward may be, `[..., Do + Da]`: observations, through which no gradient flows, and actions."""
        obs = jax.lax.stop_gradient(self.features(params, rows.obs))
        return jnp.concatenate([obs, self._vector(rows.action)], axis=-1)

    def apply(self, params: InferenceParams, batch: PearlBatch, key: chex.PRNGKey) -> RepresentationOutput:
        """Infers the tasks of a batch; the key is consumed."""
        config = self._config
        rewarded = batch.context.context_reward != 0
        has_reward = jnp.any(rewarded & batch.context_valid, axis=1).astype(jnp.float32)
        metrics = {"context/has_reward": jnp.mean(has_reward)}
        loss = jnp.zeros((), jnp.float32)

        context = self.see(params, batch.context)
        posterior = self._infer(params, context, batch.context_valid)
        if self.encoder.has_kl:
            reduce = jnp.sum if config.kl_reduction == "sum" else jnp.mean
            kl = kl_from_prior(posterior)
            loss += config.kl_coef * reduce(kl)
            metrics |= {"posterior/kl": jnp.mean(kl), "posterior/std": jnp.mean(jnp.sqrt(posterior.variance))}
            if config.blank_kl_coef:
                blank = self._infer(params, context, batch.context_valid & ~rewarded)
                blank_kl = kl_from_prior(blank)
                loss += config.blank_kl_coef * reduce(blank_kl)
                metrics["posterior/blank_kl"] = jnp.mean(blank_kl)

        z = posterior.sample(key) if self.encoder.has_kl else posterior.mean
        if self._has_decoder:
            weight = has_reward if config.require_reward else jnp.ones_like(has_reward)
            metrics["loss/reconstruction"] = self._reconstruction_loss(params, batch, z, weight)
            loss += config.reconstruction_coef * metrics["loss/reconstruction"]
        obs, fixed_z = self.features(params, batch.obs), jax.lax.stop_gradient(z)
        if config.num_hypotheses:
            place = self.see_place(params, batch.context)
            features = self.reward_model.task_features(params.reward_model, fixed_z[:, None])
            log_prob = self.reward_model.log_prob(params.reward_model, place, features, rewarded)[..., 0]
            metrics["loss/reward_model"] = -jnp.mean(batch.context_valid * has_reward[:, None] * log_prob)
            loss += metrics["loss/reward_model"]
        return RepresentationOutput(
            obs=join_task(obs, z if "critic" in config.encoder_losses else fixed_z),
            next_obs=jax.lax.stop_gradient(join_task(self.features(params, batch.next_obs), z)),
            loss=loss,
            metrics=metrics,
            weight=has_reward[:, None] if config.require_reward else None,
            actor_obs=join_task(jax.lax.stop_gradient(obs), z) if "actor" in config.encoder_losses else None,
        )

    def _reconstruction_loss(
        self, params: InferenceParams, batch: PearlBatch, z: chex.Array, weight: chex.Array
    ) -> chex.Array:
        """Mean squared error of what z and the rest of a transition tell of its reward and where it led, a scalar.

        `weight: [M]` is what each task counts.
        """
        seen, told = self._reconstructed(params, batch)
        decoder = self._make_decoder(told.shape[-1])
        errors = (decoder.apply(params.decoder, join_task(seen, z)) - told) ** 2
        return jnp.mean(weight[:, None, None] * errors)

    def _reconstructed(self, params: InferenceParams, batch: PearlBatch) -> tuple[chex.Array, chex.Array]:
        """What a decoder sees beside z, `[M, B, Do + Da]`, and what it should tell, `[M, B, 1]` or `[M, B, 1 + Do]`."""
        obs = jax.lax.stop_gradient(self.features(params, batch.obs))
        told = [batch.reward[..., None]]
        if self._config.next_obs_in_context:
            told.append(jax.lax.stop_gradient(self.features(params, batch.next_obs)) - obs)
        return jnp.concatenate([obs, self._vector(batch.action)], axis=-1), jnp.concatenate(told, axis=-1)

    def _vector(self, action: chex.Array) -> chex.Array:
        """Actions as vectors, `[..., Da]`."""
        return jax.nn.one_hot(action, self._num_actions) if self._num_actions else action

    def _make_decoder(self, output_size: int) -> MLP:
        return MLP(self._config.encoder_sizes, output_size)

    def _infer(self, params: InferenceParams, context: chex.Array, valid: chex.Array) -> Gaussian:
        return self.encoder.posterior(params.encoder, self.encoder.summarise(params.encoder, context, valid))


def kl_from_prior(posterior: Gaussian) -> chex.Array:
    """KL(q(z | c) || N(0, I)) of each task in nats, `[M]` (thesis, equation 8)."""
    return posterior.kl_divergence(standard_gaussian(posterior.mean.shape))
