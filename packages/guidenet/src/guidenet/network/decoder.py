"""From similarities in cells to scores at the finest features: a small U-net for each class, of few channels.

It sees how like the guides each cell is, in several groups of features, what the metric says of it, and the image's own
features; where the query itself is annotated it may also see where. Its result is added to the metric's. In the shape
descriptions `R, Q` denote the rows and columns of the cells that guidance is compared with, `r, q` those of the scores,
`C` features, `G` groups of them, `D` channels, `K` classes.
"""

from collections.abc import Sequence
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from guidenet.network.backbones.layers import Conv
from guidenet.network.config import DecoderConfig
from guidenet.network.features import Features
from guidenet.network.geometry import Grid, regrid
from guidenet.network.heads import direction, without_absent

MAX_METRIC = 20.0
"""Scores of the metric are seen within plus and minus this."""

MAX_COUNT = 100
"""Annotated pixels, of which the decoder is not told that there are more: training has no more of them."""

Position = tuple[int, float]
"""Of cells along an axis: stride and offset of the first, px."""


class Scene(NamedTuple):
    """What a decoder keeps of an image.

    groups: `[R, Q, G, C / G]`, features of length 1 each.
    mean: `[G, C / G]`, their mean over the image, of length 1.
    cells: `[R, Q, D]`, what it sees of the cells whatever the guidance.
    fine: `[r, q, D]`, and of the finest features.
    inside: for each level, finest first, `[r, q, 1]`, 1 for cells that lie in the image.
    """

    groups: jax.Array
    mean: jax.Array
    cells: jax.Array
    fine: jax.Array
    inside: tuple[jax.Array, ...]


class Decoder(nn.Module):
    """See the module.

        x = [cos(phi_g, z+_g), cos(phi_g, z-_g), cos(phi_g, mean_g), metric, log N, places, W phi]
        s = metric + U(x, fine features)

    config: its options.
    score: of the cells of scores.
    cell: of the cells that guidance is compared with.
    """

    config: DecoderConfig
    score: Position
    cell: Position

    def setup(self) -> None:
        """Makes the layers."""
        finest, *levels = self.config.channels
        self.of_cells, self.of_fine = nn.Dense(levels[0] // 2), nn.Dense(finest)
        self.down = [(Conv(level), Conv(level)) for level in levels]
        self.up = [Conv(level) for level in levels[:-1]]
        self.last = Conv(finest)
        self.result = nn.Dense(1, kernel_init=nn.initializers.zeros)

    def prepare(self, features: Features, valid: jax.Array, valid_fine: jax.Array) -> Scene:
        """`Scene` of an image.

        Args:
          features: of it.
          valid: `[R, Q]` bool, cells that lie in the image.
          valid_fine: `[r, q]` bool, the same of the cells of scores.
        """
        assert features.fine is not None  # as the config has a decoder
        rows, columns, size = features.cells.shape
        groups = direction(features.cells.reshape(rows, columns, self.config.groups, size // self.config.groups))
        inside = [x.astype(jnp.float32)[..., None] for x in (valid_fine, valid)]
        mean = direction(jnp.einsum("rq,rqgc->gc", inside[1][..., 0], groups))
        for _ in self.config.channels[2:]:
            inside.append((_halve(inside[-1]) > 0).astype(jnp.float32))
        cells, fine = self.of_cells(direction(features.cells) * size**0.5), self.of_fine(features.fine)
        return Scene(groups, mean, nn.relu(cells), nn.relu(fine), tuple(inside))

    def __call__(
        self, scene: Scene, z: jax.Array, count: jax.Array, metric: jax.Array, places: jax.Array | None = None
    ) -> jax.Array:
        """Scores `[K, r, q]` of each class against the background.

        Args:
          scene: of the image.
          z: `[K, 2, C]`, guides.
          count: `[K, 2]`, annotated pixels.
          metric: `[K, R, Q]`, scores of the cells.
          places: `[K, 2, r, q]`, 1 where the image itself is annotated; see `thin`.
        """
        if places is None:
            places = jnp.zeros((len(z), 2, *scene.fine.shape[:2]))
        places = thin(places, MAX_COUNT)
        in_cells = place(places, self.cell[0] // self.score[0])
        x = jnp.concatenate([self._compare(scene, z, count, metric), jnp.moveaxis(in_cells, 1, -1)], axis=-1)
        x = self._ascend(self._descend(x, scene.inside[1:]), scene.inside[1:])
        x = jnp.concatenate([x, jnp.maximum(metric, -MAX_METRIC)[..., None]], axis=-1)
        grid, fine_grid = _grid(scene.cells, *self.cell), _grid(scene.fine, *self.score)
        x = _interpolate(x, scene.inside[1], grid, fine_grid)
        fine = jnp.concatenate([x, _repeat(scene.fine, len(z)), jnp.moveaxis(places, 1, -1)], axis=-1)
        result = self.result(nn.relu(self.last(fine * scene.inside[0][None])))
        return without_absent(x[..., -1] + result[..., 0], count)

    def _descend(self, x: jax.Array, insides: Sequence[jax.Array]) -> list[jax.Array]:
        """`[K, R, Q, D]` at each level, of which each has half the cells of the one before."""
        found: list[jax.Array] = []
        for level, (layers, inside) in enumerate(zip(self.down, insides, strict=True)):
            if level:
                x = _halve(x) / jnp.maximum(_halve(insides[level - 1]), 1e-6)[None]
            x = x * inside[None]
            for layer in layers:
                x = nn.relu(layer(x)) * inside[None]
            found.append(x)
        return found

    def _ascend(self, levels: Sequence[jax.Array], insides: Sequence[jax.Array]) -> jax.Array:
        """`[K, R, Q, D]` at the finest level, of those that `_descend` has found."""
        x = levels[-1]
        for level in reversed(range(len(levels) - 1)):
            beside, inside, stride = levels[level], insides[level], self.cell[0] << level
            # Places as of the finer cells: the centre of a coarser one lies between two of them.
            coarser, finer = _grid(x[0], 2 * stride, stride / 2), _grid(beside[0], stride, 0.0)
            x = _interpolate(x, insides[level + 1], coarser, finer) * inside[None]
            x = nn.relu(self.up[level](jnp.concatenate([x, beside], axis=-1))) * inside[None]
        return x

    def _compare(self, scene: Scene, z: jax.Array, count: jax.Array, metric: jax.Array) -> jax.Array:
        """`[K, R, Q, 3 G + 3 + D]`: all that is known of the cells, but for the places of annotations."""
        groups = direction(z.reshape(*z.shape[:2], *scene.mean.shape))
        to_guides = jnp.einsum("rqgc,ksgc->krqsg", scene.groups, groups)
        likeness = to_guides.reshape(*to_guides.shape[:3], -1)
        to_mean = jnp.einsum("rqgc,gc->rqg", scene.groups, scene.mean)
        counts = jnp.log1p(jnp.minimum(count, MAX_COUNT).astype(jnp.float32)) / 5
        shape = likeness.shape[:3]
        return jnp.concatenate(
            [
                likeness,
                _repeat(to_mean, len(z)),
                jnp.clip(metric, -MAX_METRIC, MAX_METRIC)[..., None] / 4,
                jnp.broadcast_to(counts[:, None, None], (*shape, 2)),
                _repeat(scene.cells, len(z)),
            ],
            axis=-1,
        )

    def everything(
        self, features: Features, valid: jax.Array, valid_fine: jax.Array, z: jax.Array, count: jax.Array
    ) -> jax.Array:
        """For `init`."""
        scene = self.prepare(features, valid, valid_fine)
        return self(scene, z, count, jnp.zeros((len(z), *valid.shape)))


def place(masks: jax.Array, stride: int) -> jax.Array:
    """`[..., H, W] -> [..., H / stride, W / stride]`, the maximum of the pixels of a cell, float32.

    Args:
      masks: of sides that are multiples of the stride.
      stride: of the cells, px.
    """
    height, width = masks.shape[-2:]
    cells = masks.reshape(*masks.shape[:-2], height // stride, stride, width // stride, stride)
    return cells.max((-3, -1)).astype(jnp.float32)


def thin(places: jax.Array, most: int) -> jax.Array:
    """At most so many places of each kind, every n-th of all in reading order; `[..., r, q]` of 0 and 1."""
    flat = places.reshape(*places.shape[:-2], -1)
    order = jnp.cumsum(flat, axis=-1)
    step = jnp.maximum(jnp.ceil(order[..., -1:] / most), 1)
    kept = flat * ((order - 1) % step == 0)
    return kept.reshape(places.shape)


def _halve(x: jax.Array) -> jax.Array:
    """The mean of two by two cells, `[..., R, Q, D]`; beyond an odd end are zeros."""
    rows, columns = x.shape[-3:-1]
    padding = [(0, 0)] * (x.ndim - 3) + [(0, rows % 2), (0, columns % 2), (0, 0)]
    x = jnp.pad(x, padding)
    x = x.reshape(*x.shape[:-3], x.shape[-3] // 2, 2, x.shape[-2] // 2, 2, x.shape[-1])
    return x.mean((-4, -2))


def _grid(cells: jax.Array, stride: int, offset: float) -> Grid:
    """Of cells `[R, Q, D]`."""
    return Grid(cells.shape[0], cells.shape[1], stride, offset)


def _interpolate(x: jax.Array, inside: jax.Array, grid: Grid, target: Grid) -> jax.Array:
    """`regrid` from the cells of `[K, R, Q, D]` that are `inside` `[R, Q, 1]`: beyond them the last ones hold."""
    share = regrid(inside, grid, target)
    return regrid(x * inside[None], grid, target) / jnp.maximum(share, 1e-6)[None]


def _repeat(x: jax.Array, number: int) -> jax.Array:
    """`[...] -> [number, ...]`."""
    return jnp.broadcast_to(x[None], (number, *x.shape))
