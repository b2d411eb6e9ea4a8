"""An autoencoder: the baseline that keeps whatever takes many pixels.

In the shape descriptions `...` stands for any leading batch dimensions, `H` and `V` for the height and width of an
image, `C` for its channels and `F` for features.
"""

import dataclasses
from collections.abc import Sequence

import chex
import flax.linen as nn
import jax.numpy as jnp
from rlcore.types import Metrics, Params

from mi_repr.deep import losses
from mi_repr.deep.objectives.protocol import EncodedFrames, Setting

_COARSE, _FINE = 16, 4
"""Pixels a side of a patch of the decoder's two grids."""


class Decoder(nn.Module):
    """`[..., F] -> [..., H, V, C]`: a coarse grid of patches, each of them a finer one, each of these pixels."""

    image_shape: tuple[int, int, int]
    channels: Sequence[int]

    @nn.compact
    def __call__(self, features: chex.Array) -> chex.Array:
        """See the class."""
        height, width, depth = self.image_shape
        rows, columns = -(-height // _COARSE), -(-width // _COARSE)
        coarse, fine = self.channels
        x = nn.relu(nn.Dense(rows * columns * coarse)(features))
        x = x.reshape(*features.shape[:-1], rows, columns, coarse)
        x = nn.relu(_spread(nn.Dense((_COARSE // _FINE) ** 2 * fine)(x), _COARSE // _FINE))
        return _spread(nn.Dense(_FINE**2 * depth)(x), _FINE)[..., :height, :width, :]


@dataclasses.dataclass(frozen=True)
class Reconstruction:
    """An image from its features, by the squared error or by the cross-entropy of intensities. No J, and no actions."""

    setting: Setting

    gaussian = False
    grouped = False
    averaged = False

    @property
    def span(self) -> int:
        """None: it looks at single frames."""
        return 0

    def init(self, key: chex.PRNGKey) -> Params:
        """The decoder; the key is consumed."""
        return self._decoder.init(key, jnp.zeros((1, self.setting.config.feature_size)))

    def loss(
        self, head: Params, frames: EncodedFrames, key: chex.PRNGKey, beta: chex.Array
    ) -> tuple[chex.Array, Metrics]:
        """See `Objective.loss`; `explained` is the share of the variance of pixels, 0 of the mean image, 1 of all."""
        del key, beta
        image = frames.image.astype(jnp.float32) / 255
        decoded = self._decoder.apply(head, frames.encoding.mean)
        if self.setting.config.reconstruction == "bernoulli":
            loss, decoded = losses.bernoulli_error(decoded, image), nn.sigmoid(decoded)
        else:
            loss = losses.squared_error(decoded, image)
        mean = image.mean(axis=(0, 1), keepdims=True)
        unexplained = losses.squared_error(decoded, image) / (losses.squared_error(mean, image) + 1e-9)
        return loss, {"loss/reconstruction": loss, "reconstruction/explained": 1 - unexplained}

    @property
    def _decoder(self) -> Decoder:
        return Decoder(self.setting.image_shape, self.setting.config.decoder_channels)


def _spread(x: chex.Array, size: int) -> chex.Array:
    """`[..., R, C, size^2 D] -> [..., R size, C size, D]`, the opposite of cutting into patches."""
    *batch, rows, columns, depth = x.shape
    x = x.reshape(*batch, rows, columns, size, size, depth // size**2)
    # A pixel's row in its patch goes next to the patch's row in the grid.
    x = jnp.moveaxis(x, -3, -4)
    return x.reshape(*batch, rows * size, columns * size, depth // size**2)
