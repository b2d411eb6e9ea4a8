"""Where masks go, and in which form."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from guidenet.reading import list_images, voc_palette
from guidenet.segmenter.prediction import Prediction


class Job(NamedTuple):
    """An image to segment.

    image: path of the file.
    output: path of its mask.
    """

    image: Path
    output: Path


def find_jobs(given: Sequence[Path], output: Path, keep_folders: bool, without: Iterable[Path]) -> list[Job]:
    """What is to be segmented, and where the masks go: a folder stands for all images in it and below.

    Args:
      given: files and folders. Masks of the images of a folder lie in its subfolders.
      output: the folder for masks.
      keep_folders: masks lie in the folders that their images have in common.
      without: files that are no images of a folder.

    Raises:
      ValueError: two masks would go to the same place, or one onto an image, or a folder has no images.
    """
    if output.exists() and not output.is_dir():
        raise ValueError(f"--output must be a folder, got the file {output}")
    apart, home = {_real(path) for path in without}, _real(output)
    found: dict[str, tuple[Path, Path]] = {}
    for path in given:
        if path.is_dir():
            for image in list_images(path, below=True):
                if _real(image) not in apart and home not in _real(image).parents:
                    found.setdefault(os.path.abspath(image), (image, image.relative_to(path).parent))
        else:
            found.setdefault(os.path.abspath(path), (path, Path()))
    images = dict(found.values())
    if keep_folders and images:
        top = Path(os.path.commonpath([image.absolute().parent for image in images]))
        images = {image: image.absolute().parent.relative_to(top) for image in images}
    return _place(images, output)


def _real(path: Path) -> Path:
    """Without links; `Path.resolve` raises no OSError where links lead in a circle."""
    return Path(os.path.realpath(path))


def _place(images: dict[Path, Path], output: Path) -> list[Job]:
    jobs: list[Job] = []
    taken: dict[str, Path] = {}
    there = {(found.st_dev, found.st_ino) for found in (image.stat() for image in images if image.exists())}
    for image, folder in images.items():
        path = output / folder / f"{image.stem}.png"
        other = taken.setdefault(str(path).lower(), image)
        if other != image:
            remedy = f"both masks would be {path}" if other.parent == image.parent else "--keep-folders keeps folders"
            raise ValueError(f"images must have different names, as masks do, got {other} and {image}: {remedy}")
        if path.exists() and (path.stat().st_dev, path.stat().st_ino) in there:
            raise ValueError(f"--output must not be the folder of an image: the mask would replace {path}")
        jobs.append(Job(image, path))
    return jobs


def write_classes(output: Path, classes: Iterable[str]) -> None:
    """Writes the names of the labels 1, 2, .. beside masks, one a line."""
    (output / "classes.txt").write_text("".join(f"{name}\n" for name in classes), encoding="utf-8")


def write_mask(prediction: Prediction, path: Path) -> None:
    """Writes a mask, whole or not at all: 0 and 255 of one class, a palette image of several."""
    if len(prediction.classes) == 1:
        image = Image.fromarray(prediction.labels * np.uint8(255))
    else:
        image = Image.fromarray(prediction.labels)
        image.putpalette(voc_palette().tobytes())
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.part")
    try:
        image.save(unfinished, format="PNG")
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
