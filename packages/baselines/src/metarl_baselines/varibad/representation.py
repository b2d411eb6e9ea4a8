"""VariBAD as a representation: what actor and critics see is the observation beside the belief about the task.

In the shape descriptions `B` denotes trials, `S` the steps of a trial, `L` its beliefs that are decoded, `Do` and `Dz`
the sizes of observations and of the task variable, `...` any batch dimensions.
"""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
from rlcore.distributions import Gaussian
from rlcore.representation import RepresentationOutput
from rlcore.types import Params

from metarl_baselines.off_policy import TrialBatch
from metarl_baselines.trials import append
from metarl_baselines.varibad.config import VariBADConfig
from metarl_baselines.varibad.losses import belief_divergence, decoding_error
from metarl_baselines.varibad.networks import Decoder, Encoder


class BeliefParams(NamedTuple):
    """What a `TaskBelief` learns. states is empty where none are decoded."""

    encoder: Params
    rewards: Params
    states: Params


class TaskBelief:
    """Observations beside the mean and the logarithm of the variance of a belief about the task.

    A sample of a belief is to say what every step of its trial earned, those to come too. So the belief knows what it
    does not know. The reward that is decoded is the one that trains; the encoder is told the benchmark's own.

    Args:
      config: the options.
    """

    def __init__(self, config: VariBADConfig) -> None:
        self._config = config
        self.encoder = Encoder(config.latent_size, config.memory_size, config.embedding_size)
        self._rewards = Decoder(config.decoder_sizes, 1, sees_next=True)

    def init(self, key: chex.PRNGKey, example: TrialBatch) -> BeliefParams:
        """The parameters; the key is consumed."""
        encoder_key, reward_key, state_key = jax.random.split(key, 3)
        z = jnp.zeros((*example.reward.shape[:1], 1, self._config.latent_size), jnp.float32)
        states = self._decode_states(example).init(state_key, z, example.trials) if self._config.state_coef else {}
        rewards = self._rewards.init(reward_key, z, example.trials)
        return BeliefParams(self.encoder.init(encoder_key, example.told), rewards, states)

    def apply(self, params: BeliefParams, batch: TrialBatch, key: chex.PRNGKey) -> RepresentationOutput:
        """What is seen and believed before each action, and after it; the key is consumed."""
        told = append(batch.told, batch.last)
        belief = self.encoder.apply(params.encoder, told)
        seen = join_belief(told.obs, belief if self._config.rl_gradient else jax.lax.stop_gradient(belief))
        loss, metrics = self.loss(params, jax.tree.map(lambda leaf: leaf[:, :-1], belief), batch, key)
        return RepresentationOutput(seen[:, :-1], jax.lax.stop_gradient(seen[:, 1:]), loss, metrics)

    def loss(
        self, params: BeliefParams, belief: Gaussian, batch: TrialBatch, key: chex.PRNGKey
    ) -> tuple[chex.Array, dict[str, chex.Array]]:
        """Minus the evidence lower bound of a belief, a mean over those drawn (Zintgraf et al., 2020, equation 10).

        Args:
          params: of encoder and decoders.
          belief: `[B, S, Dz]` before each action.
          batch: the trials.
          key: consumed.
        """
        config, trials = self._config, batch.trials
        choice_key, noise_key = jax.random.split(key)
        divergence = belief_divergence(belief)
        num_trials, num_steps = divergence.shape
        if 0 < config.num_beliefs < num_steps:
            chosen = jax.random.randint(choice_key, (num_trials, config.num_beliefs), 0, num_steps)
            belief, divergence = jax.tree.map(lambda leaf: _choose(leaf, chosen), (belief, divergence))
        z = belief.sample(noise_key)
        error = decoding_error(self._rewards.apply(params.rewards, z, trials), batch.reward[..., None])
        kl = jnp.mean(divergence)
        loss = jnp.mean(error) + config.kl_coef * kl
        metrics = {
            "belief/kl": kl,
            "belief/std": jnp.mean(jnp.sqrt(belief.variance)),
            "belief/reward_rmse": jnp.sqrt(jnp.mean(error) / num_steps),
        }
        if config.state_coef:
            decoded = self._decode_states(batch).apply(params.states, z, trials)
            state_error = jnp.mean(decoding_error(decoded, trials.next_obs))
            loss += config.state_coef * state_error
            metrics["belief/state_rmse"] = jnp.sqrt(state_error / (num_steps * decoded.shape[-1]))
        return loss, {**metrics, "loss/belief": loss}

    def _decode_states(self, batch: TrialBatch) -> Decoder:
        return Decoder(self._config.decoder_sizes, batch.trials.obs.shape[-1], sees_next=False)


def join_belief(obs: chex.Array, belief: Gaussian) -> chex.Array:
    """What actor and critics see, `[..., Do + 2 Dz]`, of observations `[..., Do]` and beliefs `[..., Dz]`."""
    return jnp.concatenate([obs, belief.mean, jnp.log(belief.variance)], axis=-1)


def _choose(leaf: chex.Array, chosen: chex.Array) -> chex.Array:
    """Steps `chosen: [B, L]` of `[B, S, ...]`, as `[B, L, ...]`."""
    return jax.vmap(lambda row, ids: row[ids])(leaf, chosen)
