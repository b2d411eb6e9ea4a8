"""An image after its one pass through the encoder, and what is compiled for it.

In the shape descriptions `H, W` denote pixels, `R, Q` the rows and columns of cells, `C` features, `K` classes.
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
from guidenet.network.guided_network import GuidedNetwork, Params
from guidenet.network.guides import Guide
from guidenet.network.heads import Prepared
from guidenet.segmenter.edges import Edges, find_edges, follow_edges, remove_specks
from guidenet.segmenter.prediction import upsample_to


class Encoded(NamedTuple):
    """An image after its one pass through the encoder.

    features: `[R, Q, C]` of the cells whose centres lie in the image.
    prepared: what the head needs of it, with the cells of what fills the image up.
    image: size and place of the pixels, which are kept in `edges` only.
    grid: where the cells of `features` lie.
    edges: of the image as it was seen; None where they are not looked at.
    """

    features: jax.Array
    prepared: Prepared
    image: FittedImage
    grid: Grid
    edges: Edges | None


def encode_image(
    network: GuidedNetwork, encoder: Params, head: Params, pixels: Pixels, max_side: int, *, with_edges: bool
) -> Encoded:
    """Encodes an image of any size.

    Args:
      network: the network.
      encoder: its parameters `backbone` and `projection`.
      head: its parameter `head`.
      pixels: `[H, W, 3]` uint8.
      max_side: longest side in px at which it is seen.
      with_edges: also look at its edges.
    """
    image = fit(pixels, max_side, fill_colour(network.config.backbone))
    whole = network.grid(*image.pixels.shape[:2])
    rows, columns = (
        min(max(int((side - 1 - whole.offset) // whole.stride) + 1, 1), cells)
        for side, cells in zip(image.inner, (whole.rows, whole.columns), strict=True)
    )
    valid = np.zeros((whole.rows, whole.columns), bool)
    valid[:rows, :columns] = True
    features, prepared = _encode(network, encoder, head, jax.numpy.asarray(image.pixels), jax.numpy.asarray(valid))
    kept = FittedImage(image.pixels[:0], image.inner, image.size)
    edges = find_edges(np.ascontiguousarray(image.pixels[: image.inner[0], : image.inner[1]])) if with_edges else None
    return Encoded(features, prepared, kept, Grid(rows, columns, whole.stride, whole.offset), edges)


@functools.partial(jax.jit, static_argnums=0)
def score_image(network: GuidedNetwork, head: Params, prepared: Prepared, guide: Guide) -> jax.Array:
    """`GuidedNetwork.score_prepared`, compiled once for each size of an image and number of classes."""
    return network.score_prepared(head, prepared, guide)


def at_pixels(scores: npt.NDArray[np.float32], encoded: Encoded, min_area: int) -> npt.NDArray[np.float32]:
    """Logits `[K, H, W]` at the image's own size of those `[K, R, Q]` of its cells, without specks below `min_area`."""
    inner, size = encoded.image.inner, encoded.image.size
    if encoded.edges is not None:
        logits = follow_edges(encoded.edges, scores, encoded.grid)
    elif min_area:
        logits = upsample_to(scores, encoded.grid, inner, inner)
    else:
        return upsample_to(scores, encoded.grid, inner, size)
    if min_area:
        logits = remove_specks(logits, min_area)
    return logits if inner == size else upsample_to(logits, Grid(*inner, 1, 0), inner, size)


def digest(pixels: Pixels) -> bytes:
    """Tells images apart by what is in them."""
    hashed = hashlib.sha256(repr(pixels.shape).encode())  # processors have instructions for this one
    hashed.update(np.ascontiguousarray(pixels).data)
    return hashed.digest()


@functools.partial(jax.jit, static_argnums=0)
def _encode(
    network: GuidedNetwork, encoder: Params, head: Params, image: jax.Array, valid: jax.Array
) -> tuple[jax.Array, Prepared]:
    features = network.encode(encoder, image, valid)
    return features, network.prepare(head, features, valid)
