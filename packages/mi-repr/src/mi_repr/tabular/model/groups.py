"""States with equal rows.

In the shape descriptions `S` denotes the states and `D` the numbers of a row.
"""

import numpy as np

LAST_DIGITS = 2e-15
"""Share of a number that reading it and scaling its row can change."""


def group_rows(rows: np.ndarray, tolerance: float = 1e-12) -> np.ndarray:
    """`[S]` int, equal for states whose `rows: [S, D]` have equal entries, each up to a share of itself.

    Blocks are numbered by their first state. Entries may have any scale: 1e-30 and 2e-30 differ, and so do 0 and
    1e-30. Equal rows have equal weighted sums, so only states whose sums are close are compared: sorting replaces
    comparisons of all pairs.

    Args:
      rows: of any sign.
      tolerance: two entries are equal if they differ by at most this share of the larger one.
    """
    num_states, width = rows.shape
    size = np.abs(rows)
    weights = np.random.default_rng(0).random(width) + 0.5
    sums, reach = rows @ weights, 2 * tolerance * (size @ weights)
    order = np.argsort(sums, kind="stable")
    gaps = np.diff(sums[order]) > np.maximum(reach[order][1:], reach[order][:-1])
    first = np.arange(num_states)
    for run in np.split(order, np.flatnonzero(gaps) + 1):
        left = np.sort(run)
        while left.size:
            head = left[0]
            limit = tolerance * np.maximum(size[left], size[head])
            same = (np.abs(rows[left] - rows[head]) <= limit).all(axis=1)
            first[left[same]] = head
            left = left[~same]
    return np.unique(first, return_inverse=True)[1]
