"""One annotated image: which of its pixels are labelled, and the exact sums of its features that follow from them.

In the shape descriptions `R, Q` denote the rows and columns of cells, `C` features, `F` those of a ridge regression and
`T` their products, `P` pixels. The guide of negatives has the index 0, that of positives 1.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from guidenet.network import ridge
from guidenet.network.geometry import Grid, locate
from guidenet.segmenter.guidance import FRACTION_BITS, Integers, Sums, divide, quantise

SHARE_BITS = 6
"""A pixel's share of a cell is counted in units of 2^-6 on each axis: exact for strides to 32 and half pixels."""

_UNITS = 1 << 2 * SHARE_BITS

_FACTOR_BITS = 15
"""The factors of products are whole numbers up to 2^15."""

_CELL_BITS = 21
"""A cell's share of all labelled pixels is counted in units of 2^-21, so that sums of products stay below 2^53."""

Labels = npt.NDArray[np.int8]


class Change(NamedTuple):
    """What `Shot.set` did to one class.

    cls: the class.
    pixels: `[P]`, flat positions.
    before: `[P]`, the labels that were there.
    """

    cls: str
    pixels: Integers
    before: Labels


class Shot:
    """The labels of one image and the sums of its features under them.

    All that is kept are integers, so undoing a change restores every bit, in any order.
    """

    def __init__(
        self, features: npt.NDArray[np.float32], grid: Grid, size: tuple[int, int], ridge_size: int = 0
    ) -> None:
        """Starts without labels.

        Args:
          features: `[R, Q, C]`.
          grid: where their cells lie.
          size: height and width of the labels, px.
          ridge_size: F, how many of the features, the last ones, are summed in products too.

        Raises:
          ValueError: a feature is not finite or too large.
        """
        flat = features.reshape(-1, features.shape[-1])
        self._features = quantise(flat)
        factors = flat[:, flat.shape[1] - ridge_size :].astype(np.float64)
        self._scale = _FACTOR_BITS - int(np.frexp(np.abs(factors).max(initial=0))[1])
        self._factors = np.rint(np.ldexp(factors, self._scale))
        self._grid, self._size = grid, size
        self._rows = self._locate(size[0], grid.rows)
        self._columns = self._locate(size[1], grid.columns)
        self._labels: dict[str, Labels] = {}
        self._cells: dict[str, Integers] = {}

    def _locate(self, num_pixels: int, num_cells: int) -> tuple[Integers, Integers]:
        before, share = locate(np.arange(num_pixels, dtype=np.float64), num_cells, self._grid.stride, self._grid.offset)
        return before, np.rint(share * (1 << SHARE_BITS)).astype(np.int64)

    @property
    def classes(self) -> tuple[str, ...]:
        """Those with labels."""
        return tuple(cls for cls, cells in self._cells.items() if cells.any())

    def labels(self, cls: str) -> Labels:
        """`[height, width]` of a class: 1 positive, -1 negative, 0 unknown."""
        return self._flat(cls).reshape(self._size).copy()

    def set(self, cls: str, pixels: Integers, labels: Labels) -> list[Change]:
        """Labels pixels, and returns what changed, also of other classes: a pixel is positive for one class at most.

        Args:
          cls: the class.
          pixels: `[P]`, flat positions, each once.
          labels: `[P]`: 1 positive, -1 negative, 0 unknown.
        """
        changes = [self._set(cls, pixels, labels)]
        positive = pixels[labels == 1]
        for other in self._labels:
            taken = positive[self._flat(other)[positive] == 1] if other != cls else positive[:0]
            if len(taken):
                changes.append(self._set(other, taken, np.zeros(len(taken), np.int8)))
        return [change for change in changes if len(change.pixels)]

    def revert(self, changes: list[Change]) -> None:
        """Undoes what `set` returned."""
        for change in reversed(changes):
            self._set(change.cls, change.pixels, change.before)

    def sums(self, shots: str) -> dict[str, Sums]:
        """Of each class what `Guidance` adds up.

        Args:
          shots: `equal`: the mean over the labelled pixels, weight 1, or `pixels`: their sum, weighing their number.
        """
        sums: dict[str, Sums] = {}
        size = self._features.shape[1]
        for cls, cells in self._cells.items():
            counts = cells.sum(axis=1) // _UNITS
            total = np.zeros((2, size + ridge.num_products(self._factors.shape[1])), np.int64)
            for sign in range(2):
                (places,) = cells[sign].nonzero()
                if len(places):
                    units = cells[sign, places] @ self._features[places]
                    total[sign, :size] = divide(units, _UNITS * (int(counts[sign]) if shots == "equal" else 1))
                    products = self._mean_products(cells[sign], places)
                    total[sign, size:] = products * (1 if shots == "equal" else counts[sign])
            sums[cls] = total, (np.minimum(counts, 1) if shots == "equal" else counts), counts
        return sums

    def _mean_products(self, cells: Integers, places: Integers) -> Integers:
        """`[T]`: the mean over labelled pixels, in the units of features.

        Sums of whole numbers below 2^53 are exact in floats, for which processors have fast products of matrices.
        """
        share = np.rint(cells[places] * (2.0**_CELL_BITS / cells[places].sum()))
        factors = self._factors[places]
        products = ((factors * share[:, None]).T @ factors)[ridge.upper(factors.shape[1])]
        return np.rint(np.ldexp(products, FRACTION_BITS - _CELL_BITS - 2 * self._scale)).astype(np.int64)

    def cells(self, cls: str) -> npt.NDArray[np.float32]:
        """`[2, R, Q]`: how many labelled pixels' worth of weight each cell has."""
        found = self._cells.get(cls)
        cells = np.zeros((2, len(self._features)), np.int64) if found is None else found
        return (cells / _UNITS).astype(np.float32).reshape(2, self._grid.rows, self._grid.columns)

    def _flat(self, cls: str) -> Labels:
        return self._labels.setdefault(cls, np.zeros(self._size[0] * self._size[1], np.int8))

    def _set(self, cls: str, pixels: Integers, labels: Labels) -> Change:
        current = self._flat(cls)
        differs = current[pixels] != labels
        pixels, labels = pixels[differs], labels[differs]
        before = current[pixels]
        cells = self._cells.setdefault(cls, np.zeros((2, len(self._features)), np.int64))
        for sign, label in enumerate((-1, 1)):
            self._spread(cells[sign], pixels[before == label], -1)
            self._spread(cells[sign], pixels[labels == label], 1)
        current[pixels] = labels
        return Change(cls, pixels, before)

    def _spread(self, cells: Integers, pixels: Integers, sign: int) -> None:
        """Adds `sign` for each pixel to `cells`, in place, spread over the four cells around it."""
        if not len(pixels):
            return
        rows, columns = np.divmod(pixels, self._size[1])
        (top, down), (left, right) = (
            (axis[0][position], axis[1][position]) for axis, position in ((self._rows, rows), (self._columns, columns))
        )
        bottom, beside = np.minimum(top + 1, self._grid.rows - 1), np.minimum(left + 1, self._grid.columns - 1)
        whole = 1 << SHARE_BITS
        for row, share in ((top, whole - down), (bottom, down)):
            for column, part in ((left, whole - right), (beside, right)):
                # Counts are whole numbers far below 2^53, so bincount's floats are exact.
                counts = np.bincount(row * self._grid.columns + column, share * part, minlength=len(cells))
                cells += sign * counts.astype(np.int64)


def vote(pixels: Integers, codes: Integers) -> tuple[Integers, Labels]:
    """Several pixels of a large image may be one of the shrunk one: it gets the label of the majority, 0 at a tie.

    What is so small that it has a majority nowhere keeps all pixels that it is in.
    """
    if len(pixels) == 1:
        return pixels, codes.astype(np.int8)
    places, index = np.unique(pixels, return_inverse=True)
    labels = np.sign(np.bincount(index, codes, minlength=len(places))).astype(np.int8)
    if not (labels > 0).any():
        labels[index[codes > 0]] = 1
    return places, labels
