"""An image after its one pass through the encoder.

In the shape descriptions `H, W` denote pixels, `R, Q` the rows and columns of cells, `C` features.
"""

import functools
import hashlib
from typing import NamedTuple

import jax
import numpy as np
import numpy.typing as npt

from guidenet.images import FittedImage, Pixels, fit
from guidenet.network.backbones import fill_colour
from guidenet.network.geometry import Grid
from guidenet.network.guided_network import GuidedNetwork, Params, Seen
from guidenet.segmenter.edges import Edges, find_edges


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
    grid, score_grid = (grid.crop(image.inner) for grid in (network.grid(*size), network.score_grid(*size)))
    kept = FittedImage(image.pixels[:0], image.inner, image.size)
    inner = np.ascontiguousarray(image.pixels[: image.inner[0], : image.inner[1]])
    edges = find_edges(inner, score_grid.stride) if with_edges else None
    return Encoded(features, prepared, kept, grid, score_grid, edges)


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
