"""Connected pieces of a mask, as runs down its columns: that is how COCO counts pixels.

In the shape descriptions `H, W` denote pixels, `R` runs.
"""

import dataclasses

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True, eq=False)
class Piece:
    """Pixels that hang together along their sides.

    starts: `[R]` flat positions of its runs, down the columns from left to right.
    ends: `[R]`, behind the last pixel of each.
    height: of the mask, px.
    width: of the mask, px.
    """

    starts: Integers
    ends: Integers
    height: int
    width: int

    @property
    def area(self) -> int:
        """In px."""
        return int((self.ends - self.starts).sum())

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, width and height, px."""
        left, right = int(self.starts[0] // self.height), int(self.starts[-1] // self.height)
        rows = self.starts % self.height
        top, bottom = int(rows.min()), int((rows + self.ends - self.starts).max())
        return left, top, right - left + 1, bottom - top

    def counts(self) -> list[int]:
        """Run lengths of background and piece in turns, as `guidenet.data.formats.rle` has them."""
        edges = np.stack([self.starts, self.ends], axis=1).ravel()
        # Runs that touch are one, from the end of a column to the start of the next.
        inner = np.flatnonzero(edges[1:-1:2] == edges[2::2])
        edges = np.delete(edges, np.concatenate([2 * inner + 1, 2 * inner + 2]))
        total = self.height * self.width
        counts = np.diff(edges, prepend=0, append=total)
        return [int(count) for count in (counts[:-1] if edges[-1] == total else counts)]

    def mask(self) -> Mask:
        """`[H, W]` of its box."""
        left, top, width, height = self.box
        mask = np.zeros((width, height), bool)
        columns, rows = np.divmod(self.starts, self.height)
        for column, row, length in zip(columns - left, rows - top, self.ends - self.starts, strict=True):
            mask[column, row : row + length] = True
        return mask.T


def find_pieces(mask: Mask) -> list[Piece]:
    """The pieces of `[H, W]`, from left to right."""
    height, width = mask.shape
    # A row of background below keeps runs from going on in the next column.
    fenced = np.zeros((width, height + 1), np.int8)
    fenced[:, :height] = mask.T
    change = np.diff(fenced.ravel(), prepend=0)
    starts, ends = np.flatnonzero(change == 1), np.flatnonzero(change == -1)
    if not len(starts):
        return []
    columns = starts // (height + 1)
    starts, ends = starts - columns, ends - columns
    roots = _join(starts, ends, columns, height)
    order = np.argsort(roots, kind="stable")
    _, first = np.unique(roots[order], return_index=True)
    return [Piece(starts[part], ends[part], height, width) for part in np.split(order, first[1:])]


def _join(starts: Integers, ends: Integers, columns: Integers, height: int) -> Integers:
    """`[R]`: for each run the first one of its piece."""
    # A run touches those of the column before that start above its end and end below its start.
    low = np.searchsorted(ends, starts - height, side="right")
    high = np.searchsorted(starts, ends - height, side="left")
    low = np.maximum(low, np.searchsorted(columns, columns - 1, side="left"))
    high = np.minimum(high, np.searchsorted(columns, columns - 1, side="right"))
    roots = list(range(len(starts)))

    def find(run: int) -> int:
        while roots[run] != run:
            roots[run] = run = roots[roots[run]]
        return run

    for run, (first, last) in enumerate(zip(low.tolist(), high.tolist(), strict=True)):
        for other in range(first, last):
            mine, its = find(run), find(other)
            roots[max(mine, its)] = min(mine, its)
    return np.array([find(run) for run in range(len(roots))])
