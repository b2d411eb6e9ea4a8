"""Photos with masks, from packages: checks that what works on composites works there too.

They are single images, too few for a score that says more than that. Two of the packages pull in much else, so they are
no part of an extra: `pip install --no-deps stardist imgaug`. People drew the masks, but for that of the coins, which a
rule finds.

| photo | package | licence |
| --- | --- | --- |
| nuclei, fluorescence microscopy | stardist, of the Data Science Bowl 2018 (Caicedo et al. 2019) | BSD-3-Clause |
| a quokka | imgaug | MIT, says the package, and nothing of the photo itself |
| coins of Pompeii | scikit-image (extra `data`) | BSD-3-Clause; its documentation names the source |

In the shape descriptions `H, W` denote pixels.
"""

import heapq
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.ndimage
from PIL import Image, UnidentifiedImageError

from guidenet.data.dataset import Dataset, class_masks
from guidenet.data.episodes import Task, interactive_tasks
from guidenet.data.files import Labels, read_photo, require
from guidenet.data.formats.rle import draw_polygons
from guidenet.data.packages import find_package
from guidenet.data.sources import Source
from guidenet.images import Pixels

_CLOTH, _COIN = 30, 150
"""Grey levels, see `load_coins`."""


class Photo(NamedTuple):
    """A photo and its objects.

    image: `[H, W, 3]` RGB.
    instances: `[H, W]`: 0 background, 1.. objects, all of one class.
    """

    image: Pixels
    instances: Labels


def load_nuclei(folder: str | Path | None = None) -> Photo:
    """More than a hundred cell nuclei: whether a click on one finds the others.

    Args:
      folder: with `img2d.tif` and `mask2d.tif`; None is that of the package stardist.

    Raises:
      DataMissingError: stardist is not installed.
      FileNotFoundError, ValueError: a file is missing or damaged.
    """
    if folder is None:
        folder = find_package("stardist", "--no-deps stardist") / "data" / "images"
    grey, numbers = (_read_grey(Path(folder) / name) for name in ("img2d.tif", "mask2d.tif"))
    if grey.shape != numbers.shape:
        raise ValueError(f"{folder}/mask2d.tif must have the shape {grey.shape} of its image, got {numbers.shape}")
    # Darkest and lightest percents aside, as contrast is low.
    low, high = np.percentile(grey, (1, 99))
    scaled = np.clip((grey - low) / max(high - low, 1) * 255 + 0.5, 0, 255).astype(np.uint8)
    _, instances = np.unique(numbers, return_inverse=True)
    return Photo(np.repeat(scaled[..., None], 3, axis=2), instances.reshape(numbers.shape).astype(np.int16))


def load_quokka(folder: str | Path | None = None) -> Photo:
    """One animal, outlined by a coarse polygon.

    Args:
      folder: with `quokka.jpg` and `quokka_annotations.json`; None is that of the package imgaug.

    Raises:
      DataMissingError: imgaug is not installed.
      FileNotFoundError, ValueError: a file is missing or damaged.
    """
    if folder is None:
        folder = find_package("imgaug", "--no-deps imgaug")
    image = read_photo(Path(folder) / "quokka.jpg", "imgaug's photo of a quokka")
    path = Path(folder) / "quokka_annotations.json"
    what = "imgaug's outline of the quokka, JSON with polygons of keypoints"
    try:
        content = json.loads(require(path, what).read_bytes())
        polygons = [[point[axis] for point in polygon["keypoints"] for axis in "xy"] for polygon in content["polygons"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} must be {what}: {error!r}") from None
    mask = draw_polygons(polygons, (image.shape[0], image.shape[1]))
    return Photo(image, mask.astype(np.int16))


def load_coins(folder: str | Path | None = None) -> Photo:
    """Two dozen coins on a dark cloth: whether a click on one finds the others.

    What is darker than 30 is cloth and what is lighter than 150 coin; from there both grow, over flat places first,
    until they meet on the edges between them. Holes are filled.

    Args:
      folder: with `coins.png`; None is that of the package scikit-image.

    Raises:
      DataMissingError: scikit-image is not installed.
      FileNotFoundError, ValueError: the file is missing or damaged.
    """
    if folder is None:
        folder = find_package("skimage") / "data"
    image = read_photo(Path(folder) / "coins.png", "scikit-image's photo of coins")
    grey = image[..., 0].astype(np.float64)
    seeds = np.where(grey < _CLOTH, 1, np.where(grey > _COIN, 2, 0))
    slope = np.hypot(scipy.ndimage.sobel(grey, 0), scipy.ndimage.sobel(grey, 1))
    coins = np.asarray(scipy.ndimage.binary_fill_holes(flood(slope, seeds) == 2))
    coins = np.asarray(scipy.ndimage.binary_opening(coins, iterations=2))  # without grains of the cloth
    return Photo(image, scipy.ndimage.label(coins)[0].astype(np.int16))


def flood(height: npt.NDArray[np.floating], seeds: npt.NDArray[np.int_]) -> npt.NDArray[np.int_]:
    """Labels that grow from seeds over a landscape, lowest places first, until they meet: a watershed.

    Args:
      height: `[H, W]`.
      seeds: `[H, W]`, labels; 0 is to be filled.
    """
    labels = seeds.copy()
    number = 0
    border: list[tuple[float, int, int, int]] = []
    for y, x in np.argwhere(seeds > 0).tolist():
        border.append((float(height[y, x]), number, y, x))
        number += 1
    heapq.heapify(border)
    while border:
        level, _, y, x = heapq.heappop(border)
        for row, column in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
            if 0 <= row < labels.shape[0] and 0 <= column < labels.shape[1] and labels[row, column] == 0:
                labels[row, column] = labels[y, x]
                number += 1
                heapq.heappush(border, (max(level, float(height[row, column])), number, row, column))
    return labels


PHOTOS: dict[str, Callable[[], Photo]] = {"coins": load_coins, "nuclei": load_nuclei, "quokka": load_quokka}
"""What loads each, by its name."""


def photo_source(names: Sequence[str]) -> Source:
    """Interactive tasks on photos, one after the other: all objects of a photo are to be found, by points on any.

    Args:
      names: of `PHOTOS`.

    Raises:
      DataMissingError: the package of one is not installed.
      ValueError: a file is damaged.
    """
    photos = {name: PHOTOS[name]() for name in names}

    def labels(name: str) -> Labels:
        return np.where(photos[name].instances > 0, np.int16(names.index(name) + 1), np.int16(0))

    dataset = Dataset(tuple(names), tuple(names), lambda name: photos[name].image, labels, labels)
    tasks = interactive_tasks(class_masks(dataset), instances=False)  # all that is alike

    def sample(number: int, rng: np.random.Generator) -> tuple[Task, ...]:
        del rng  # annotations differ, tasks do not
        return tuple(tasks[i % len(tasks)] for i in range(number))

    return Source("interactive", dataset, sample, tuple(task.query for task in tasks))


def _read_grey(path: Path) -> "np.ndarray[tuple[int, ...], np.dtype[np.int64]]":
    try:
        with Image.open(require(path, "a grey TIFF of stardist")) as file:
            return np.asarray(file).astype(np.int64)
    except FileNotFoundError:
        raise
    except (OSError, UnidentifiedImageError, SyntaxError) as error:
        raise ValueError(f"{path} must be a grey TIFF of stardist: {error}") from None
