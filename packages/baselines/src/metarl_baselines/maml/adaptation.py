"""What adapts in MAML: all parameters of the policy, by plain gradient steps.

In the shape descriptions `N` denotes tasks side by side, `C` the rows of a batch.
"""

import dataclasses

import chex
import jax
import jax.numpy as jnp
from rlcore.distributions import Gaussian
from rlcore.policy_gradient import GaussianPolicy, losses
from rlcore.types import Params

from metarl_baselines.gradient import Played, rescale
from metarl_baselines.maml.config import MAMLConfig


@dataclasses.dataclass(frozen=True, eq=False)
class MAMLAdaptation:
    """An `Adaptation`: theta' = theta - alpha dL/dtheta (Finn et al., 2017, equation 1), its derivatives kept."""

    config: MAMLConfig
    action_size: int

    @property
    def network(self) -> GaussianPolicy:
        """Observations to a policy in its own range."""
        config = self.config
        return GaussianPolicy(config.hidden_sizes, self.action_size, config.initial_std, min_std=config.min_std)

    def begin(self, params: Params, key: chex.PRNGKey, num_tasks: int) -> Params:
        """See `Adaptation`: the parameters themselves, for each of `N` tasks."""
        del key
        return jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (num_tasks, *leaf.shape)), params)

    def draw(self, adapted: Params, episode: chex.Array) -> tuple[()]:
        """See `Adaptation`: nothing."""
        del adapted, episode
        return ()

    def policy(self, params: Params, adapted: Params, obs: chex.Array, drawn: tuple[()]) -> Gaussian:
        """See `Adaptation`."""
        del params, drawn
        return rescale(self.network.apply(adapted, obs), self.config.action_scale)

    def adapt(self, params: Params, adapted: Params, played: Played) -> Params:
        """See `Adaptation`."""
        del params
        gradient = jax.grad(self.loss)(adapted, played)
        return jax.tree.map(lambda old, slope: old - self.config.inner_learning_rate * slope, adapted, gradient)

    def loss(self, adapted: Params, played: Played) -> chex.Array:
        """Of an inner step, a scalar."""
        episodes = played.episodes
        log_prob = self.policy(None, adapted, episodes.obs, played.drawn).log_prob(episodes.action)
        if self.config.inner_objective == "log_likelihood":
            return losses.score_loss(log_prob, played.advantage, episodes.weight)
        return losses.surrogate_loss(log_prob, played.log_prob, played.advantage, episodes.weight)
