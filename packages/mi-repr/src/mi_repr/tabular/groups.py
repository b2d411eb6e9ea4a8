"""States with equal rows, by tolerance.

In the shape descriptions `S` denotes the states and `D` the numbers of a row.
"""

import numpy as np

from mi_repr.tabular.solve import TOLERANCE


def group_rows(rows: np.ndarray, tolerance: float = TOLERANCE) -> np.ndarray:
    """`[S]` int, equal for states whose `rows: [S, D]` differ by at most `tolerance` everywhere.

    Blocks are numbered by their first state. Equal rows have equal weighted sums, so only states whose sums are close
    are compared: sorting replaces comparisons of all pairs.
    """
    num_states, width = rows.shape
    weights = np.random.default_rng(0).random(width) + 0.5
    sums = rows @ weights
    reach = tolerance * weights.sum() + 1e-12 * np.abs(sums).max(initial=0)
    order = np.argsort(sums, kind="stable")
    runs = np.split(order, np.flatnonzero(np.diff(sums[order]) > reach) + 1)
    first = np.arange(num_states)
    for run in runs:
        left = np.sort(run)
        while left.size:
            same = np.abs(rows[left] - rows[left[0]]).max(axis=1) <= tolerance
            first[left[same]] = left[0]
            left = left[~same]
    return np.unique(first, return_inverse=True)[1]
