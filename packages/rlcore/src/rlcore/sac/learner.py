"""One update of the soft actor-critic: every gradient in one backward pass, every parameter in one optimiser step."""

import dataclasses
from typing import NamedTuple, Protocol

import chex
import jax
import jax.numpy as jnp
import optax

from rlcore.networks import MLP
from rlcore.representation import Identity, Representation
from rlcore.sac import losses
from rlcore.sac.config import SACConfig
from rlcore.sac.heads import ActionHead
from rlcore.types import Metrics, Params


class Batch(Protocol):
    """What SAC reads of a batch; the representation reads the rest."""

    @property
    def action(self) -> chex.Array:
        """What was done, `[..., Da]` or `[...]` int."""
        ...

    @property
    def reward(self) -> chex.Array:
        """What it earned, `[...]`."""
        ...

    @property
    def discount(self) -> chex.Array:
        """0 where the step terminated the episode, else 1, `[...]`."""
        ...


class SACParams(NamedTuple):
    """Everything that the optimiser moves. value is empty without a value network."""

    representation: Params
    actor: Params
    critics: Params
    value: Params
    log_temperature: chex.Array


class SACState(NamedTuple):
    """The learner's whole state.

    params: trained parameters.
    target: slow copy of the critics, or of the value network where there is one.
    optimiser: its state.
    """

    params: SACParams
    target: Params
    optimiser: optax.OptState


@dataclasses.dataclass(frozen=True)
class SAC:
    """Soft actor-critic on the features of a representation.

    Critic, actor, temperature and representation all move at once, by gradients at the same parameters: no term waits
    for another one's update.
    """

    config: SACConfig
    head: ActionHead
    representation: Representation = dataclasses.field(default_factory=Identity)

    def init(self, key: chex.PRNGKey, example: Batch) -> SACState:
        """The state before the first update; the key is consumed.

        Args:
          key: consumed.
          example: a batch of the shapes to come, dimension sizes of the batch do not matter.
        """
        rep_key, apply_key, actor_key, critic_key, value_key = jax.random.split(key, 5)
        representation = self.representation.init(rep_key, example)
        obs = self.representation.apply(representation, example, apply_key).obs
        params = SACParams(
            representation=representation,
            actor=self.head.init_actor(actor_key, obs),
            critics=self.head.init_critics(critic_key, obs, example.action),
            value=self._value_network.init(value_key, obs) if self.config.value_network else {},
            log_temperature=jnp.log(jnp.asarray(self.config.initial_temperature, jnp.float32)),
        )
        target = jax.tree.map(jnp.copy, params.value if self.config.value_network else params.critics)
        return SACState(params, target, self._optimiser.init(params))

    def update(self, state: SACState, batch: Batch, key: chex.PRNGKey) -> tuple[SACState, Metrics]:
        """One gradient step on everything and one step of the target; the key is consumed."""
        grads, metrics = jax.grad(self.loss, has_aux=True)(state.params, state.target, batch, key)
        updates, optimiser = self._optimiser.update(grads, state.optimiser, state.params)
        params = optax.apply_updates(state.params, updates)
        source = params.value if self.config.value_network else params.critics
        return SACState(params, optax.incremental_update(source, state.target, self.config.tau), optimiser), metrics

    def loss(
        self, params: SACParams, target: Params, batch: Batch, key: chex.PRNGKey
    ) -> tuple[chex.Array, dict[str, chex.Array]]:
        """The sum of all losses, with gradients stopped such that each trains only what it should, and metrics.

        Args:
          params: point at which the gradient is taken.
          target: slow copy of the critics or of the value network.
          batch: data of any batch dimensions.
          key: consumed.
        """
        rep_key, next_key, actor_key = jax.random.split(key, 3)
        frozen = jax.lax.stop_gradient(params)
        temperature = self.temperature(frozen)

        features = self.representation.apply(params.representation, batch, rep_key)
        obs, next_obs, weight = jax.lax.stop_gradient((features.obs, features.next_obs, features.weight))

        if self.config.value_network:
            next_value = self._value_network.apply(target, next_obs)[..., 0]
        else:
            next_terms = self.head.policy_terms(frozen.actor, target, next_obs, next_key)
            next_value = losses.soft_value(next_terms.q, next_terms.log_prob, temperature)
        bellman = losses.bellman_target(
            self.config.reward_scale * batch.reward, self.config.discount * batch.discount, next_value
        )
        q = self.head.q_values(params.critics, features.obs, batch.action)
        critic_loss = losses.critic_loss(q, jax.lax.stop_gradient(bellman), weight)

        actor_obs = obs if features.actor_obs is None else features.actor_obs
        terms = self.head.policy_terms(params.actor, frozen.critics, actor_obs, actor_key)
        actor_loss = losses.actor_loss(terms.q, terms.log_prob, temperature, weight)
        total = critic_loss + features.loss + actor_loss + losses.weighted_mean(terms.penalty, weight)
        metrics = {
            "loss/critic": critic_loss,
            "loss/actor": actor_loss,
            "critic/q": jnp.mean(q),
            "policy/entropy": -jnp.mean(terms.log_prob),
            **features.metrics,
        }
        log_prob = jax.lax.stop_gradient(terms.log_prob)
        if self.config.value_network:
            value_target = losses.soft_value(jax.lax.stop_gradient(terms.q), log_prob, temperature)
            value = self._value_network.apply(params.value, obs)[..., 0]
            metrics["loss/value"] = losses.value_loss(value, value_target, weight)
            total += metrics["loss/value"]
        if self.config.temperature is None:
            total += losses.temperature_loss(params.log_temperature, log_prob, self._target_entropy, weight)
            metrics["policy/temperature"] = temperature
        return total, metrics

    def temperature(self, params: SACParams) -> chex.Array:
        """The entropy's weight, a scalar: the fixed one where the config names it, else the learned one."""
        if self.config.temperature is None:
            return jnp.exp(params.log_temperature)
        return jnp.asarray(self.config.temperature, jnp.float32)

    def act(self, params: SACParams, obs: chex.ArrayTree, key: chex.PRNGKey, deterministic: bool = False) -> chex.Array:
        """Actions for features `[..., Df]` that the representation made; the key is consumed."""
        return self.head.act(params.actor, obs, key, deterministic)

    @property
    def _target_entropy(self) -> float:
        configured = self.config.target_entropy
        return self.head.target_entropy if configured is None else configured

    @property
    def _value_network(self) -> MLP:
        return MLP(self.config.hidden_sizes, 1, 3e-3)

    @property
    def _optimiser(self) -> optax.GradientTransformation:
        return make_optimiser(self.config)


def make_optimiser(config: SACConfig) -> optax.GradientTransformation:
    """Adam over all of `SACParams` at once, with each group's own step size."""
    decay: optax.Schedule | float = 1.0
    if config.decay_until_update:
        length = config.decay_until_update - config.decay_from_update
        decay = optax.linear_schedule(1.0, config.final_learning_rate_share, length, config.decay_from_update)
    rates = SACParams(
        representation=config.critic_learning_rate,
        actor=config.actor_learning_rate,
        critics=config.critic_learning_rate,
        value=config.critic_learning_rate,
        log_temperature=config.temperature_learning_rate,
    )

    def scale_groups(updates: SACParams, params: SACParams | None = None) -> SACParams:
        del params
        return SACParams(
            *(jax.tree.map(lambda u, rate=rate: rate * u, group) for rate, group in zip(rates, updates, strict=True))
        )

    clip = optax.identity() if config.max_grad_norm is None else optax.clip_by_global_norm(config.max_grad_norm)
    return optax.chain(clip, optax.scale_by_adam(), optax.stateless(scale_groups), optax.scale_by_learning_rate(decay))
