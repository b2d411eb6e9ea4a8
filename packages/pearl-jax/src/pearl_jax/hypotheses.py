"""Hypotheses about the task: draws of the prior, each held against what a trial has seen.

One Gaussian can say where the goal may be, but not where it is not: after a search without success its best guess is as
wide as before, and the same places are searched again. So until the first reward a trial keeps a set of draws of the
prior as well, weighted by how likely what was seen is under each of them: importance sampling of p(z | c), with a
network that tells where rewards are for a given z in place of the likelihood. After the first reward the encoder's
posterior tells more.

In the shape descriptions `N` denotes tasks, `K` the hypotheses about each, `C` the transitions of a context.
"""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
from rlcore.networks import MLP
from rlcore.types import Params


class Hypotheses(NamedTuple):
    """What may be, and what was found.

    z: `[N, K, Dz]` draws of the prior.
    log_weight: `[N, K]` log-likelihood of the rewards seen under each, in nats.
    rewarded: `[N]` bool, whether any reward other than 0 was seen.
    """

    z: chex.Array
    log_weight: chex.Array
    rewarded: chex.Array


class RewardModel:
    """p(r != 0 | s, a, z), a network trained on the contexts in which there is a reward.

    Args:
      hidden_sizes: widths of its hidden layers.
    """

    def __init__(self, hidden_sizes: tuple[int, ...]):
        self._network = MLP(hidden_sizes, 1)

    def init(self, key: chex.PRNGKey, seen: chex.Array) -> Params:
        """Parameters for `seen: [..., Do + Da + Dz]`, observation, action and z; the key is consumed."""
        return self._network.init(key, seen)

    def log_prob(self, params: Params, seen: chex.Array, rewarded: chex.Array) -> chex.Array:
        """Log-probability in nats, `[...]`, that a reward is other than 0, or is 0, as `rewarded: [...]` bool says."""
        logit = self._network.apply(params, seen)[..., 0]
        return jax.nn.log_sigmoid(jnp.where(rewarded, logit, -logit))


def draw_hypotheses(key: chex.PRNGKey, num_tasks: int, num_hypotheses: int, latent_size: int) -> Hypotheses:
    """Draws of N(0, I), all of the same weight; the key is consumed."""
    z = jax.random.normal(key, (num_tasks, num_hypotheses, latent_size))
    return Hypotheses(z, jnp.zeros(z.shape[:2]), jnp.zeros(num_tasks, bool))


def weigh(
    model: RewardModel, params: Params, hypotheses: Hypotheses, place: chex.Array, reward: chex.Array
) -> Hypotheses:
    """The same hypotheses after one more transition of each task, `place: [N, Do + Da]`, `reward: [N]`."""
    z, log_weight, rewarded = hypotheses
    place = jnp.broadcast_to(place[:, None], (*z.shape[:2], place.shape[-1]))
    told = jnp.broadcast_to((reward != 0)[:, None], log_weight.shape)
    log_weight += model.log_prob(params, jnp.concatenate([place, z], axis=-1), told)
    return Hypotheses(z, log_weight, rewarded | (reward != 0))


def choose(hypotheses: Hypotheses, key: chex.PRNGKey) -> chex.Array:
    """One of them for each task by their weights, `[N, Dz]`; the key is consumed."""
    chosen = jax.random.categorical(key, hypotheses.log_weight)
    return jnp.take_along_axis(hypotheses.z, chosen[:, None, None], axis=1)[:, 0]
