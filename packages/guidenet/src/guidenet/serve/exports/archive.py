"""Zips with a file for each image, in the folders of the images."""

import io
import itertools
import json
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

import numpy as np
import numpy.typing as npt
from PIL import Image

from guidenet.serve.classes import Colour
from guidenet.serve.exports.labelme import as_labelme
from guidenet.serve.exports.labels import Labelled
from guidenet.serve.saved.names import free_name


def encode_png(labels: npt.NDArray[np.uint8], palette: Sequence[Colour]) -> bytes:
    """A PNG of labels `[height, width]`: 0 and 255 for one class; for several the label is the index into a palette.

    Args:
      labels: 0 background, i + 1 for the class i.
      palette: a colour for each class.
    """
    if len(palette) == 1:
        image = Image.fromarray(labels * np.uint8(255))
    else:
        image = Image.fromarray(labels)
        image.putpalette([0, 0, 0, *itertools.chain.from_iterable(palette)])
    file = io.BytesIO()
    image.save(file, format="PNG")
    return file.getvalue()


def zip_masks(images: Iterable[Labelled]) -> bytes:
    """A PNG for each image, each with a name of its own; of several classes `classes.txt` too.

    That has a class a line, in the order of the labels.
    """
    file, taken = io.BytesIO(), set[str]()
    classes: tuple[str, ...] = ()
    with zipfile.ZipFile(file, "w") as archive:
        for image in images:
            archive.writestr(_name(image, ".png", taken), encode_png(image.labels, image.colours))
            classes = image.classes
        if len(classes) > 1:
            archive.writestr("classes.txt", "".join(f"{name}\n" for name in classes))
    return file.getvalue()


def zip_labelme(images: Iterable[Labelled]) -> bytes:
    """A JSON file of labelme for each image, each with a name of its own."""
    file, taken = io.BytesIO(), set[str]()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for image in images:
            archive.writestr(_name(image, ".json", taken), json.dumps(as_labelme(image), ensure_ascii=False))
    return file.getvalue()


def _name(image: Labelled, suffix: str, taken: set[str]) -> str:
    path = PurePosixPath(image.name)
    return free_name(str(path.with_name((path.stem or "image") + suffix)), taken)
