"""J_fwd and J_state by noise contrast.

In the shape descriptions `W` denotes runs of consecutive frames, `L` the frames of a run, `B` pairs of frames, `C`
candidates and `F` features. The pairs of a batch are all (t, t + k) within a run; their action is the first one, a_t.
"""

import dataclasses
import functools

import chex
import jax
import jax.numpy as jnp
from rlcore.types import Metrics, Params

from mi_repr.deep import losses
from mi_repr.deep.objectives.protocol import EncodedFrames, Setting, pairs


@dataclasses.dataclass(frozen=True)
class Contrastive:
    """J_fwd = I(Z_t+k; Z_t, A_t), or where the action is left out J_state = I(Z_t+k; Z_t), by noise contrast.

    The later frames of all pairs of a group are the candidates for each.
    """

    setting: Setting
    sees_action: bool = True

    gaussian = False
    grouped = True
    averaged = False

    @property
    def span(self) -> int:
        """`k`."""
        return self.setting.num_steps_ahead

    def init(self, key: chex.PRNGKey) -> Params:
        """The matrices of the scorer; the key is consumed."""
        config, num_actions = self.setting.config, self.setting.num_actions
        size, rank = config.feature_size, config.rank
        query_key, key_key = jax.random.split(key)
        if config.scorer == "concat_bilinear":
            rows = size + (num_actions if self.sees_action else 0)
            return {"matrix": jax.random.normal(query_key, (rows, size)) / size}
        num_matrices = num_actions if self.sees_action else 1
        scale = size**-0.5 * rank**-0.25  # scores start at about 1
        return {
            "query": scale * jax.random.normal(query_key, (size, num_matrices, rank)),
            "key": scale * jax.random.normal(key_key, (size, rank)),
        }

    def scores(self, head: Params, features: chex.Array, action: chex.Array, later: chex.Array) -> chex.Array:
        """Scores of all pairs, `[B, C]`.

        Args:
          head: the scorer.
          features: `[B, F]`
          action: `[B]` int.
          later: `[C, F]`, the candidates.
        """
        if not self.sees_action:
            action = jnp.zeros_like(action)
        if "matrix" not in head:
            return losses.per_action_bilinear(head["query"], head["key"], features, action, later)
        if not self.sees_action:
            return features @ head["matrix"] @ later.T
        return losses.concat_bilinear(head["matrix"], features, action, later)

    def loss(
        self, head: Params, frames: EncodedFrames, key: chex.PRNGKey, beta: chex.Array
    ) -> tuple[chex.Array, Metrics]:
        """See `Objective.loss`."""
        del key, beta
        features = frames.encoding.mean
        loss, metrics = self.head_loss(head, features, frames.action)
        if self.setting.num_groups == 1:
            return loss, metrics
        shared = losses.shared_variance(features.reshape(self.setting.num_groups, -1, features.shape[-1]))
        return loss + self.setting.config.shared_coef * shared, {**metrics, "information/shared": shared}

    def head_loss(self, head: Params, features: chex.Array, action: chex.Array) -> tuple[chex.Array, Metrics]:
        """See `Objective.head_loss`; the groups of runs are one after the other."""
        num_groups = self.setting.num_groups
        groups = [leaf.reshape(num_groups, -1, *leaf.shape[1:]) for leaf in pairs(features, action, self.span)]
        if num_groups > 1:
            # What a group shares would be the same number for a candidate whatever the sample: noise.
            groups[0] -= groups[0].mean(axis=1, keepdims=True)
        return jax.tree.map(jnp.mean, jax.vmap(functools.partial(self._group_loss, head))(*groups))

    def _group_loss(
        self, head: Params, features: chex.Array, action: chex.Array, later: chex.Array
    ) -> tuple[chex.Array, Metrics]:
        scores = self.scores(head, features, action, later)
        loss = losses.info_nce(scores)
        return loss, {
            "loss/nce": loss,
            # The bound cannot exceed log B: a small gap says that more candidates are needed, not that all is known.
            "information/gap_to_log_batch": loss,
            "information/bound": jnp.log(scores.shape[1]) - loss,
            "information/accuracy": losses.nce_accuracy(scores),
        }
