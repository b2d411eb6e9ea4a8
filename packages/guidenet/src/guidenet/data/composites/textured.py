"""Textured scenes: silhouettes filled with parts of photos over other photos, one or many of each.

In cut-out scenes every drawing is an object and every photo is background, and a network learns that. Here what is to
be found is told by nothing but its annotations: an object may be a photo, a drawing or a plain colour, large or small,
alone or one of dozens. In the shape descriptions `H, W` denote pixels of the scene, `h, w` of a cut-out.
"""

import dataclasses
import functools
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageFilter

from guidenet.checks import check_at_least, check_range
from guidenet.data.composites.backgrounds import take_background
from guidenet.data.composites.compose import Layer, Pose, compose, place, pose_drawing
from guidenet.data.composites.library import Library
from guidenet.data.composites.scenes import key
from guidenet.data.dataset import Dataset
from guidenet.data.files import Labels
from guidenet.images import Pixels

_TRIES = 8  # of a place for an object, before it is left out

_SHAPE_SIZE = 160
"""Longer side in px of shapes before they are put into a scene."""


@dataclasses.dataclass(frozen=True)
class TexturedConfig:
    """Options of textured scenes.

    side: height and width, px.
    shapes: at least and at most so many kinds of objects in a scene.
    crowded: the share of kinds that are there many times.
    copies: at least and at most so many of these.
    object_size: of the longer side of an object, at least and at most, as shares of the scene's.
    crowd_size: the same of one of many.
    round: the share of kinds that are ellipses, and no silhouettes of cut-outs.
    drawn: the share of kinds that keep the colours of the cut-out; so many ellipses have one colour instead.
    plain: the share that have one colour.
    overlap: at most this share of an object may lie over others.
    seed: other seeds are other scenes.
    """

    side: int = 320
    shapes: tuple[int, int] = (1, 3)
    crowded: float = 0.4
    copies: tuple[int, int] = (5, 40)
    object_size: tuple[float, float] = (0.25, 0.9)
    crowd_size: tuple[float, float] = (0.06, 0.2)
    round: float = 0.3
    drawn: float = 0.25
    plain: float = 0.15
    overlap: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        check_at_least("side", self.side, 16)
        check_at_least("seed", self.seed, 0)
        check_range("shapes", self.shapes, 1)
        check_range("copies", self.copies, 1)
        check_range("object_size", self.object_size, 0.01)
        check_range("crowd_size", self.crowd_size, 0.01)
        for name in ("crowded", "round", "drawn", "plain", "overlap"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be between 0 and 1, got {getattr(self, name)}")
        if self.drawn + self.plain > 1:
            raise ValueError(f"drawn and plain must be at most 1 together, got {self.drawn} and {self.plain}")


def make_textured(
    name: str,
    number: int,
    concepts: Sequence[str],
    library: Library,
    photos: Mapping[str, Pixels],
    config: TexturedConfig,
) -> Dataset:
    """Scenes whose classes are the kinds of objects of an image, and whose instances are objects.

    Each is drawn when it is read, the same every time.

    Args:
      name: of the set; other names are other scenes.
      number: of scenes.
      concepts: whose cut-outs give silhouettes.
      library: of all concepts.
      photos: for backgrounds and textures, `[H, W, 3]` by name.
      config: options.

    Raises:
      ValueError: there are no photos or no concepts.
    """
    if not photos or not concepts:
        raise ValueError(f"photos and concepts must be at least one, got {len(photos)} and {len(concepts)}")
    sources = tuple(photos[photo] for photo in sorted(photos))

    @functools.lru_cache(maxsize=8)
    def draw(scene: str) -> tuple[Pixels, Labels, Labels]:
        return _draw(scene, concepts, library, sources, config)

    return Dataset(
        tuple(f"kind-{i + 1}" for i in range(config.shapes[1])),
        tuple(f"{name}-{i:05}" for i in range(number)),
        lambda scene: draw(scene)[0],
        lambda scene: draw(scene)[1],
        lambda scene: draw(scene)[2],
    )


def _draw(
    scene: str, concepts: Sequence[str], library: Library, photos: Sequence[Pixels], config: TexturedConfig
) -> tuple[Pixels, Labels, Labels]:
    """Image `[H, W, 3]`, kinds `[H, W]` and objects `[H, W]`, each numbered from 1."""
    rng = np.random.default_rng(key(config.seed, scene))
    size = (config.side, config.side)
    background = _recolour(take_background(photos[int(rng.integers(len(photos)))], size, rng), rng)
    layers: list[Layer] = []
    kinds: list[int] = []
    taken = np.zeros(size, bool)
    for kind in range(1, int(rng.integers(config.shapes[0], config.shapes[1] + 1)) + 1):
        shape = _make_shape(concepts, library, photos, config, rng)
        crowded = rng.random() < config.crowded
        sizes = config.crowd_size if crowded else config.object_size
        usual = rng.uniform(*sizes)
        for _ in range(int(rng.integers(config.copies[0], config.copies[1] + 1)) if crowded else 1):
            layer = _find_place(shape, usual * rng.uniform(0.85, 1.15), taken, config, rng)
            if layer is not None:
                layers.append(layer)
                kinds.append(kind)
                taken |= place(layer, size)
    image, instances = compose(background, layers)
    return image, np.array([0, *kinds], np.int16)[instances], instances


def _make_shape(
    concepts: Sequence[str],
    library: Library,
    photos: Sequence[Pixels],
    config: TexturedConfig,
    rng: np.random.Generator,
) -> Pixels:
    """`[h, w, 4]`: a silhouette and what fills it."""
    style = library.styles[int(rng.integers(len(library.styles)))]
    drawing = library.pick(style, concepts[int(rng.integers(len(concepts)))], rng)
    scale = _SHAPE_SIZE / max(drawing.shape[:2])
    width, height = (max(1, round(side * scale)) for side in (drawing.shape[1], drawing.shape[0]))
    drawing = np.asarray(Image.fromarray(drawing).resize((width, height), Image.Resampling.BILINEAR))
    if rng.random() < config.round:
        drawing = _ellipse(rng)
    filled, fill = drawing.copy(), rng.random()
    if fill < config.drawn and drawing[..., :3].any():
        return filled
    if fill < config.drawn + config.plain:
        filled[..., :3] = np.clip(rng.integers(0, 256, 3) + rng.normal(0, 6, (*drawing.shape[:2], 1)), 0, 255)
        return filled
    texture = take_background(photos[int(rng.integers(len(photos)))], (drawing.shape[0], drawing.shape[1]), rng)
    filled[..., :3] = _recolour(texture, rng)
    return filled


def _ellipse(rng: np.random.Generator) -> Pixels:
    """`[h, w, 4]`, black."""
    height, width = _SHAPE_SIZE, round(_SHAPE_SIZE * rng.uniform(0.5, 1))
    y, x = ((np.arange(side) + 0.5) / side * 2 - 1 for side in (height, width))
    ellipse = np.zeros((height, width, 4), np.uint8)
    ellipse[..., 3] = 255 * (y[:, None] ** 2 + x[None] ** 2 < 1)
    return ellipse


def _recolour(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """With colours exchanged, inverted, taken out or smoothed, or as they are."""
    pixels = pixels[..., rng.permutation(3)] if rng.random() < 0.5 else pixels
    if rng.random() < 0.3:
        pixels = 255 - pixels
    if rng.random() < 0.2:
        pixels = np.repeat(pixels.mean(-1, keepdims=True), 3, axis=-1).astype(np.uint8)
    if rng.random() < 0.3:
        blurred = Image.fromarray(np.ascontiguousarray(pixels)).filter(ImageFilter.GaussianBlur(rng.uniform(2, 10)))
        pixels = np.asarray(blurred)
    return pixels


def _find_place(
    shape: Pixels, size: float, taken: np.ndarray, config: TexturedConfig, rng: np.random.Generator
) -> Layer | None:
    """The shape where it lies in the scene by half at least and over little of what is taken; None if nowhere."""
    for _ in range(_TRIES):
        y, x = rng.uniform(0.0, 1.0, 2) * config.side
        pose = Pose(float(y), float(x), size * config.side, float(rng.uniform(0, 360)), bool(rng.random() < 0.5))
        layer = pose_drawing(shape, pose, (rng.uniform(0.85, 1.1) * rng.uniform(0.95, 1.05, 3)).tolist())
        mask = place(layer, taken.shape)
        area, whole = np.count_nonzero(mask), np.count_nonzero(layer.opacity >= 0.5)
        if area and area >= whole / 2 and np.count_nonzero(mask & taken) <= config.overlap * area:
            return layer
    return None
