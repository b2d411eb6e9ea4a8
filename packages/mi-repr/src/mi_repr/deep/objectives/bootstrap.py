"""A bootstrap predictor, as in SPR (Schwarzer et al., 2021) and BYOL (Grill et al., 2020).

In the shape descriptions `W` denotes runs of consecutive frames, `L` the frames of a run, `F` features, `P` the size of
a projection, `A` actions and `j` a number of steps ahead.
"""

import dataclasses

import chex
import jax
import jax.numpy as jnp
from rlcore.networks import MLP
from rlcore.types import Metrics, Params

from mi_repr.deep import losses
from mi_repr.deep.objectives.protocol import EncodedFrames, Setting


@dataclasses.dataclass(frozen=True)
class Bootstrap:
    """Predicts, in latent space and by the actions, what an average of the encoder will make of the next K frames.

        1 - cos(predictor(projector(z~_t+j)), average projector(average z_t+j)),   z~_t+j = T(z~_t+j-1, a_t+j-1)

    No J: nothing but the average and the predictor keeps features from being the same for all images. `collapse/spread`
    tells: 1 where normalised features point anywhere, 0 where they all point the same way.
    """

    setting: Setting

    gaussian = False
    grouped = False
    averaged = True

    @property
    def span(self) -> int:
        """`K`."""
        return self.setting.max_steps_ahead

    def init(self, key: chex.PRNGKey) -> Params:
        """The transition model, the projector and the predictor; the key is consumed."""
        transition_key, projector_key, predictor_key = jax.random.split(key, 3)
        size, num_actions = self.setting.config.feature_size, self.setting.num_actions
        return {
            "transition": self._transition.init(transition_key, jnp.zeros((1, size + num_actions))),
            "projector": self._projector.init(projector_key, jnp.zeros((1, size))),
            "predictor": self._projector.init(predictor_key, jnp.zeros((1, self.setting.config.projection_size))),
        }

    def loss(
        self, head: Params, frames: EncodedFrames, key: chex.PRNGKey, beta: chex.Array
    ) -> tuple[chex.Array, Metrics]:
        """See `Objective.loss`.

        Raises:
          ValueError: the frames lack the average's features or head.
        """
        del key, beta
        if frames.average_features is None:
            raise ValueError("the bootstrap objective needs an average of the encoder and of the head")
        features, action, length = frames.encoding.mean, frames.action, frames.action.shape[1]
        target = jax.lax.stop_gradient(self._projector.apply(frames.average_head["projector"], frames.average_features))
        latent, errors = features, []
        for j in range(1, self.span + 1):
            # The frames t that have a frame t + j in the run, and the actions that are taken j - 1 steps after them.
            latent = self._next(head, latent[:, : length - j], action[:, j - 1 : length - 1])
            predicted = self._projector.apply(head["predictor"], self._projector.apply(head["projector"], latent))
            errors.append(losses.cosine_error(predicted, target[:, j:]))
        loss = jnp.mean(jnp.stack(errors))
        return loss, {"loss/bootstrap": loss, "collapse/spread": losses.spread(features)}

    def _next(self, head: Params, latent: chex.Array, action: chex.Array) -> chex.Array:
        """Latents `[W, T, F]` a step after those given, by actions `[W, T]`."""
        inputs = jnp.concatenate([latent, jax.nn.one_hot(action, self.setting.num_actions)], axis=-1)
        return latent + self._transition.apply(head["transition"], inputs)

    @property
    def _transition(self) -> MLP:
        return MLP(self.setting.config.transition_hidden_sizes, self.setting.config.feature_size)

    @property
    def _projector(self) -> MLP:
        size = self.setting.config.projection_size
        return MLP((size,), size)
