"""Masks as the page gets them, as runs, and at the size of the image file.

In the shape descriptions `H, W` denote pixels, `K` classes. Labels are 0 for background, else 1 and up for classes.
"""

import base64

import numpy as np
import numpy.typing as npt
from PIL import Image

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
