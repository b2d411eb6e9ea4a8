"""J_inv by maximum likelihood.

In the shape descriptions `W` denotes runs of consecutive frames, `L` the frames of a run, `B` rows and `F` features.
"""

import dataclasses

import chex
import jax
import jax.numpy as jnp
from rlcore.networks import MLP
from rlcore.types import Metrics, Params

from mi_repr.deep import losses
from mi_repr.deep.encoders import Encoding
from mi_repr.deep.objectives.protocol import EncodedFrames, Setting, pairs


@dataclasses.dataclass(frozen=True)
class Inverse:
    """J_inv = I(A_t; Z_t+k given Z_t) by maximum likelihood, with an information bottleneck on both frames."""

    setting: Setting

    gaussian = True
    grouped = False
    averaged = False

    @property
    def span(self) -> int:
        """`k`."""
        return self.setting.num_steps_ahead

    def init(self, key: chex.PRNGKey) -> Params:
        """The inverse model; the key is consumed."""
        return self._network.init(key, jnp.zeros((1, 2 * self.setting.config.feature_size)))

    def loss(
        self, head: Params, frames: EncodedFrames, key: chex.PRNGKey, beta: chex.Array
    ) -> tuple[chex.Array, Metrics]:
        """See `Objective.loss`; one sample of each frame's Gaussian is what the inverse model sees."""
        sample, rate = sampled(frames.encoding, key)
        action_loss, metrics = self.head_loss(head, sample, frames.action)
        return action_loss + beta * rate, {**metrics, "information/rate": rate}

    def head_loss(self, head: Params, features: chex.Array, action: chex.Array) -> tuple[chex.Array, Metrics]:
        """See `Objective.head_loss`."""
        now, action, later = pairs(features, action, self.span)
        logits = self._network.apply(head, difference_inputs(now, later))
        action_loss = losses.inverse_loss(logits, action)
        return action_loss, {
            "loss/action": action_loss,
            "information/bound": action_entropy(self.setting) - action_loss,
            "information/accuracy": jnp.mean(jnp.argmax(logits, axis=-1) == action),
        }

    @property
    def _network(self) -> MLP:
        return MLP(self.setting.config.inverse_hidden_sizes, self.setting.num_actions)


def sampled(encoding: Encoding, key: chex.PRNGKey) -> tuple[chex.Array, chex.Array]:
    """A sample of each frame's Gaussian, and the rate of the information bottleneck; the key is consumed.

    Raises:
      ValueError: the encoder is deterministic.
    """
    mean, std = encoding
    if std is None:
        raise ValueError("the inverse objective needs an encoder with gaussian=True")
    sample = mean + std * jax.random.normal(key, mean.shape)
    return sample, losses.gaussian_rate(mean.reshape(-1, mean.shape[-1]), std.reshape(-1, std.shape[-1]))


def difference_inputs(now: chex.Array, later: chex.Array) -> chex.Array:
    """z_t and z_t+k - z_t, `[B, 2 F]`, of two arrays `[B, F]`.

    What stays from frame to frame, such as a background, would drown what the action changed.
    """
    return jnp.concatenate([now, later - now], axis=-1)


def action_entropy(setting: Setting) -> chex.Array:
    """Of the actions, in nats: what an inverse model that knows nothing loses."""
    if setting.action_entropy is None:
        return jnp.log(setting.num_actions)
    return jnp.asarray(setting.action_entropy, jnp.float32)
