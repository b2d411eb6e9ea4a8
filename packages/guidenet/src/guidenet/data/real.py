"""Two photos with masks that people drew, from packages: checks that what works on composites works there too.

They are single images, too few for a score that says more than that. The packages pull in much else, so they are no
part of an extra: `pip install --no-deps stardist imgaug`.

| photo | package | licence |
| --- | --- | --- |
| nuclei, fluorescence microscopy | stardist, of the Data Science Bowl 2018 (Caicedo et al. 2019) | BSD-3-Clause |
| a quokka | imgaug | MIT, says the package, and nothing of the photo itself |

In the shape descriptions `H, W` denote pixels.
"""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

from guidenet.data.composites.emoji import find_package
from guidenet.data.files import Labels, read_photo, require
from guidenet.data.formats.rle import draw_polygons
from guidenet.images import Pixels


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


def _read_grey(path: Path) -> "np.ndarray[tuple[int, ...], np.dtype[np.int64]]":
    try:
        with Image.open(require(path, "a grey TIFF of stardist")) as file:
            return np.asarray(file).astype(np.int64)
    except FileNotFoundError:
        raise
    except (OSError, UnidentifiedImageError, SyntaxError) as error:
        raise ValueError(f"{path} must be a grey TIFF of stardist: {error}") from None
