"""Early fusion of image and annotations: the prior work that the thesis compares with (4.3.1).

In the shape descriptions `K` denotes classes, `H, W` pixels, `...` any leading dimensions.
"""

import jax
import jax.numpy as jnp
import numpy as np

DILATION = 11
"""Side in px of the square that an annotated pixel grows to in a stack: one pixel alone is lost in the first layers."""


def dilate(masks: jax.Array, size: int = DILATION) -> jax.Array:
    """Maximum over a square of `size` px around each pixel of `[..., H, W]`."""
    window = (1,) * (masks.ndim - 2) + (size, size)
    return jax.lax.reduce_window(masks, -jnp.inf, jax.lax.max, window, (1,) * masks.ndim, "SAME")


def stack(image: jax.Array, masks: jax.Array) -> jax.Array:
    """Image and annotations as channels, an image for each class: `[..., K, H, W, 5]` (DIOS; Xu et al., 2016).

    Args:
      image: `[..., H, W, 3]`, RGB in 0..255.
      masks: `[..., K, 2, H, W]`, 1 where annotated. They become -1 and 1, the range that backbones see images in.
    """
    channels = jnp.moveaxis(2 * dilate(masks.astype(jnp.float32)) - 1, -3, -1)
    images = jnp.broadcast_to(_for_each_class(image), (*channels.shape[:-1], 3))
    return jnp.concatenate([images, channels], axis=-1)


def blank_out(image: jax.Array, masks: jax.Array, fill: tuple[float, float, float]) -> jax.Array:
    """The image with all but the positives of each class filled: `[..., K, H, W, 3]` (OSLSM; Shaban et al., 2017).

    It knows no missing annotations: they count as negative.

    Args:
      image: `[..., H, W, 3]`, RGB in 0..255.
      masks: `[..., K, 2, H, W]`, 1 where annotated.
      fill: `[3]`, the colour that the backbone sees as zero.
    """
    positive = masks[..., 1, :, :, None].astype(jnp.float32)
    colour = np.asarray(fill, np.float32).reshape((1,) * (positive.ndim - 1) + (3,))
    return _for_each_class(image) * positive + colour * (1 - positive)


def _for_each_class(image: jax.Array) -> jax.Array:
    return jnp.expand_dims(image.astype(jnp.float32), -4)


def widen(kernel: jax.Array) -> jax.Array:
    """A first convolution for RGB made one for RGB and two masks: they start at the mean of the colours' weights.

    Args:
      kernel: `[k, k, 3, D]`; returns `[k, k, 5, D]`.
    """
    mean = kernel.mean(axis=2, keepdims=True)
    return jnp.concatenate([kernel, mean, mean], axis=2)
