"""Photos without masks, to compose scenes on: those that the wheel of scikit-image ships (BSD-3-Clause).

The documentation of its module `data` names the source of each. They are read where they lie, and scikit-image is not
imported. Some show a thing that there are drawings of too (a cat, a rocket): it is background all the same.

In the shape descriptions `H, W` denote pixels.
"""

from collections.abc import Mapping

import numpy as np
from PIL import Image

from guidenet.data.files import read_photo
from guidenet.data.packages import find_package
from guidenet.images import Pixels

PHOTOS: Mapping[str, tuple[str, ...]] = {
    "train": (
        "astronaut.png",
        "brick.png",
        "coffee.png",
        "gravel.png",
        "hubble_deep_field.jpg",
        "moon.png",
        "motorcycle_left.png",
    ),
    "validation": ("camera.png", "coins.png", "ihc.png"),
    "test": ("cell.png", "chelsea.png", "grass.png", "retina.jpg", "rocket.jpg"),
}
"""By what scenes on them are for: no photo is in two."""


def load_backgrounds() -> dict[str, dict[str, Pixels]]:
    """Photos `[H, W, 3]` by role and name.

    Raises:
      DataMissingError: the extra `data` is not installed.
      FileNotFoundError: the package has other photos than expected.
    """
    folder = find_package("skimage") / "data"
    return {
        role: {name: read_photo(folder / name, "a photo of scikit-image") for name in names}
        for role, names in PHOTOS.items()
    }


def take_background(photo: Pixels, size: tuple[int, int], rng: np.random.Generator) -> Pixels:
    """`[*size, 3]`: a part of a photo, flipped and with changed colours, or not.

    Args:
      photo: `[H, W, 3]`.
      size: height and width, px.
      rng: is advanced.
    """
    share, (down, right), flip = rng.uniform(0.5, 1.0), rng.random(2), rng.random() < 0.5
    gain = rng.uniform(0.7, 1.1) * rng.uniform(0.85, 1.15, 3)
    scale = share * min(photo.shape[0] / size[0], photo.shape[1] / size[1])
    height, width = size[0] * scale, size[1] * scale
    top, left = down * (photo.shape[0] - height), right * (photo.shape[1] - width)
    part = Image.fromarray(photo).resize(
        (size[1], size[0]), Image.Resampling.BICUBIC, box=(left, top, left + width, top + height)
    )
    pixels = np.clip(np.asarray(part) * gain + 0.5, 0, 255).astype(np.uint8)
    return pixels[:, ::-1] if flip else pixels
