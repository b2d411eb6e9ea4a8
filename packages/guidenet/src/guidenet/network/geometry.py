"""Where the cells of a feature map lie in an image: annotations go to cells, scores come back, by the same weights.

A pixel's value is interpolated bilinearly between the centres of the four cells around it; beyond the outermost centres
the nearest cells hold. m (thesis 4.3.1), which maps annotations to cells, is the adjoint of that: an annotated pixel
spreads a weight of exactly 1 over its cells. So global guidance is the mean of interpolated features at the annotated
pixels.

In the shape descriptions `H, W` denote pixels, `R, Q` the rows and columns of cells, `...` any leading dimensions.
"""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

Positions = npt.NDArray[np.floating]


@dataclasses.dataclass(frozen=True)
class Grid:
    """The cells of a feature map.

    rows, columns: how many there are.
    stride: between the centres of neighbours, px.
    offset: of the centre of the first cell from the centre of the first pixel, px, on both axes.
    """

    rows: int
    columns: int
    stride: int
    offset: float

    def inside(self, inner: jax.Array) -> jax.Array:
        """`[rows, columns]` bool: cells whose centres lie in the first `inner` `[2]` px of the axes; one at least."""
        rows, columns = (
            (jnp.arange(number) == 0) | (self.offset + self.stride * jnp.arange(number) <= side - 1)
            for number, side in zip((self.rows, self.columns), inner, strict=True)
        )
        return rows[:, None] & columns[None]

    def crop(self, inner: tuple[int, int]) -> "Grid":
        """The grid of the cells that are `inside`."""
        rows, columns = (
            min(max(int((side - 1 - self.offset) // self.stride) + 1, 1), number)
            for number, side in zip((self.rows, self.columns), inner, strict=True)
        )
        return dataclasses.replace(self, rows=rows, columns=columns)


def locate(position: Positions, num_cells: int, stride: int, offset: float) -> tuple[npt.NDArray[np.int64], Positions]:
    """The cell before each position along an axis, and the share in [0, 1] of the cell after it; both `[P]`.

    Args:
      position: `[P]`, px.
      num_cells: along the axis.
      stride: px.
      offset: of the first cell's centre, px.
    """
    place = np.clip((np.asarray(position, np.float64) - offset) / stride, 0, num_cells - 1)
    before = np.minimum(np.floor(place), max(num_cells - 2, 0)).astype(np.int64)
    return before, place - before


def interpolation(position: Positions, num_cells: int, stride: int, offset: float) -> npt.NDArray[np.float32]:
    """The weights of the cells at each position, `[P, num_cells]`, two of them in a row; arguments as for `locate`."""
    before, share = locate(position, num_cells, stride, offset)
    matrix = np.zeros((len(before), num_cells), np.float32)
    rows = np.arange(len(before))
    matrix[rows, before] = 1 - share
    matrix[rows, np.minimum(before + 1, num_cells - 1)] += share
    return matrix


@functools.lru_cache(maxsize=256)
def locate_pixels(
    num_pixels: int, num_cells: int, stride: int, offset: float, span: int | None = None
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """`locate` for the pixels of an axis, with float32 shares; both `[num_pixels]`.

    Args:
      num_pixels: of the axis.
      num_cells: along the axis.
      stride: px.
      offset: of the first cell's centre, px.
      span: how many px of the image that the cells are of the axis covers, if it has another resolution.
    """
    before, share = locate(_centres(num_pixels, span), num_cells, stride, offset)
    return before, share.astype(np.float32)


@functools.lru_cache(maxsize=256)
def pixel_weights(
    num_pixels: int, num_cells: int, stride: int, offset: float, span: int | None = None
) -> npt.NDArray[np.float32]:
    """Interpolation from cells to pixels, `[num_pixels, num_cells]`; arguments as for `locate_pixels`."""
    return interpolation(_centres(num_pixels, span), num_cells, stride, offset)


def downsample(masks: jax.Array, grid: Grid) -> jax.Array:
    """The adjoint of `upsample`, m of the thesis: `[..., H, W]` pixels to `[..., R, Q]` cells, of the same sum."""
    height, width = masks.shape[-2:]
    rows = pixel_weights(height, grid.rows, grid.stride, grid.offset)
    columns = pixel_weights(width, grid.columns, grid.stride, grid.offset)
    return jnp.einsum("...hw,hr,wq->...rq", masks.astype(jnp.float32), rows, columns)


def upsample(scores: jax.Array, grid: Grid, height: int, width: int, step: int = 1) -> jax.Array:
    """Bilinear interpolation of `[..., R, Q]` cells to `[..., height, width]` pixels; fixed, not learned (B.1.1).

    Args:
      scores: of the cells.
      grid: where they lie.
      height: of the image, px.
      width: of the image, px.
      step: only the pixels `[step // 2 :: step]` of both axes.
    """
    rows = pixel_weights(height, grid.rows, grid.stride, grid.offset)[step // 2 :: step]
    columns = pixel_weights(width, grid.columns, grid.stride, grid.offset)[step // 2 :: step]
    return jnp.einsum("...rq,hr,wq->...hw", scores, rows, columns)


def regrid(features: jax.Array, grid: Grid, target: Grid) -> jax.Array:
    """Bilinear interpolation of `[..., R, Q, C]` features on `grid` to the cells of `target`."""
    rows = interpolation(target.offset + target.stride * np.arange(target.rows), grid.rows, grid.stride, grid.offset)
    columns = interpolation(
        target.offset + target.stride * np.arange(target.columns), grid.columns, grid.stride, grid.offset
    )
    return jnp.einsum("...rqc,tr,sq->...tsc", features, rows, columns)


def _centres(num_pixels: int, span: int | None) -> Positions:
    scale = 1 if span is None else span / num_pixels
    return (np.arange(num_pixels) + 0.5) * scale - 0.5
