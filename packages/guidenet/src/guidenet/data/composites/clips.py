"""Composite video: cut-outs that move over a panned photo, with an occluder and a look-alike, in DAVIS's layout.

Of a look-alike, which is of the same concept or the same subcategory, and of the occluder no pixel is an object's.
In the shape descriptions `T` denotes frames, `H, W` pixels.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from guidenet.checks import check_at_least, check_range
from guidenet.data.composites.backgrounds import take_background
from guidenet.data.composites.compose import OPAQUE, Layer, Pose, compose, place, pose_drawing
from guidenet.data.composites.cutouts import deal
from guidenet.data.composites.library import Library
from guidenet.data.composites.scenes import key
from guidenet.data.files import Labels
from guidenet.data.formats import davis
from guidenet.images import Pixels

_TRIES = 40  # of motions, before the best of them is taken
_MARGIN = 1.3  # of the photo around the frame, for panning
_FIRST_SEEN = 0.8  # of each object in the first frame, at least


@dataclasses.dataclass(frozen=True)
class ClipConfig:
    """Options of clips.

    size: height and width, px.
    num_frames: T.
    objects: at least and at most so many to follow.
    object_size: of the longer side of an object, at least and at most, as shares of the height.
    seed: other seeds are other clips.
    """

    size: tuple[int, int] = (256, 384)
    num_frames: int = 24
    objects: tuple[int, int] = (1, 2)
    object_size: tuple[float, float] = (0.25, 0.5)
    seed: int = 0

    def __post_init__(self) -> None:
        check_at_least("size", min(self.size), 16)
        check_at_least("num_frames", self.num_frames, 2)
        check_at_least("seed", self.seed, 0)
        check_range("objects", self.objects, 1)
        check_range("object_size", self.object_size, 0.01)


@dataclasses.dataclass(frozen=True)
class Clip:
    """A clip that was drawn.

    name: of the clip.
    frames: `T` times `[H, W, 3]`.
    annotations: `T` times `[H, W]`: 0 background, 1.. objects to follow, all of them in the first frame.
    concepts: of the objects, then of the look-alike and the occluder.
    style: of all of them.
    """

    name: str
    frames: tuple[Pixels, ...]
    annotations: tuple[Labels, ...]
    concepts: tuple[str, ...]
    style: str

    def __len__(self) -> int:
        return len(self.frames)

    def image(self, frame: int) -> Pixels:
        """`[H, W, 3]` of a frame."""
        return self.frames[frame]

    def labels(self, frame: int) -> Labels:
        """`[H, W]` objects in a frame."""
        return self.annotations[frame]

    @property
    def objects(self) -> tuple[int, ...]:
        """Labels of the objects to follow."""
        return tuple(range(1, len(self.concepts) - 1))


def make_clips(
    name: str,
    num_clips: int,
    concepts: Sequence[str],
    library: Library,
    photos: Mapping[str, Pixels],
    config: ClipConfig,
) -> tuple[Clip, ...]:
    """Clips of one group of concepts.

    Args:
      name: of the set; other names are other clips.
      num_clips: how many.
      concepts: those that may be in them.
      library: of all concepts.
      photos: the backgrounds, `[H, W, 3]` by name.
      config: options.

    Raises:
      ValueError: there are no photos, or the concepts have too few subcategories for a clip.
    """
    if not photos:
        raise ValueError("photos must be at least one to compose clips on, got none")
    rng = np.random.default_rng(key(config.seed, "clips", name))
    # One more than the objects: the occluder.
    size = config.objects[0] + 1, config.objects[1] + 1
    hands = deal(concepts, library.subcategories, num_clips, size, rng)
    backgrounds = tuple(photos[photo] for photo in sorted(photos))
    return tuple(
        draw_clip(f"{name}-{i:03}", hand, concepts, library, backgrounds, config) for i, hand in enumerate(hands)
    )


def draw_clip(
    name: str,
    hand: Sequence[str],
    concepts: Sequence[str],
    library: Library,
    backgrounds: Sequence[Pixels],
    config: ClipConfig,
) -> Clip:
    """Draws one clip.

    Args:
      name: from which all its randomness comes.
      hand: concepts of the objects, and last of the occluder.
      concepts: those of which a look-alike may be.
      library: of all concepts.
      backgrounds: photos.
      config: options.
    """
    rng = np.random.default_rng(key(config.seed, "clip", name))
    style = library.styles[int(rng.integers(len(library.styles)))]
    similar = [other for other in concepts if library.subcategories[other] == library.subcategories[hand[0]]]
    look_alike = hand[0] if rng.random() < 0.5 else similar[int(rng.integers(len(similar)))]
    shown = (*hand[:-1], look_alike, hand[-1])
    pixels = [library.pick(style, concept, rng) for concept in shown]
    photo = backgrounds[int(rng.integers(len(backgrounds)))]
    outer = (round(config.size[0] * _MARGIN), round(config.size[1] * _MARGIN))
    panned = _pan(take_background(photo, outer, rng), config, rng)
    gains = [(rng.uniform(0.85, 1.15) * rng.uniform(0.95, 1.05, 3)).tolist() for _ in shown]
    # The look-alike is as often in front of the objects as behind them; the occluder is in front of all.
    order = [*([len(hand) - 1] if rng.random() < 0.5 else []), *range(len(hand) - 1)]
    order += [i for i in range(len(shown)) if i not in order]
    layers = _choreograph(pixels, gains, order, config, rng)
    table = np.array([0, *(i + 1 if i < len(hand) - 1 else 0 for i in order)], np.int16)
    drawn = [compose(background, frame) for background, frame in zip(panned, layers, strict=True)]
    return Clip(
        name,
        tuple(image for image, _ in drawn),
        tuple(table[labels] for _, labels in drawn),
        shown,
        style,
    )


def _pan(photo: Pixels, config: ClipConfig, rng: np.random.Generator) -> list[Pixels]:
    """`T` frames of a window that glides over the photo."""
    height, width = config.size
    room = np.array([photo.shape[0] - height, photo.shape[1] - width])
    start, end = rng.random(2) * room, rng.random(2) * room
    image = Image.fromarray(photo)
    frames: list[Pixels] = []
    for time in np.linspace(0, 1, config.num_frames):
        top, left = start + (end - start) * time
        box = (left, top, left + width, top + height)
        frames.append(np.asarray(image.resize((width, height), Image.Resampling.BILINEAR, box=box)))
    return frames


def _choreograph(
    pixels: Sequence[Pixels],
    gains: Sequence[Sequence[float]],
    order: Sequence[int],
    config: ClipConfig,
    rng: np.random.Generator,
) -> list[list[Layer]]:
    """Layers of each frame, back to front. Motions are drawn until all but the occluder are well seen at first."""
    best, motions = -1.0, []
    for _ in range(_TRIES):
        tried = _move(len(pixels), config, rng)
        seen = _least_seen(_pose_all(pixels, gains, range(len(pixels)), [path[0] for path in tried]), order, config)
        if seen > best:
            best, motions = seen, tried
        if best >= _FIRST_SEEN:
            break
    return [_pose_all(pixels, gains, order, [path[frame] for path in motions]) for frame in range(config.num_frames)]


def _pose_all(
    pixels: Sequence[Pixels], gains: Sequence[Sequence[float]], order: Sequence[int], poses: Sequence[Pose]
) -> list[Layer]:
    return [pose_drawing(pixels[i], poses[i], gains[i]) for i in order]


def _least_seen(layers: Sequence[Layer], order: Sequence[int], config: ClipConfig) -> float:
    """The share that is seen of the cut-out that is hidden most, the occluder, which is the last one, aside."""
    shares: list[float] = []
    for i in range(len(layers) - 1):
        mask = place(layers[i], config.size)
        for above in order[order.index(i) + 1 :]:
            mask &= ~place(layers[above], config.size)
        shares.append(np.count_nonzero(mask) / max(np.count_nonzero(layers[i].opacity >= OPAQUE), 1))
    return min(shares)


def _move(num: int, config: ClipConfig, rng: np.random.Generator) -> list[list[Pose]]:
    """Smooth paths, of `T` poses each; the last one crosses the first in the second half of the clip."""
    size = np.array(config.size)
    time = np.linspace(0, 1, config.num_frames)[:, None]
    paths: list[list[Pose]] = []
    for i in range(num):
        start, end = rng.uniform(0.2, 0.8, 2) * size, rng.uniform(0.2, 0.8, 2) * size
        sway = rng.uniform(0.0, 0.06, 2) * size * np.sin(2 * np.pi * (rng.uniform(0.5, 1.5) * time + rng.random(2)))
        centre = start + (end - start) * time + sway
        if i == num - 1:
            meeting = int(rng.integers(config.num_frames // 2, max(config.num_frames * 3 // 4, 1)))
            speed = np.array([rng.uniform(-0.3, 0.3), rng.choice([-1.5, 1.5])]) * size
            target = np.array([paths[0][meeting].y, paths[0][meeting].x])
            centre = target + speed * (time - time[meeting])
        longer = rng.uniform(*config.object_size) * config.size[0]
        longer = longer * (1 + 0.2 * np.sin(2 * np.pi * (rng.uniform(0.3, 1.0) * time[:, 0] + rng.random())))
        angle = rng.uniform(-15, 15) + rng.uniform(0, 20) * np.sin(2 * np.pi * (time[:, 0] + rng.random()))
        flip = bool(rng.random() < 0.5)
        paths.append(
            [
                Pose(float(y), float(x), float(side), float(turn), flip)
                for (y, x), side, turn in zip(centre, longer, angle, strict=True)
            ]
        )
    return paths


def write_clips(root: str | Path, split: str, clips: Sequence[Clip]) -> None:
    """Writes clips and the list of them in the layout of DAVIS 2017, without loss; `davis.read_videos` reads them.

    Args:
      root: a folder, made if there is none.
      split: the name of the list.
      clips: what to write.
    """
    for clip in clips:
        davis.write_video(root, clip.name, clip.frames, clip.annotations)
    davis.write_names(root, split, [clip.name for clip in clips])
