"""Cut-outs laid over a background, and the mask of each.

In the shape descriptions `H, W` denote pixels of the scene, `h, w` of a drawing, `N` objects.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from guidenet.data.files import Labels
from guidenet.images import Pixels

OPAQUE = 0.5
"""A pixel belongs to the object that covers at least this share of it."""


class Pose(NamedTuple):
    """How a drawing lies in a scene.

    y, x: of its centre, px from the upper left corner.
    size: of its longer side, px.
    angle: turned anticlockwise, degrees.
    flip: mirrored, before it is turned.
    """

    y: float
    x: float
    size: float
    angle: float = 0.0
    flip: bool = False


class Layer(NamedTuple):
    """A drawing in its pose: colours and opacity of a part of the scene.

    top, left: where the part begins, px; may be outside.
    colours: `[h', w', 3]` float in 0..255.
    opacity: `[h', w']` in 0..1.
    """

    top: int
    left: int
    colours: npt.NDArray[np.float32]
    opacity: npt.NDArray[np.float32]


def pose_drawing(drawing: Pixels, pose: Pose, gain: Sequence[float] = (1.0, 1.0, 1.0)) -> Layer:
    """A drawing, moved, shrunk, turned and mirrored, without rounding its place to whole pixels.

    Args:
      drawing: `[h, w, 4]`.
      pose: where.
      gain: of red, green and blue.
    """
    image = Image.fromarray(drawing if not pose.flip else drawing[:, ::-1])
    scale = pose.size / max(image.size)
    if scale < 1:  # first, as turning does not smooth
        width, height = (max(1, int(np.ceil(side * scale))) for side in image.size)
        image = image.resize((width, height), Image.Resampling.HAMMING)
        scale = pose.size / max(image.size)
    radius = int(np.ceil(scale * np.hypot(*image.size) / 2)) + 1
    top, left = int(np.floor(pose.y)) - radius, int(np.floor(pose.x)) - radius
    cos, sin = np.cos(np.deg2rad(pose.angle)) / scale, np.sin(np.deg2rad(pose.angle)) / scale
    x, y = pose.x - left, pose.y - top  # of the centre, in the part
    matrix = (
        *(cos, -sin, image.size[0] / 2 - cos * x + sin * y),
        *(sin, cos, image.size[1] / 2 - sin * x - cos * y),
    )
    side = 2 * radius + 1
    turned = image.transform((side, side), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
    pixels = np.asarray(turned).astype(np.float32)
    colours = np.clip(pixels[..., :3] * np.asarray(gain, np.float32), 0, 255)
    return Layer(top, left, colours, pixels[..., 3] / np.float32(255))


def place(layer: Layer, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """`[H, W]`: where a layer is opaque."""
    mask = np.zeros(size, bool)
    rows, columns, inner = _overlap(layer, size)
    mask[rows, columns] = layer.opacity[inner] >= OPAQUE
    return mask


def compose(background: Pixels, layers: Sequence[Layer]) -> tuple[Pixels, Labels]:
    """The scene `[H, W, 3]`, and `[H, W]` which layer is seen: 0 the background, 1..N; later layers lie in front.

    Args:
      background: `[H, W, 3]`.
      layers: `N` of them.
    """
    canvas = background.astype(np.float32)
    labels = np.zeros(background.shape[:2], np.int16)
    for number, layer in enumerate(layers, 1):
        rows, columns, inner = _overlap(layer, labels.shape)
        opacity = layer.opacity[inner][..., None]
        canvas[rows, columns] = canvas[rows, columns] * (1 - opacity) + layer.colours[inner] * opacity
        labels[rows, columns][layer.opacity[inner] >= OPAQUE] = number
    return np.clip(np.rint(canvas), 0, 255).astype(np.uint8), labels


def _overlap(layer: Layer, size: tuple[int, ...]) -> tuple[slice, slice, tuple[slice, slice]]:
    """Rows and columns of the scene that a layer covers, and those of the layer."""
    spans: list[tuple[slice, slice]] = []
    for start, length, whole in zip((layer.top, layer.left), layer.opacity.shape, size, strict=True):
        low, high = min(max(start, 0), whole), max(min(start + length, whole), 0)
        spans.append((slice(low, max(low, high)), slice(low - start, max(low, high) - start)))
    return spans[0][0], spans[1][0], (spans[0][1], spans[1][1])
