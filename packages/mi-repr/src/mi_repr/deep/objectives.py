"""J_fwd, J_state and J_inv as what a batch of encoded frames is trained on.

In the shape descriptions `W` denotes runs of consecutive frames, `T` the frames of a run, `F` features, `A` actions and
`k` the number of steps ahead. The pairs of a batch are all (t, t + k) within a run; their action is the first one, a_t.
"""

import abc
import dataclasses
import functools

import chex
import jax
import jax.numpy as jnp
from rlcore.networks import MLP
from rlcore.types import Metrics, Params

from mi_repr.deep import losses
from mi_repr.deep.config import EncoderConfig
from mi_repr.deep.encoders import Encoding


@dataclasses.dataclass(frozen=True)
class Objective(abc.ABC):
    """What trains an encoder.

    config: the heads.
    num_actions: `A`.
    num_steps_ahead: `k`.
    num_groups: of the batch, one after the other; negatives are taken from a sample's own group. 1 without negatives.
    """

    config: EncoderConfig
    num_actions: int
    num_steps_ahead: int = 1
    num_groups: int = 1

    gaussian = False

    @abc.abstractmethod
    def init(self, key: chex.PRNGKey) -> Params:
        """Parameters of the head; the key is consumed."""

    @abc.abstractmethod
    def loss(
        self, params: Params, encoding: Encoding, action: chex.Array, key: chex.PRNGKey, beta: chex.Array
    ) -> tuple[chex.Array, Metrics]:
        """What is minimised, a scalar, and metrics.

        Args:
          params: of the head.
          encoding: `[W, T, F]`
          action: `[W, T]` int; the last `k` of each run are not used.
          key: consumed.
          beta: scalar, weight of the information bottleneck where there is one.
        """

    @abc.abstractmethod
    def pair_loss(
        self, params: Params, features: chex.Array, action: chex.Array, later: chex.Array
    ) -> tuple[chex.Array, Metrics]:
        """The head's part of the loss, a scalar, and metrics.

        Args:
          params: of the head.
          features: `[B, F]`
          action: `[B]` int.
          later: `[B, F]`
        """

    def pairs(self, features: chex.Array, action: chex.Array) -> tuple[chex.Array, chex.Array, chex.Array]:
        """`[W, T, F]` and `[W, T]` to z_t `[W (T - k), F]`, a_t `[W (T - k)]` and z_t+k `[W (T - k), F]`."""
        chex.assert_rank([features, action], [3, 2])
        k = self.num_steps_ahead
        size = features.shape[-1]
        return features[:, :-k].reshape(-1, size), action[:, :-k].reshape(-1), features[:, k:].reshape(-1, size)


@dataclasses.dataclass(frozen=True)
class Contrastive(Objective):
    """J_fwd = I(Z_t+k; Z_t, A_t), or where the action is left out J_state = I(Z_t+k; Z_t), by noise contrast.

    The later frames of all pairs of a group are the candidates for each.
    """

    sees_action: bool = True

    def init(self, key: chex.PRNGKey) -> Params:
        """The matrices of the scorer; the key is consumed."""
        size, rank = self.config.feature_size, self.config.rank
        query_key, key_key = jax.random.split(key)
        if self.config.scorer == "concat_bilinear":
            rows = size + (self.num_actions if self.sees_action else 0)
            return {"matrix": jax.random.normal(query_key, (rows, size)) / size}
        num_matrices = self.num_actions if self.sees_action else 1
        scale = size**-0.5 * rank**-0.25  # scores start at about 1
        return {
            "query": scale * jax.random.normal(query_key, (size, num_matrices, rank)),
            "key": scale * jax.random.normal(key_key, (size, rank)),
        }

    def scores(self, params: Params, features: chex.Array, action: chex.Array, later: chex.Array) -> chex.Array:
        """Scores of all pairs, `[B, C]`.

        Args:
          params: of the scorer.
          features: `[B, F]`
          action: `[B]` int.
          later: `[C, F]`, the candidates.
        """
        if not self.sees_action:
            action = jnp.zeros_like(action)
        if "matrix" not in params:
            return losses.per_action_bilinear(params["query"], params["key"], features, action, later)
        if not self.sees_action:
            return features @ params["matrix"] @ later.T
        return losses.concat_bilinear(params["matrix"], features, action, later)

    def loss(
        self, params: Params, encoding: Encoding, action: chex.Array, key: chex.PRNGKey, beta: chex.Array
    ) -> tuple[chex.Array, Metrics]:
        """See `Objective.loss`."""
        del key, beta
        loss, metrics = self.pair_loss(params, *self.pairs(encoding.mean, action))
        if self.num_groups == 1:
            return loss, metrics
        shared = losses.shared_variance(encoding.mean.reshape(self.num_groups, -1, encoding.mean.shape[-1]))
        return loss + self.config.shared_coef * shared, {**metrics, "information/shared": shared}

    def pair_loss(
        self, params: Params, features: chex.Array, action: chex.Array, later: chex.Array
    ) -> tuple[chex.Array, Metrics]:
        """See `Objective.pair_loss`; the groups of pairs are one after the other."""
        groups = [leaf.reshape(self.num_groups, -1, *leaf.shape[1:]) for leaf in (features, action, later)]
        if self.num_groups > 1:
            # What a group shares would be the same number for a candidate whatever the sample: noise.
            groups[0] -= groups[0].mean(axis=1, keepdims=True)
        return jax.tree.map(jnp.mean, jax.vmap(functools.partial(self._group_loss, params))(*groups))

    def _group_loss(
        self, params: Params, features: chex.Array, action: chex.Array, later: chex.Array
    ) -> tuple[chex.Array, Metrics]:
        scores = self.scores(params, features, action, later)
        loss = losses.info_nce(scores)
        return loss, {
            "loss/nce": loss,
            # The bound cannot exceed log B: a small gap says that more candidates are needed, not that all is known.
            "information/gap_to_log_batch": loss,
            "information/bound": jnp.log(scores.shape[1]) - loss,
            "information/accuracy": losses.nce_accuracy(scores),
        }


@dataclasses.dataclass(frozen=True)
class Inverse(Objective):
    """J_inv = I(A_t; Z_t+k given Z_t) by maximum likelihood, with an information bottleneck on both frames."""

    gaussian = True

    def init(self, key: chex.PRNGKey) -> Params:
        """The inverse model; the key is consumed."""
        return self._network.init(key, jnp.zeros((1, 2 * self.config.feature_size)))

    def loss(
        self, params: Params, encoding: Encoding, action: chex.Array, key: chex.PRNGKey, beta: chex.Array
    ) -> tuple[chex.Array, Metrics]:
        """See `Objective.loss`; one sample of each frame's Gaussian is what the inverse model sees."""
        mean, std = encoding
        if std is None:
            raise ValueError("the inverse objective needs an encoder with gaussian=True")
        sample = mean + std * jax.random.normal(key, mean.shape)
        action_loss, metrics = self.pair_loss(params, *self.pairs(sample, action))
        rate = losses.gaussian_rate(mean.reshape(-1, mean.shape[-1]), std.reshape(-1, std.shape[-1]))
        return action_loss + beta * rate, {**metrics, "information/rate": rate}

    def pair_loss(
        self, params: Params, features: chex.Array, action: chex.Array, later: chex.Array
    ) -> tuple[chex.Array, Metrics]:
        """See `Objective.pair_loss`."""
        # What stays from frame to frame, such as a background, would drown what the action changed.
        inputs = jnp.concatenate([features, later - features], axis=-1)
        logits = self._network.apply(params, inputs)
        action_loss = losses.inverse_loss(logits, action)
        return action_loss, {
            "loss/action": action_loss,
            "information/bound": jnp.log(self.num_actions) - action_loss,
            "information/accuracy": jnp.mean(jnp.argmax(logits, axis=-1) == action),
        }

    @property
    def _network(self) -> MLP:
        return MLP(self.config.inverse_hidden_sizes, self.num_actions)


_OBJECTIVES = {
    "fwd": Contrastive,
    "state": functools.partial(Contrastive, sees_action=False),
    "inv": Inverse,
}


def make_objective(
    name: str, config: EncoderConfig, num_actions: int, num_steps_ahead: int = 1, num_groups: int = 1
) -> Objective:
    """J_fwd, J_state or J_inv (thesis, equations 2 to 4), by the names `fwd`, `state` and `inv`.

    Raises:
      ValueError: there is no such objective.
    """
    if name not in _OBJECTIVES:
        raise ValueError(f"objective must be one of {', '.join(_OBJECTIVES)}, got {name!r}")
    return _OBJECTIVES[name](config, num_actions, num_steps_ahead, 1 if name == "inv" else num_groups)
