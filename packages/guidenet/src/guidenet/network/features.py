"""What an encoder says of an image: maps of the backbone at several strides, brought to the cells that are compared.

In the shape descriptions `R, Q` denote the rows and columns of cells, `r, q` those of finer ones, `B` channels of the
backbone, `C` features, `...` any leading dimensions.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from guidenet.network import ridge
from guidenet.network.backbones import make_grids_of
from guidenet.network.backbones.layers import pointwise
from guidenet.network.config import Config
from guidenet.network.geometry import regrid

Maps = tuple[jax.Array, ...]
"""Of a backbone, `[..., R, Q, B]` for each of its strides, finest first."""


class Features(NamedTuple):
    """Of an image.

    cells: `[..., R, Q, C]`, what guidance is made of and compared with.
    fine: `[..., r, q, B]`, standardised features of the finest stride, for the decoder; None without one.
    """

    cells: jax.Array
    fine: jax.Array | None = None


def project(config: Config, projection: Any, maps: Sequence[jax.Array], inner: jax.Array | None = None) -> Features:
    """Standardises maps, projects them to `feature_size`, and interpolates coarser cells to the finest that count.

    With a ridge regression the backbone's own features in the same cells stand behind these, centred.

    Args:
      config: of the network.
      projection: its parameters of that name.
      maps: of the backbone.
      inner: `[2]` height and width of the image in px, without what fills it up; None is all.
    """
    maps = [jnp.asarray(x).astype(jnp.float32) for x in maps]
    features = _standardise(config, projection, maps) if config.feature_size else Features(_join(config, maps))
    cells = features.cells[..., : config.head.compared or None]
    if not config.head.ridge:
        return Features(cells, features.fine)
    grid = make_grids_of(config.backbone, maps)[config.first_compared]
    valid = None if inner is None else grid.inside(inner)
    return Features(jnp.concatenate([cells, ridge.centre(_join(config, maps), valid)], axis=-1), features.fine)


def _join(config: Config, maps: Sequence[jax.Array]) -> jax.Array:
    """`[..., R, Q, B]` of all strides side by side that guidance is compared at, in the finest cells of these."""
    first = config.first_compared
    grids, maps = make_grids_of(config.backbone, maps)[first:], maps[first:]
    joined = [maps[0], *(regrid(x, grid, grids[0]) for x, grid in zip(maps[1:], grids[1:], strict=True))]
    return jnp.concatenate(joined, axis=-1)


def _standardise(config: Config, projection: Any, maps: Sequence[jax.Array]) -> Features:
    """Standardised and projected."""
    grids = make_grids_of(config.backbone, maps)
    ends = np.cumsum([x.shape[-1] for x in maps])[:-1]
    means, deviations = (jnp.split(projection[name], ends) for name in ("mean", "deviation"))
    fine = None
    if config.has_decoder:
        fine = (maps[0] - align(means[0], maps[0])) / align(deviations[0], maps[0])
        maps, grids, means, deviations = maps[1:], grids[1:], means[1:], deviations[1:]
    kernels = jnp.split(projection["kernel"], np.cumsum([x.shape[-1] for x in maps])[:-1])
    # W (x - mean) / deviation + b, with the small matrix scaled rather than all cells.
    kernels = [kernel / deviation[:, None] for kernel, deviation in zip(kernels, deviations, strict=True)]
    bias = projection["bias"] - sum(mean @ kernel for mean, kernel in zip(means, kernels, strict=True))
    projected = [pointwise(x, kernel) for x, kernel in zip(maps, kernels, strict=True)]
    cells = projected[0] + align(bias, projected[0])
    for x, grid in zip(projected[1:], grids[1:], strict=True):
        cells += regrid(x, grid, grids[0])
    return Features(cells, fine)


def align(x: jax.Array, like: jax.Array) -> jax.Array:
    """`[...]` with axes of 1 in front, as many as another array has more."""
    return x.reshape((1,) * (like.ndim - x.ndim) + x.shape)
