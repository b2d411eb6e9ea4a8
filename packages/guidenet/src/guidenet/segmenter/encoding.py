"""An image after its one pass through the encoder, and what is compiled for it.

In the shape descriptions `H, W` denote pixels, `R, Q` the rows and columns of cells, `C` features, `K` classes.
"""

import dataclasses
import functools
import hashlib
from collections.abc import Mapping
from typing import NamedTuple

import jax
import numpy as np
import numpy.typing as npt

from guidenet.images import FittedImage, Pixels, fit
from guidenet.network.backbones import fill_colour
from guidenet.network.geometry import Grid
from guidenet.network.guided_network import GuidedNetwork, Params, Seen
from guidenet.network.guides import Guide
from guidenet.segmenter.edges import Edges, find_edges, follow_edges
from guidenet.segmenter.pieces import keep_annotated, remove_specks
from guidenet.segmenter.prediction import upsample_to


class Encoded(NamedTuple):
    """An image after its one pass through the encoder.

    features: `[R, Q, C]` of its cells, with those of what fills the image up.
    prepared: what scoring needs of it, with these too.
    image: size and place of the pixels, which are kept in `edges` only.
    grid: where the cells of `features` lie whose centres lie in the image.
    score_grid: the same for the cells of scores.
    edges: of the image as it was seen; None where they are not looked at.
    """

    features: jax.Array
    prepared: Seen
    image: FittedImage
    grid: Grid
    score_grid: Grid
    edges: Edges | None


def encode_image(
    network: GuidedNetwork, encoder: Params, scorer: Params, pixels: Pixels, max_side: int, *, with_edges: bool
) -> Encoded:
    """Encodes an image of any size.

    Args:
      network: the network.
      encoder: its parameters `backbone` and `projection`.
      scorer: its `scoring_parts`.
      pixels: `[H, W, 3]` uint8.
      max_side: longest side in px at which it is seen.
      with_edges: also look at its edges.
    """
    image = fit(pixels, max_side, fill_colour(network.config.backbone))
    features, prepared = _encode(
        network, encoder, scorer, jax.numpy.asarray(image.pixels), np.array(image.inner, np.int32)
    )
    size = image.pixels.shape[0], image.pixels.shape[1]
    grid, score_grid = (_inside(grid, image.inner) for grid in (network.grid(*size), network.score_grid(*size)))
    kept = FittedImage(image.pixels[:0], image.inner, image.size)
    edges = find_edges(np.ascontiguousarray(image.pixels[: image.inner[0], : image.inner[1]])) if with_edges else None
    return Encoded(features, prepared, kept, grid, score_grid, edges)


@functools.partial(jax.jit, static_argnums=0)
def score_image(
    network: GuidedNetwork, scorer: Params, prepared: Seen, guide: Guide, masks: npt.ArrayLike | None
) -> jax.Array:
    """`GuidedNetwork.score_prepared`, compiled once for each size of an image and number of classes.

    Args:
      network: the network.
      scorer: its `scoring_parts`.
      prepared: the image.
      guide: of all annotations.
      masks: `[K, 2, H, W]`, annotations of the image itself where these are looked for and not all that is like them;
        None without a decoder.
    """
    places = None if masks is None else network.place(jax.numpy.asarray(masks))
    return network.score_prepared(scorer, prepared, guide, None, places)


def at_pixels(
    scores: npt.NDArray[np.float32],
    encoded: Encoded,
    min_area: int,
    positives: Mapping[int, npt.NDArray[np.int64]],
) -> npt.NDArray[np.float32]:
    """Logits `[K, H, W]` at the image's own size of those `[K, R, Q]` of its cells.

    Args:
      scores: of the cells.
      encoded: the image.
      min_area: px of the smallest piece or hole.
      positives: of classes that keep annotated pieces only, as for `keep_annotated`.
    """
    inner, size = encoded.image.inner, encoded.image.size
    if encoded.edges is not None:
        logits = follow_edges(encoded.edges, scores, encoded.score_grid)
    elif min_area or positives:
        logits = upsample_to(scores, encoded.score_grid, inner, inner)
    else:
        return upsample_to(scores, encoded.score_grid, inner, size)
    if min_area:
        logits = remove_specks(logits, min_area)
    if positives:
        logits = keep_annotated(logits, positives)
    return logits if inner == size else upsample_to(logits, Grid(*inner, 1, 0), inner, size)


def digest(pixels: Pixels) -> bytes:
    """Tells images apart by what is in them."""
    hashed = hashlib.sha256(repr(pixels.shape).encode())  # processors have instructions for this one
    hashed.update(np.ascontiguousarray(pixels).data)
    return hashed.digest()


@functools.partial(jax.jit, static_argnums=0)
def _encode(
    network: GuidedNetwork, encoder: Params, scorer: Params, image: jax.Array, inner: npt.NDArray[np.int32]
) -> tuple[jax.Array, Seen]:
    size = jax.numpy.asarray(inner)
    features = network.encode(encoder, image, size)
    return features.cells, network.prepare(scorer, features, size)


def _inside(grid: Grid, inner: tuple[int, int]) -> Grid:
    """The cells of a grid whose centres lie in the image."""
    rows, columns = (
        min(max(int((side - 1 - grid.offset) // grid.stride) + 1, 1), cells)
        for side, cells in zip(inner, (grid.rows, grid.columns), strict=True)
    )
    return dataclasses.replace(grid, rows=rows, columns=columns)
