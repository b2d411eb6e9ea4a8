"""The inverse model of several steps, as in AC-State (Lamb et al., 2022).

In the shape descriptions `B` denotes pairs of frames and `F` features.
"""

import dataclasses

import chex
import jax
import jax.numpy as jnp
from rlcore.networks import MLP
from rlcore.types import Metrics, Params

from mi_repr.deep import losses
from mi_repr.deep.objectives.inverse import action_entropy, difference_inputs, sampled
from mi_repr.deep.objectives.protocol import EncodedFrames, Setting, pairs


@dataclasses.dataclass(frozen=True)
class MultiInverse:
    """The mean over k = 1 to K of I(A_t; Z_t+k given Z_t): the first action of the way from one frame to another.

    By maximum likelihood, with the information bottleneck of `Inverse`. One network is told k. The paper draws k; here
    every k counts the same in every batch, which is the mean of that.
    """

    setting: Setting

    gaussian = True
    grouped = False
    averaged = False

    @property
    def span(self) -> int:
        """`K`."""
        return self.setting.max_steps_ahead

    def init(self, key: chex.PRNGKey) -> Params:
        """The inverse model; the key is consumed."""
        return self._network.init(key, jnp.zeros((1, 2 * self.setting.config.feature_size + self.span)))

    def loss(
        self, head: Params, frames: EncodedFrames, key: chex.PRNGKey, beta: chex.Array
    ) -> tuple[chex.Array, Metrics]:
        """See `Objective.loss`; one sample of each frame's Gaussian is what the inverse model sees."""
        sample, rate = sampled(frames.encoding, key)
        action_loss, metrics = self.head_loss(head, sample, frames.action)
        return action_loss + beta * rate, {**metrics, "information/rate": rate}

    def head_loss(self, head: Params, features: chex.Array, action: chex.Array) -> tuple[chex.Array, Metrics]:
        """See `Objective.head_loss`."""
        results = [self._step_loss(head, *pairs(features, action, k), k) for k in range(1, self.span + 1)]
        action_loss, accuracy = (jnp.mean(jnp.stack(values)) for values in zip(*results, strict=True))
        return action_loss, {
            "loss/action": action_loss,
            "information/bound": action_entropy(self.setting) - action_loss,
            "information/accuracy": accuracy,
        }

    def _step_loss(
        self, head: Params, now: chex.Array, action: chex.Array, later: chex.Array, k: int
    ) -> tuple[chex.Array, chex.Array]:
        """The loss and the accuracy of pairs `[B, F]` that are `k` steps apart."""
        steps = jnp.broadcast_to(jax.nn.one_hot(k - 1, self.span), (now.shape[0], self.span))
        logits = self._network.apply(head, jnp.concatenate([difference_inputs(now, later), steps], axis=-1))
        return losses.inverse_loss(logits, action), jnp.mean(jnp.argmax(logits, axis=-1) == action)

    @property
    def _network(self) -> MLP:
        return MLP(self.setting.config.inverse_hidden_sizes, self.setting.num_actions)
