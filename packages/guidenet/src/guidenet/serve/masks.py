"""Masks as the page gets them, as runs, and as they are exported, as PNG at the size of the image file.

In the shape descriptions `H, W` denote pixels, `K` classes. Labels are 0 for background, else 1 and up for classes.
"""

import base64
import io
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import PurePath

import numpy as np
import numpy.typing as npt
from PIL import Image

from guidenet.serve.limits import COLOURS

Labels = npt.NDArray[np.uint8]


def encode_runs(labels: Labels) -> str:
    """Run lengths of `[H, W]` labels, row by row: a little-endian uint32 `length << 8 | label` for each run, as base64.

    A mask of some hundred kB becomes a few kB, and takes a fraction of the time of a PNG on both sides.
    """
    flat = labels.ravel()
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    lengths = np.diff(starts, append=len(flat))
    return base64.b64encode((lengths << 8 | flat[starts]).astype("<u4").tobytes()).decode()


def full_labels(logits: npt.NDArray[np.float32], size: tuple[int, int]) -> Labels:
    """Labels at the size of the image file, from logits `[K, H, W]` at the size that was looked at.

    The logits are interpolated, not the labels, so that edges stay smooth.
    """
    best, labels = np.zeros(size, np.float32), np.zeros(size, np.uint8)
    for i, plane in enumerate(logits):
        if plane.shape != size:
            plane = np.asarray(Image.fromarray(plane).resize((size[1], size[0]), Image.Resampling.BILINEAR))
        better = plane > best
        labels[better], best = i + 1, np.where(better, plane, best)
    return labels


def encode_png(labels: Labels, num_classes: int) -> bytes:
    """A PNG of labels `[H, W]`: 0 and 255 for one class; for several the label is the index into a palette."""
    if num_classes == 1:
        image = Image.fromarray(labels * np.uint8(255))
    else:
        image = Image.fromarray(labels)
        image.putpalette([0, 0, 0, *np.array(COLOURS, np.uint8).ravel().tolist()])
    file = io.BytesIO()
    image.save(file, format="PNG")
    return file.getvalue()


def zip_masks(masks: Iterable[tuple[str, bytes]], classes: Sequence[str]) -> bytes:
    """A zip of `(name of the image file, PNG)`, each with a name of its own; of several classes `classes.txt` too.

    That has a class a line, in the order of the labels.
    """
    file, taken = io.BytesIO(), set[str]()
    with zipfile.ZipFile(file, "w") as archive:
        if len(classes) > 1:
            archive.writestr("classes.txt", "".join(f"{name}\n" for name in classes))
        for name, png in masks:
            archive.writestr(f"{free_name(PurePath(name).stem or 'image', taken)}.png", png)
    return file.getvalue()


def free_name(name: str, taken: set[str]) -> str:
    """The name, with a number if it is taken, case aside; takes it."""
    stem, suffix = PurePath(name).stem, PurePath(name).suffix
    found, number = name, 2
    while found.lower() in taken:
        found, number = f"{stem} ({number}){suffix}", number + 1
    taken.add(found.lower())
    return found
