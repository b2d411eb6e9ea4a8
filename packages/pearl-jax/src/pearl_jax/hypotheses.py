"""Hypotheses about the task: draws of the prior, each held against what a trial has seen.

One Gaussian can say where the goal may be, but not where it is not: after a search without success its best guess is as
wide as before, and the same places are searched again. So until the first reward a trial keeps a set of draws of the
prior as well, weighted by how likely what was seen is under each of them: importance sampling of p(z | c), with a
network that tells where rewards are for a given z in place of the likelihood. After the first reward the encoder's
posterior tells more.

In the shape descriptions `N` denotes tasks, `K` the hypotheses about each, `B` transitions, `F` features.
"""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
from rlcore.networks import MLP
from rlcore.types import Params

_NUM_FEATURES = 32


class Hypotheses(NamedTuple):
    """What may be, and what was found.

    z: `[N, K, Dz]` draws of the prior.
    features: `[N, K, F]` what the reward model makes of each.
    log_weight: `[N, K]` log-likelihood of the rewards seen under each, in nats.
    rewarded: `[N]` bool, whether any reward other than 0 was seen.
    """

    z: chex.Array
    features: chex.Array
    log_weight: chex.Array
    rewarded: chex.Array


class RewardModelParams(NamedTuple):
    """Of the network that sees places, and of the one that sees z."""

    place: Params
    task: Params


class RewardModel:
    """p(r != 0 | s, a, z), trained on the contexts in which there is a reward.

    Its log-odds are the product of features of the place, which are observation and action, and features of z. Such a
    form is exact for a reward within some distance of a goal; and features of a hypothesis are made once in a trial.

    Args:
      hidden_sizes: widths of the hidden layers of either network.
    """

    def __init__(self, hidden_sizes: tuple[int, ...]):
        self._place, self._task = (MLP(hidden_sizes, _NUM_FEATURES) for _ in range(2))

    def init(self, key: chex.PRNGKey, place: chex.Array, z: chex.Array) -> RewardModelParams:
        """Parameters for `place: [..., Do + Da]` and `z: [..., Dz]`; the key is consumed."""
        place_key, task_key = jax.random.split(key)
        return RewardModelParams(self._place.init(place_key, place), self._task.init(task_key, z))

    def task_features(self, params: RewardModelParams, z: chex.Array) -> chex.Array:
        """Features `[..., F]` of `z: [..., Dz]`."""
        return self._task.apply(params.task, z)

    def log_prob(
        self, params: RewardModelParams, place: chex.Array, features: chex.Array, rewarded: chex.Array
    ) -> chex.Array:
        """Log-probability in nats that rewards are other than 0, or are 0, as they were.

        Args:
          params: the networks'.
          place: `[N, B, Do + Da]`.
          features: `[N, K, F]` of what is held against it.
          rewarded: `[N, B]` bool, whether the reward was other than 0.

        Returns:
          `[N, B, K]`.
        """
        logit = jnp.einsum("nbf,nkf->nbk", self._place.apply(params.place, place), features)
        return jax.nn.log_sigmoid(jnp.where(rewarded[..., None], logit, -logit))


def draw_hypotheses(
    model: RewardModel, params: RewardModelParams, key: chex.PRNGKey, shape: tuple[int, int, int]
) -> Hypotheses:
    """Draws of N(0, I) of a shape `(N, K, Dz)`, all of the same weight; the key is consumed."""
    z = jax.random.normal(key, shape)
    return Hypotheses(z, model.task_features(params, z), jnp.zeros(shape[:2]), jnp.zeros(shape[0], bool))


def weigh(
    model: RewardModel, params: RewardModelParams, hypotheses: Hypotheses, place: chex.Array, reward: chex.Array
) -> Hypotheses:
    """The same hypotheses after one more transition of each task, `place: [N, Do + Da]`, `reward: [N]`."""
    rewarded = reward != 0
    log_prob = model.log_prob(params, place[:, None], hypotheses.features, rewarded[:, None])[:, 0]
    return hypotheses._replace(log_weight=hypotheses.log_weight + log_prob, rewarded=hypotheses.rewarded | rewarded)


def choose(hypotheses: Hypotheses, key: chex.PRNGKey) -> chex.Array:
    """One of them for each task by their weights, `[N, Dz]`; the key is consumed."""
    chosen = jax.random.categorical(key, hypotheses.log_weight)
    return jnp.take_along_axis(hypotheses.z, chosen[:, None, None], axis=1)[:, 0]
