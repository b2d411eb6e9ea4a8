"""From guidance and an image that was encoded to its masks.

In the shape descriptions `K` denotes classes, `H, W` pixels, `R, Q` the rows and columns of cells.
"""

import functools
from collections.abc import Mapping, Sequence

import jax
import numpy as np
import numpy.typing as npt

from guidenet.network import guides
from guidenet.network.geometry import Grid
from guidenet.network.guided_network import GuidedNetwork, Params, Seen
from guidenet.network.guides import Guide
from guidenet.segmenter.edges import follow_edges
from guidenet.segmenter.encoding import Encoded
from guidenet.segmenter.guidance import Guidance
from guidenet.segmenter.pieces import keep_annotated, remove_specks
from guidenet.segmenter.prediction import Prediction, upsample_to
from guidenet.segmenter.shots import Labels, Shot


def segment(
    network: GuidedNetwork,
    scorer: Params,
    encoded: Encoded,
    guidance: Guidance,
    classes: Sequence[str],
    shot: Shot | None,
    *,
    pieces: str,
    min_area: int,
) -> Prediction:
    """Segments one image.

    Args:
      network: the network.
      scorer: its `scoring_parts`.
      encoded: the image.
      guidance: all that was annotated.
      classes: `K` names, those to be found.
      shot: annotations of the image itself; None is none.
      pieces: of the masks, as for `Segmenter`.
      min_area: px of the smallest piece or hole.

    Raises:
      ValueError: the image has no annotations with local pooling.
    """
    if not classes:
        return Prediction((), np.zeros((0, *encoded.image.size), np.float32))
    # Empty classes up to a power of two: few numbers of classes to compile for, and they change no score.
    padded = [*classes, *[""] * ((1 << (len(classes) - 1).bit_length()) - len(classes))]
    if network.config.pooling == "local":
        guide = _local_guide(encoded, shot, padded)
    else:
        guide = Guide(*map(jax.numpy.asarray, (*guidance.sums(padded), guidance.images(padded))))
    own: dict[int, Labels] = {}
    if pieces == "annotated" and shot is not None:
        own = {i: shot.labels(cls) for i, cls in enumerate(classes) if cls in shot.classes}
        own = {i: labels for i, labels in own.items() if (labels == 1).any()}
    masks = _masks(encoded, own, len(padded)) if network.config.has_decoder else None
    scores = np.asarray(_score(network, scorer, encoded.prepared, guide, masks))
    scores = scores[: len(classes), : encoded.score_grid.rows, : encoded.score_grid.columns]
    positives = {i: np.flatnonzero(labels == 1) for i, labels in own.items()}
    return Prediction(tuple(classes), _at_pixels(scores, encoded, min_area, positives))


@functools.partial(jax.jit, static_argnums=0)
def _score(
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


def _at_pixels(
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


def _masks(encoded: Encoded, own: Mapping[int, Labels], num_classes: int) -> npt.NDArray[np.bool_]:
    """`[K, 2, H, W]`, negatives and positives in an image, with what fills it up, of those classes alone."""
    stride, (height, width) = encoded.grid.stride, encoded.image.inner
    masks = np.zeros((num_classes, 2, *(stride * cells for cells in encoded.features.shape[:2])), bool)
    for i, labels in own.items():
        masks[i, 0, :height, :width], masks[i, 1, :height, :width] = labels == -1, labels == 1
    return masks


def _local_guide(encoded: Encoded, shot: Shot | None, classes: list[str]) -> Guide:
    if shot is None:
        raise ValueError("image must have annotations of its own with pooling=local, got one without")
    masks = np.zeros((len(classes), 2, *encoded.features.shape[:2]), np.float32)
    for i, cls in enumerate(classes):
        masks[i, :, : encoded.grid.rows, : encoded.grid.columns] = shot.cells(cls)
    return guides.guide(encoded.features, jax.numpy.asarray(masks), local=True)
