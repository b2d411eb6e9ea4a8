"""Cut-out scenes: composites of cut-outs over photos, for guided semantic and interactive segmentation.

They are no photos and do not stand for them; what they have that PASCAL VOC cannot give is that anyone can build them
from what pip installs. All objects of a scene are in one style and of different subcategories, and some are there
twice. In the shape descriptions `H, W` denote pixels.
"""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from guidenet.checks import check_at_least, check_range
from guidenet.data.composites.backgrounds import take_background
from guidenet.data.composites.compose import Layer, Pose, compose, place, pose_drawing
from guidenet.data.composites.cutouts import deal
from guidenet.data.composites.library import Library
from guidenet.data.dataset import Dataset
from guidenet.data.files import Labels
from guidenet.images import Pixels

_TRIES = 30  # of a place for an object, before it is left out


@dataclasses.dataclass(frozen=True)
class SceneConfig:
    """Options of scenes.

    side: height and width, px.
    objects: at least and at most so many concepts in a scene.
    twice: how likely one of them is there twice.
    object_size: of the longer side of an object, at least and at most, as shares of the scene's.
    angle: objects are turned by at most this, degrees.
    visible: the share of an object that must be seen, in front of others and inside the scene.
    appearances: how many scenes there are for each cut-out, on average.
    seed: other seeds are other scenes.
    """

    side: int = 320
    objects: tuple[int, int] = (2, 4)
    twice: float = 0.4
    object_size: tuple[float, float] = (0.22, 0.5)
    angle: float = 25.0
    visible: float = 0.5
    appearances: int = 4
    seed: int = 0

    def __post_init__(self) -> None:
        check_at_least("side", self.side, 16)
        check_at_least("appearances", self.appearances, 1)
        check_at_least("seed", self.seed, 0)
        check_at_least("angle", self.angle, 0)
        check_range("objects", self.objects, 1)
        check_range("object_size", self.object_size, 0.01)
        for name in ("twice", "visible"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be between 0 and 1, got {getattr(self, name)}")


class SceneSet(NamedTuple):
    """Scenes of one group of concepts.

    dataset: its classes are all concepts of the library, so that sets can be joined; its instances are objects.
    styles: by id of a scene.
    """

    dataset: Dataset
    styles: Mapping[str, str]


def make_scenes(
    name: str,
    concepts: Sequence[str],
    library: Library,
    photos: Mapping[str, Pixels],
    config: SceneConfig,
) -> SceneSet:
    """A set of scenes; each is drawn when it is read, the same every time.

    Args:
      name: of the set; other names are other scenes.
      concepts: those in it.
      library: of all concepts.
      photos: the backgrounds, `[H, W, 3]` by name.
      config: options.

    Raises:
      ValueError: there are no photos, a concept is not in the library, or the concepts have too few subcategories for
        a scene.
    """
    if not photos:
        raise ValueError("photos must be at least one to compose scenes on, got none")
    for concept in concepts:
        if concept not in library.subcategories:
            raise ValueError(f"concepts must be among the {len(library.concepts)} of the library, got {concept!r}")
    mean_size = (config.objects[0] + config.objects[1]) / 2
    contents: dict[str, tuple[str, tuple[str, ...]]] = {}
    for style in library.styles:
        num_cut_outs = sum(len(library.cut_outs[style, concept]) for concept in concepts)
        num_scenes = int(np.ceil(num_cut_outs * config.appearances / mean_size))
        rng = np.random.default_rng(key(config.seed, name, style))
        hands = deal(concepts, library.subcategories, num_scenes, config.objects, rng)
        contents |= {f"{name}-{style}-{i:05}": (style, hand) for i, hand in enumerate(hands)}
    backgrounds = tuple(photos[photo] for photo in sorted(photos))
    number = {concept: i + 1 for i, concept in enumerate(library.concepts)}

    @functools.lru_cache(maxsize=8)
    def draw(scene: str) -> tuple[Pixels, Labels, Labels]:
        style, hand = contents[scene]
        image, instances, drawn = draw_scene(scene, style, hand, library, backgrounds, config)
        table = np.array([0, *(number[concept] for concept in drawn)], np.int16)
        return image, table[instances], instances

    dataset = Dataset(
        library.concepts,
        tuple(contents),
        lambda scene: draw(scene)[0],
        lambda scene: draw(scene)[1],
        lambda scene: draw(scene)[2],
    )
    return SceneSet(dataset, {scene: style for scene, (style, _) in contents.items()})


def draw_scene(
    scene: str,
    style: str,
    hand: Sequence[str],
    library: Library,
    backgrounds: Sequence[Pixels],
    config: SceneConfig,
) -> tuple[Pixels, Labels, tuple[str, ...]]:
    """Image `[H, W, 3]`, objects `[H, W]` numbered from 1, and the concept of each object.

    Args:
      scene: its id, from which all its randomness comes.
      style: of its objects.
      hand: concepts.
      library: of all concepts.
      backgrounds: photos.
      config: options.
    """
    rng = np.random.default_rng(key(config.seed, scene))
    size = (config.side, config.side)
    background = take_background(backgrounds[int(rng.integers(len(backgrounds)))], size, rng)
    wanted = [*hand, *([hand[int(rng.integers(len(hand)))]] if rng.random() < config.twice else [])]
    layers: list[Layer] = []
    drawn: list[str] = []
    for i in rng.permutation(len(wanted)):
        layer = _find_place(library.pick(style, wanted[i], rng), layers, size, config, rng)
        if layer is not None:
            layers.append(layer)
            drawn.append(wanted[i])
    image, instances = compose(background, layers)
    return image, instances, tuple(drawn)


def _find_place(
    cut_out: Pixels, layers: Sequence[Layer], size: tuple[int, int], config: SceneConfig, rng: np.random.Generator
) -> Layer | None:
    """The cut-out in front of the layers, where enough of it and of all of them can be seen; None if nowhere."""
    masks = [place(layer, size) for layer in layers]
    areas = [_area(layer) for layer in layers]
    for _ in range(_TRIES):
        longer = rng.uniform(*config.object_size) * min(size)
        y, x = rng.uniform(0.1, 0.9, 2) * size
        angle, flip = rng.uniform(-config.angle, config.angle), bool(rng.random() < 0.5)
        gain = rng.uniform(0.8, 1.15) * rng.uniform(0.92, 1.08, 3)
        layer = pose_drawing(cut_out, Pose(float(y), float(x), float(longer), float(angle), flip), gain.tolist())
        mask = place(layer, size)
        seen = [*(below.copy() for below in masks), mask]
        for i in range(len(seen)):
            for above in (*masks[i + 1 :], mask)[: len(seen) - 1 - i]:
                seen[i] &= ~above
        if all(
            np.count_nonzero(part) >= config.visible * area
            for part, area in zip(seen, (*areas, _area(layer)), strict=True)
        ):
            return layer
    return None


def _area(layer: Layer) -> int:
    """Of the opaque part, also outside of the scene, px."""
    return int(np.count_nonzero(layer.opacity >= 0.5))


def key(seed: int, *names: str) -> list[int]:
    """Numbers for `numpy.random.default_rng` that depend on the seed and on every letter of the names."""
    return [seed, *"/".join(names).encode()]
