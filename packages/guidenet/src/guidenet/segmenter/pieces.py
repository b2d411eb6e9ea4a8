"""Connected pieces of masks: those that are too small are dropped, holes that are too small are filled.

Pixels hang together along their sides. They are looked at as runs of equal labels along rows, of which a mask has far
fewer than it has pixels. In the shape descriptions `H, W` denote pixels, `K` classes, `R` runs, `T` pairs of runs that
touch. Labels are 0 for background, else 1 and up for classes.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from guidenet.segmenter.prediction import labels_of

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]
Labels = npt.NDArray[np.integer]

PIECES = ("all", "annotated")
"""Which pieces masks have: all, or those with a positive annotation in them."""

MIN_AREA = 64
"""Px of the smallest piece or hole that is kept: a quarter of a cell of 16 px."""


class Runs(NamedTuple):
    """The runs of an image of labels; each pixel is in one of them.

    starts: `[R]` flat positions of their first pixels.
    lengths: `[R]` px.
    labels: `[R]`.
    first, second: `[T]` runs that touch, each pair once.
    sides: `[T]` how many sides of pixels they share.
    """

    starts: Integers
    lengths: Integers
    labels: Integers
    first: Integers
    second: Integers
    sides: Integers

    def pieces(self) -> tuple[Integers, Integers]:
        """Of each run the number of its piece, from 0, and the area of that in px; both `[R]`."""
        joined = self.labels[self.first] == self.labels[self.second]
        numbers = _join(len(self.starts), self.first[joined], self.second[joined])
        return numbers, self._areas(numbers)

    def without(self, pieces: Integers, dropped: npt.NDArray[np.bool_]) -> tuple["Runs", Integers, Integers]:
        """The runs once some `[R]`, whole pieces, are background, and what `pieces` gives of them."""
        runs = self._replace(labels=np.where(dropped, 0, self.labels))
        # Pieces grow together only beside those that were dropped.
        near = np.flatnonzero(dropped[self.first] | dropped[self.second])
        first, second = self.first[near], self.second[near]
        both = runs.labels[first] == runs.labels[second]
        numbers = _join(int(pieces.max()) + 1, pieces[first[both]], pieces[second[both]])[pieces]
        return runs, numbers, self._areas(numbers)

    def _areas(self, numbers: Integers) -> Integers:
        # Areas are whole numbers far below 2^53, so bincount's floats are exact.
        return np.bincount(numbers, self.lengths).astype(np.int64)[numbers]

    def pixels(self, chosen: npt.NDArray[np.bool_]) -> tuple[Integers, Integers]:
        """Flat positions of the pixels of chosen runs `[R]`, and the runs that they are of."""
        runs = np.flatnonzero(chosen).repeat(self.lengths[chosen])
        before = np.cumsum(self.lengths[chosen]) - self.lengths[chosen]
        within = np.arange(len(runs)) - before.repeat(self.lengths[chosen])
        return self.starts[runs] + within, runs


def _join(size: int, first: Integers, second: Integers) -> Integers:
    """`[size]`: equal numbers, from 0, for what pairs join."""
    graph = csr_array((np.ones(len(first), np.int8), (first, second)), shape=(size, size))
    return connected_components(graph, directed=False)[1]


def find_runs(labels: Labels) -> Runs:
    """The runs of labels `[H, W]`."""
    width, flat = labels.shape[1], labels.ravel()
    changes = np.empty(len(flat), bool)
    np.not_equal(flat[1:], flat[:-1], out=changes[1:])
    changes[::width] = True
    starts = np.flatnonzero(changes)
    ends = np.append(starts[1:], len(flat))
    numbers = np.arange(len(starts))
    # Two runs of neighbouring rows touch where one of them begins beside the other.
    lower = numbers[np.searchsorted(starts, width) :]
    upper = np.searchsorted(starts, starts[lower] - width, side="right") - 1
    above = numbers[: np.searchsorted(starts, len(flat) - width)]
    below = np.searchsorted(starts, starts[above] + width, side="right") - 1
    apart = starts[below] < starts[above] + width
    upper, lower = np.concatenate([upper, above[apart]]), np.concatenate([lower, below[apart]])
    sides = np.minimum(ends[upper] + width, ends[lower]) - np.maximum(starts[upper] + width, starts[lower])
    beside = numbers[1:][starts[1:] % width > 0]
    return Runs(
        starts,
        ends - starts,
        flat[starts].astype(np.int64),
        np.concatenate([upper, beside - 1]),
        np.concatenate([lower, beside]),
        np.concatenate([sides, np.ones(len(beside), np.int64)]),
    )


def remove_specks(logits: Floats, min_area: int) -> Floats:
    """Takes pieces of a class, and holes in it, of fewer than `min_area` px out of `logits [K, H, W]`, in place.

    The sign of a logit is changed there and not its size. A hole gets the class that most of its border has.
    What covers a whole image is neither, however small that is.
    """
    min_area = min(min_area, logits[0].size)
    runs = find_runs(labels_of(logits))
    pieces, areas = runs.pieces()
    specks = (runs.labels > 0) & (areas < min_area)
    if specks.any():
        _drop(logits, runs, specks)
        runs, pieces, areas = runs.without(pieces, specks)
    holes = (runs.labels == 0) & (areas < min_area)
    if holes.any():
        classes = _classes_beside(runs, pieces, holes, len(logits))[pieces]
        places, of = runs.pixels(holes & (classes > 0))
        flat = logits.reshape(len(logits), -1)
        flat[classes[of] - 1, places] = np.abs(flat[:, places]).max(axis=0)
    return logits


def keep_annotated(logits: Floats, positives: Mapping[int, Integers]) -> Floats:
    """Takes pieces without an annotated pixel in them out of `logits [K, H, W]`, in place, as `remove_specks` does.

    Args:
      logits: of the image.
      positives: by the index of a class the flat positions of its positive pixels. Other classes keep all pieces.
    """
    runs = find_runs(labels_of(logits))
    pieces, _ = runs.pieces()
    dropped = np.zeros(len(pieces), bool)
    for index, places in positives.items():
        mine = runs.labels == index + 1
        annotated = np.zeros(len(pieces), bool)
        annotated[pieces[np.searchsorted(runs.starts, places, side="right") - 1]] = True
        dropped |= mine & ~annotated[pieces]
    if dropped.any():
        _drop(logits, runs, dropped)
    return logits


def _drop(logits: Floats, runs: Runs, chosen: npt.NDArray[np.bool_]) -> None:
    """Makes background of chosen runs `[R]`, in place."""
    places, _ = runs.pixels(chosen)
    flat = logits.reshape(len(logits), -1)
    flat[:, places] = -np.abs(flat[:, places])


def _classes_beside(runs: Runs, pieces: Integers, holes: npt.NDArray[np.bool_], num_classes: int) -> Integers:
    """By the number of a hole's piece, the class that most of the sides of its border have; 0 where there is none."""
    kinds = num_classes + 1
    border = np.flatnonzero(holes[runs.first] ^ holes[runs.second])
    first, second = runs.first[border], runs.second[border]
    inside = np.where(holes[first], first, second)
    beside = runs.labels[np.where(holes[first], second, first)]
    places = pieces[inside] * kinds + beside
    votes = np.bincount(places, runs.sides[border], minlength=kinds * (int(pieces.max()) + 1))
    votes = votes.reshape(-1, kinds)
    votes[:, 0] = 0
    return votes.argmax(axis=1)
