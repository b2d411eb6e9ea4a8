"""What training and testing look at: images of one size and their features, computed once.

In the shape descriptions `N` denotes images, `H, W` pixels, `R, Q` the rows and columns of cells, `F` features of the
backbone.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
import numpy.typing as npt
from PIL import Image

from guidenet.data.files import UNKNOWN, Labels
from guidenet.data.sources import Source
from guidenet.images import Pixels, fit
from guidenet.network.backbones import fill_colour
from guidenet.network.guided_network import GuidedNetwork

_ENCODED_AT_ONCE = 8


@dataclasses.dataclass(frozen=True, eq=False)
class Material:
    """Images of a source, all of one size; what a network does not look at is empty.

    source: of tasks on these images.
    position: the number of each id.
    inner: of each image, the height and width in px that are not filled up.
    labels: `[N, H, W]` int16, of classes or objects as the source's tasks are of.
    images: `[N, H, W, 3]` uint8.
    features: of the backbone, `[N, R, Q, B]` float16 for each of its strides; none where they are not kept.
    """

    source: Source
    position: dict[str, int]
    inner: tuple[tuple[int, int], ...]
    labels: npt.NDArray[np.int16]
    images: Pixels
    features: tuple[jax.Array, ...]

    @property
    def size(self) -> tuple[int, int]:
        """H and W."""
        return self.labels.shape[1], self.labels.shape[2]

    def with_source(self, source: Source) -> "Material":
        """The same images and features with the labels of another source, which has the same data set."""
        return dataclasses.replace(self, source=source, labels=_read_labels(source, self.inner, self.size))


def load_material(
    source: Source, network: GuidedNetwork, backbone: Any, max_side: int, *, with_images: bool, with_features: bool
) -> Material:
    """Reads all images of a source and computes their features.

    Images are shrunk to `max_side` px and filled up to the largest of them; what is filled up is labelled unknown.

    Args:
      source: of the images.
      network: of which only the backbone is used.
      backbone: its parameters.
      max_side: px.
      with_images: keep the images.
      with_features: compute features.

    Raises:
      ValueError: the source has no images.
    """
    ids = source.dataset.ids
    if not ids:
        raise ValueError("source must have images, got none")
    fill = fill_colour(network.config.backbone)
    fitted = [fit(source.dataset.image(name), max_side, fill) for name in ids]
    inner = tuple(image.inner for image in fitted)
    height, width = (round_up(max(side[axis] for side in inner), network.multiple) for axis in (0, 1))
    images = np.empty((len(ids), height, width, 3), np.uint8)
    images[:] = np.round(np.array(fill)).astype(np.uint8)
    for i, image in enumerate(fitted):
        rows, columns = image.inner
        images[i, :rows, :columns] = image.pixels[:rows, :columns]
    del fitted
    labels = _read_labels(source, inner, (height, width))
    features = _encode(network, backbone, images) if with_features else ()
    position = {name: i for i, name in enumerate(ids)}
    return Material(source, position, inner, labels, images if with_images else images[:, :0].copy(), features)


def round_up(side: int, multiple: int) -> int:
    """The smallest multiple that is not below `side`."""
    return -(-side // multiple) * multiple


def statistics(
    features: Sequence[npt.ArrayLike],
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Mean and deviation `[B]` of maps `[N, R, Q, B]` over all places, of all strides in a row; no deviation is 0."""
    means, deviations = zip(*(_statistics(np.asarray(x)) for x in features), strict=True)
    return np.concatenate(means), np.concatenate(deviations)


def _statistics(features: npt.NDArray[Any]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    total, squares, count = 0.0, 0.0, 0
    for part in np.array_split(features, max(1, len(features) // 64)):
        flat = part.reshape(-1, part.shape[-1]).astype(np.float64)
        total, squares, count = total + flat.sum(0), squares + (flat**2).sum(0), count + len(flat)
    mean = np.asarray(total) / count
    deviation = np.sqrt(np.maximum(np.asarray(squares) / count - mean**2, 0))
    return mean.astype(np.float32), np.maximum(deviation, 1e-3).astype(np.float32)


def _read_labels(source: Source, inner: Sequence[tuple[int, int]], size: tuple[int, int]) -> npt.NDArray[np.int16]:
    """`[N, H, W]`, unknown where images are filled up."""
    of_classes = source.kind in ("semantic", "similar")
    read = source.dataset.class_labels if of_classes else source.dataset.instance_labels
    assert read is not None  # as its tasks are of objects
    labels = np.full((len(inner), *size), UNKNOWN, np.int16)
    for i, (name, (rows, columns)) in enumerate(zip(source.dataset.ids, inner, strict=True)):
        labels[i, :rows, :columns] = _shrink(read(name), (rows, columns))
    return labels


def _shrink(labels: Labels, size: tuple[int, int]) -> Labels:
    if labels.shape == size:
        return labels
    resized = Image.fromarray(labels.astype(np.int32)).resize((size[1], size[0]), Image.Resampling.NEAREST)
    return np.asarray(resized).astype(np.int16)


def _encode(network: GuidedNetwork, backbone: Any, images: Pixels) -> tuple[jax.Array, ...]:
    look = jax.jit(network.look)
    variables = {"backbone": jax.device_put(backbone)}
    size = min(_ENCODED_AT_ONCE, len(images))
    one = jax.eval_shape(look, variables, images[:size])
    maps = [np.empty((len(images), *x.shape[1:]), np.float16) for x in one]
    for start in range(0, len(images), size):
        # The last part begins earlier, so that there is one shape to compile for.
        start = min(start, len(images) - size)
        for kept, x in zip(maps, look(variables, images[start : start + size]), strict=True):
            kept[start : start + size] = np.asarray(x)
    # A device may copy what it is given: each map is let go of before the next one follows.
    return tuple(jax.device_put(maps.pop(0)) for _ in range(len(maps)))
