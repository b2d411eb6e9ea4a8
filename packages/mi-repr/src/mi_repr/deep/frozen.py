"""An encoder that nothing trains any more.

In the shape descriptions `...` stands for any leading batch dimensions, `H` and `V` for the height and width of an
image, `C` for its channels and `F` for features.
"""

import dataclasses
import functools

import chex
import jax
import numpy as np
from rlcore.types import Params

from mi_repr.deep.batching import in_batches
from mi_repr.deep.encoders import Encoder


@dataclasses.dataclass(frozen=True, eq=False)
class FrozenEncoder:
    """A network, its parameters, and the images that it takes.

    image_shape: `(H, V, C)`.
    """

    network: Encoder
    params: Params
    image_shape: tuple[int, int, int]

    @property
    def feature_size(self) -> int:
        """`F`."""
        return self.network.config.feature_size

    def encode(self, images: chex.ArrayNumpy) -> np.ndarray:
        """The features `[..., F]` of images `[..., H, V, C]` uint8, a few hundred at a time.

        Raises:
          ValueError: images are of another shape or type.
        """
        height, width, channels = self.image_shape
        if images.ndim < 3 or images.shape[-3:] != self.image_shape or images.dtype != np.uint8:
            wanted = f"[..., {height}, {width}, {channels}] uint8"
            raise ValueError(f"images must be {wanted}, got {list(images.shape)} {images.dtype}")
        batch = images.shape[:-3]
        flat = images.reshape(-1, *self.image_shape)
        if not len(flat):
            return np.zeros((*batch, self.feature_size), np.float32)
        features = in_batches(functools.partial(features_of, self.network, self.params), flat)
        return np.asarray(features).reshape(*batch, -1)


@functools.partial(jax.jit, static_argnums=0)
def features_of(network: Encoder, params: Params, images: chex.Array) -> chex.Array:
    """The features `[..., F]` of images `[..., H, V, C]`, all at once."""
    return network.apply(params, images).mean
