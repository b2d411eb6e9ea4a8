"""What differs between continuous and discrete actions: the actor, the critics, and expectations under the policy.

In the shape descriptions `...` stands for any leading batch dimensions, `E` for the critics, `Df` for features, `Da`
for action dimensions, `A` for the number of discrete actions.
"""

from typing import NamedTuple, Protocol

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from rlcore.distributions import TanhNormal
from rlcore.networks import MLP, EnsembleMLP, TanhNormalPolicy
from rlcore.sac.config import SACConfig
from rlcore.types import Params


class PolicyTerms(NamedTuple):
    """Expectations under the policy at some states.

    q: `[...]` of the smallest Q.
    log_prob: `[...]` of the log-probability: minus the entropy.
    penalty: `[...]` whose mean is added to the actor's loss.
    """

    q: chex.Array
    log_prob: chex.Array
    penalty: chex.Array


class ActionHead(Protocol):
    """Actor and critics for one kind of action space.

    `obs` is what the representation makes of observations: features `[..., Df]`, or whatever tree the head's networks
    take.
    """

    target_entropy: float

    def init_actor(self, key: chex.PRNGKey, obs: chex.ArrayTree) -> Params:
        """The actor's parameters; the key is consumed."""
        ...

    def init_critics(self, key: chex.PRNGKey, obs: chex.ArrayTree, action: chex.Array) -> Params:
        """The critics' parameters; the key is consumed."""
        ...

    def q_values(self, critics: Params, obs: chex.ArrayTree, action: chex.Array) -> chex.Array:
        """Q of the actions taken, `[E, ...]`."""
        ...

    def policy_terms(self, actor: Params, critics: Params, obs: chex.ArrayTree, key: chex.PRNGKey) -> PolicyTerms:
        """Expectations under the current policy; the key is consumed.

        A gradient may flow into `obs` through what the actor sees, but not through what the critics see, which would
        make observations that the critics value highly, and not better actions.
        """
        ...

    def act(self, actor: Params, obs: chex.ArrayTree, key: chex.PRNGKey, deterministic: bool) -> chex.Array:
        """An action for every state; the key is consumed."""
        ...


def make_critics(config: SACConfig) -> EnsembleMLP:
    """The usual critics of continuous actions: features and actions, joined, to `[E, ..., 1]`."""
    return EnsembleMLP(config.num_critics, config.hidden_sizes, 1, 3e-3, config.layer_norm)


class ContinuousHead:
    """Tanh-Normal policy over `[-1, 1]^Da`, critics of state and action; expectations are single samples.

    Args:
      config: its options of actor and critics; those of their networks are not read where these are given.
      action_size: `Da`.
      actor: from what the representation makes of observations to a `TanhNormal` over actions `[..., Da]`; by default
        a perceptron of features.
      critics: from that and actions `[..., Da]` to `[E, ..., 1]`; by default an ensemble of perceptrons. Networks with
        parts of their own, such as a memory, have these apart: the actor's loss trains the actor's, the critics' loss
        the critics', and the target has a slow copy of the critics'.
    """

    def __init__(
        self,
        config: SACConfig,
        action_size: int,
        actor: nn.Module | None = None,
        critics: nn.Module | None = None,
    ):
        self._mean_coef, self._log_std_coef = config.mean_coef, config.log_std_coef
        self._actor = actor or TanhNormalPolicy(config.hidden_sizes, action_size)
        self._critics = critics or make_critics(config)
        self.target_entropy = -float(action_size)

    def init_actor(self, key: chex.PRNGKey, obs: chex.ArrayTree) -> Params:
        """The actor's parameters; the key is consumed."""
        return self._actor.init(key, obs)

    def init_critics(self, key: chex.PRNGKey, obs: chex.ArrayTree, action: chex.Array) -> Params:
        """The critics' parameters; the key is consumed."""
        return self._critics.init(key, obs, action)

    def q_values(self, critics: Params, obs: chex.ArrayTree, action: chex.Array) -> chex.Array:
        """Q of the actions taken, `[E, ...]`; action: `[..., Da]`."""
        return self._critics.apply(critics, obs, action)[..., 0]

    def policy_terms(self, actor: Params, critics: Params, obs: chex.ArrayTree, key: chex.PRNGKey) -> PolicyTerms:
        """One reparameterised sample at each state; the key is consumed."""
        policy = self._policy(actor, obs)
        action, log_prob = policy.sample_and_log_prob(key)
        penalty = self._mean_coef * jnp.mean(policy.mean**2, -1) + self._log_std_coef * jnp.mean(policy.log_std**2, -1)
        q = self.q_values(critics, jax.lax.stop_gradient(obs), action)
        return PolicyTerms(jnp.min(q, axis=0), log_prob, penalty)

    def act(self, actor: Params, obs: chex.ArrayTree, key: chex.PRNGKey, deterministic: bool) -> chex.Array:
        """Actions `[..., Da]` in [-1, 1], the squashed mean where `deterministic`; the key is consumed."""
        policy = self._policy(actor, obs)
        return policy.mode() if deterministic else policy.sample_and_log_prob(key)[0]

    def _policy(self, actor: Params, obs: chex.ArrayTree) -> TanhNormal:
        return self._actor.apply(actor, obs)


class DiscreteHead:
    """Categorical policy, critics that give Q of all actions at once; expectations are exact (Christodoulou, 2019)."""

    def __init__(self, config: SACConfig, num_actions: int):
        if config.mean_coef or config.log_std_coef:
            raise ValueError("mean_coef and log_std_coef must be 0 where actions are discrete")
        self._actor = MLP(config.hidden_sizes, num_actions, 1e-3)
        self._critics = EnsembleMLP(config.num_critics, config.hidden_sizes, num_actions, 3e-3, config.layer_norm)
        self.target_entropy = 0.4 * float(jnp.log(num_actions))

    def init_actor(self, key: chex.PRNGKey, obs: chex.Array) -> Params:
        """The actor's parameters; the key is consumed."""
        return self._actor.init(key, obs)

    def init_critics(self, key: chex.PRNGKey, obs: chex.Array, action: chex.Array) -> Params:
        """The critics' parameters; the key is consumed."""
        del action
        return self._critics.init(key, obs)

    def q_values(self, critics: Params, obs: chex.Array, action: chex.Array) -> chex.Array:
        """Q of the actions taken, `[E, ...]`; action: `[...]` int."""
        q = self.all_q_values(critics, obs)
        return jnp.take_along_axis(q, action[None, ..., None], axis=-1)[..., 0]

    def all_q_values(self, critics: Params, obs: chex.Array) -> chex.Array:
        """Q of every action, `[E, ..., A]`."""
        return self._critics.apply(critics, obs)

    def policy_terms(self, actor: Params, critics: Params, obs: chex.Array, key: chex.PRNGKey) -> PolicyTerms:
        """Exact sums over all actions."""
        del key
        log_probs = jax.nn.log_softmax(self._actor.apply(actor, obs))
        probs = jnp.exp(log_probs)
        q = jnp.min(self.all_q_values(critics, jax.lax.stop_gradient(obs)), axis=0)
        expected_q = jnp.sum(probs * q, -1)
        return PolicyTerms(expected_q, jnp.sum(probs * log_probs, -1), jnp.zeros_like(expected_q))

    def act(self, actor: Params, obs: chex.Array, key: chex.PRNGKey, deterministic: bool) -> chex.Array:
        """Actions `[...]` int32, the most probable ones where `deterministic`; the key is consumed."""
        logits = self._actor.apply(actor, obs)
        action = jnp.argmax(logits, axis=-1) if deterministic else jax.random.categorical(key, logits)
        return action.astype(jnp.int32)
