"""Ridge regression from sums: the linear separation of annotated cells that many annotated images are worth.

A mean of features says no more after some tens of images; a direction does. It follows in closed form from the first
and second moments of the annotated cells, which are sums as a guide is one, so that they can be added and removed. With
balanced labels it is linear discriminant analysis.

In the shape descriptions `K` denotes classes, `R, Q` the rows and columns of cells, `F` features of the backbone,
`T = F (F + 1) / 2` products of two of them, `...` any leading dimensions. The guide of negatives has the index 0.
"""

import functools
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

PENALTY = 0.3
"""On the square of the direction, in units of the features' mean variance in the annotated cells."""

CENTRING = 0.5
"""How much of the mean over an image is taken from its features: styles of images differ more than what is in them."""

LOG_ODDS = math.log(9)
"""Of a pixel to be background before anything is seen: a thing fills a tenth of an image."""


HALF_SHARE = 10.0
"""So many images more than the first give the regression half of its factor."""


class Line(NamedTuple):
    """A score that is linear in the features.

    normal: `[K, F]`.
    offset: `[K]`, taken from the product of features and normal.
    """

    normal: jax.Array
    offset: jax.Array


def num_products(num_features: int) -> int:
    """T."""
    return num_features * (num_features + 1) // 2


@functools.cache
def upper(num_features: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """`[T]` rows and columns of the products that are kept."""
    return np.triu_indices(num_features)


def centre(features: jax.Array, valid: jax.Array | None = None) -> jax.Array:
    """`[..., R, Q, F]` features less a share of their mean over an image.

    Args:
      features: `[..., R, Q, F]`.
      valid: `[..., R, Q]` bool, cells that lie in the image; None is all.
    """
    weight = jnp.ones(features.shape[:-1]) if valid is None else valid.astype(features.dtype)
    weight = weight[..., None]
    mean = (features * weight).sum((-3, -2), keepdims=True) / jnp.maximum(weight.sum((-3, -2), keepdims=True), 1)
    return features - CENTRING * mean


def sum_products(features: jax.Array, cells: jax.Array) -> jax.Array:
    """`[..., K, 2, T]` sums of products under masks.

    Args:
      features: `[..., R, Q, F]`, centred.
      cells: `[..., K, 2, R, Q]` masks.
    """
    fused = jnp.einsum("...rqf,...ksrq->...ksrqf", features, cells)
    products = jnp.einsum("...ksrqf,...rqg->...ksfg", fused, features)
    return products[..., *upper(features.shape[-1])]


def fit(mean: jax.Array, products: jax.Array, images: jax.Array, *, decoded: bool = False) -> Line:
    """The direction b and the offset that separate positives from negatives.

        (C + p I) b = m+ - m-,   C = (M+ + M-) / 2 - m m',   m = (m+ + m-) / 2

    which are least squares to 2 for positives and -2 for negatives, each half of the weight. m are means, M second
    moments, and the penalty p is in units of the mean of the variances in C. The offset is that of linear discriminant
    analysis: b m, and the log odds o of background in the units of b, o (1 - d / 4) with d = b (m+ - m-).

    Both are scaled by (n - 1) / (n - 1 + h) for n images: within one image the nearest cells say more than a line.

    Args:
      mean: `[K, 2, F]`.
      products: `[K, 2, T]`, means too.
      images: `[K, 2]`, how many have annotations of each kind, n the fewer of them.
      decoded: a decoder follows, which knows by itself how much of an image is background: the log odds are scaled
        twice, so that masks of few images are not too small.
    """
    return jax.vmap(functools.partial(_fit, decoded=decoded))(mean, products, images)


def score(features: jax.Array, line: Line) -> jax.Array:
    """`[K, R, Q]` of `[R, Q, F]`."""
    return jnp.einsum("rqf,kf->krq", features, line.normal) - line.offset[:, None, None]


def _fit(mean: jax.Array, products: jax.Array, images: jax.Array, *, decoded: bool) -> Line:
    size, middle, difference = mean.shape[-1], mean.mean(0), mean[1] - mean[0]
    covariance = products.mean(0)[_places(size)] - jnp.outer(middle, middle)
    penalty = PENALTY * jnp.trace(covariance) / size + 1e-6
    factor = jax.scipy.linalg.cho_factor(covariance + penalty * jnp.eye(size))
    normal = jax.scipy.linalg.cho_solve(factor, difference)
    more = jnp.maximum(images.min() - 1, 0)
    share = more / (more + HALF_SHARE)
    odds = LOG_ODDS * (1 - normal @ difference / 4) * (share if decoded else 1)
    return Line(share * normal, share * (normal @ middle + odds))


def _places(num_features: int) -> npt.NDArray[np.int64]:
    """`[F, F]`: where among the products that of a row and a column is."""
    places = np.zeros((num_features, num_features), np.int64)
    places[upper(num_features)] = np.arange(num_products(num_features))
    return np.maximum(places, places.T)
