"""PPO: several epochs of gradient steps on what the policy has just done (Schulman et al., 2017).

In the shape descriptions `T` denotes time steps, `N` what was played side by side, `B` the items that minibatches are
drawn from, `...` any further dimensions.
"""

import dataclasses
from typing import Any, NamedTuple, Protocol

import chex
import jax
import jax.numpy as jnp
import optax

from rlcore.distributions import Gaussian
from rlcore.policy_gradient import losses
from rlcore.policy_gradient.advantages import generalised_advantages, standardise
from rlcore.policy_gradient.config import PPOConfig
from rlcore.policy_gradient.value_scale import ValueScale, init_value_scale
from rlcore.types import Metrics, Params


class PolicyAndValue(Protocol):
    """A network that gives a policy and a value, such as `ActorCritic`, or one with a memory of whole trials."""

    def init(self, key: chex.PRNGKey, inputs: Any) -> Params:
        """Its parameters; the key is consumed."""
        ...

    def apply(self, params: Params, inputs: Any) -> tuple[Gaussian, chex.Array]:
        """The policy over actions `[B, ..., Da]` and the value `[B, ...]`, in units of `ValueScale`."""
        ...


class Experience(NamedTuple):
    """What was played, by the policy as it is before the update. Values are the network's.

    log_prob: `[T, N]` of the actions taken.
    value, next_value: `[T, N]` of what was seen before and after each step.
    reward: `[T, N]`
    discount, trace: `[T, N]` how far credit reaches, see `generalised_advantages`.
    """

    log_prob: chex.Array
    value: chex.Array
    next_value: chex.Array
    reward: chex.Array
    discount: chex.Array
    trace: chex.Array


class PPOBatch(NamedTuple):
    """What gradient steps learn from.

    inputs: `[B, ...]` of the network.
    action: `[B, ..., Da]`, as the policy drew it.
    log_prob: `[B, ...]` of it, under the policy that drew it.
    advantage: `[B, ...]`
    target: `[B, ...]` of the value, in units of `ValueScale`.
    """

    inputs: Any
    action: chex.Array
    log_prob: chex.Array
    advantage: chex.Array
    target: chex.Array


class PPOState(NamedTuple):
    """The learner's whole state. params: trained. value_scale: units of values. optimiser: its state."""

    params: Params
    value_scale: ValueScale
    optimiser: optax.OptState


@dataclasses.dataclass(frozen=True)
class PPO:
    """Proximal policy optimisation of a network that gives a policy and a value."""

    config: PPOConfig
    network: PolicyAndValue

    def init(self, key: chex.PRNGKey, inputs: Any) -> PPOState:
        """The state before the first update; the key is consumed.

        Args:
          key: consumed.
          inputs: of the shapes to come; the sizes of batch dimensions do not matter.
        """
        params = self.network.init(key, inputs)
        return PPOState(params, init_value_scale(), self._optimiser.init(params))

    def assess(self, state: PPOState, played: Experience) -> tuple[PPOState, chex.Array, chex.Array, Metrics]:
        """What each action was worth.

        Returns:
          The state, with newer units of values; advantages and targets of the value, `[T, N]` each; and metrics.
        """
        scale = state.value_scale
        value, next_value = scale.from_units(played.value), scale.from_units(played.next_value)
        advantage = generalised_advantages(played.reward, value, next_value, played.discount, played.trace)
        target = advantage + value
        scale = scale.update(target, self.config.value_scale_rate)
        unexplained = jnp.var(advantage) / jnp.maximum(jnp.var(target), 1e-8)
        metrics = {"critic/value": jnp.mean(value), "critic/explained_variance": 1 - unexplained}
        return state._replace(value_scale=scale), standardise(advantage), scale.to_units(target), metrics

    def update(self, state: PPOState, batch: PPOBatch) -> tuple[PPOState, Metrics]:
        """One gradient step."""
        grads, metrics = jax.grad(self.loss, has_aux=True)(state.params, batch)
        updates, optimiser = self._optimiser.update(grads, state.optimiser, state.params)
        return state._replace(params=optax.apply_updates(state.params, updates), optimiser=optimiser), metrics

    def loss(self, params: Params, batch: PPOBatch) -> tuple[chex.Array, dict[str, chex.Array]]:
        """L = L_clip + c_1 L_value - c_2 entropy, a scalar (Schulman et al., 2017, equation 9), and metrics."""
        config = self.config
        policy, value = self.network.apply(params, batch.inputs)
        log_prob, entropy = policy.log_prob(batch.action), jnp.mean(policy.entropy())
        policy_loss = losses.clipped_surrogate_loss(log_prob, batch.log_prob, batch.advantage, config.clip)
        value_loss = losses.value_loss(value, batch.target)
        metrics = {
            "loss/policy": policy_loss,
            "loss/value": value_loss,
            "policy/entropy": entropy,
            "policy/kl": losses.approximate_kl(log_prob, batch.log_prob),
            "policy/clipped": losses.clipped_share(log_prob, batch.log_prob, config.clip),
        }
        return policy_loss + config.value_coef * value_loss - config.entropy_coef * entropy, metrics

    @property
    def num_updates(self) -> int:
        """Gradient steps that each batch is good for."""
        return self.config.num_epochs * self.config.num_minibatches

    @property
    def _optimiser(self) -> optax.GradientTransformation:
        norm = self.config.max_grad_norm
        clip = optax.identity() if norm is None else optax.clip_by_global_norm(norm)
        return optax.chain(clip, optax.adam(self.config.learning_rate))
