"""Learning curves over seeds, and their intervals."""

import glob
import os
from pathlib import Path

import numpy as np
from rlcore.experiment import read_metrics
from scipy import stats


def load_curves(pattern: str, x: str, y: str) -> tuple[np.ndarray, np.ndarray]:
    """The points `x: [P]` that all runs of a pattern share, and their values `y: [S, P]`.

    A pattern that is itself the path of a run names that run, whatever is in it; `~` is the user's home.

    Raises:
      ValueError: nothing matches, or a run lacks one of the metrics.
    """
    curves = []
    expanded = os.path.expanduser(pattern)
    for path in [expanded] if Path(expanded).exists() else sorted(glob.glob(expanded)):
        points = {row[x]: row[y] for row in read_metrics(path) if x in row and y in row}
        if not points:
            raise ValueError(f"{path} has no rows with both {x} and {y}")
        curves.append(points)
    if not curves:
        raise ValueError(f"runs: nothing matches {pattern!r}")
    shared = sorted(set.intersection(*(set(curve) for curve in curves)))
    if not shared:
        raise ValueError(f"runs: those that {pattern!r} matches share no {x}; try --x=iteration")
    return np.array(shared), np.array([[curve[point] for point in shared] for curve in curves])


def bootstrap_interval(y: np.ndarray, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """Percentile bootstrap interval of the mean over seeds of `y: [S, P]`: two arrays `[P]`."""
    if len(y) == 1:
        return y[0], y[0]
    result = stats.bootstrap((y,), np.mean, axis=0, confidence_level=confidence, method="percentile", rng=0)
    return result.confidence_interval.low, result.confidence_interval.high
