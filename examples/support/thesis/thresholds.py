"""Environment steps until a return, as ratios to the first learner of a panel."""

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

Curves = Mapping[str, Sequence[tuple[np.ndarray, np.ndarray]]]
"""Points `x: [P]`, environment steps, and `y: [P]` of each seed, by learner."""

_COLUMNS = ("panel", "threshold", "learner", "seeds", "reached", "steps", "ratio", "lowest ratio", "highest ratio")


class Reach(NamedTuple):
    """How soon a learner gets to a return.

    learner: its name. threshold: the return.
    num_seeds: of the learner. num_reached: of them, that get there.
    steps: geometric mean over seeds of the environment steps at the first test that is as good; None unless all are.
    ratio: of the steps to the first learner's; None unless both have some.
    lowest, highest: of that ratio, over all pairs of a seed of either.
    """

    learner: str
    threshold: float
    num_seeds: int
    num_reached: int
    steps: float | None
    ratio: float | None
    lowest: float | None
    highest: float | None


def find_steps(x: np.ndarray, y: np.ndarray, threshold: float) -> float | None:
    """The first `x: [P]` at which `y: [P]` is the threshold or better; None where it never is."""
    found = np.flatnonzero(y >= threshold)
    return float(x[found[0]]) if found.size else None


def compare(curves: Curves, thresholds: Sequence[float]) -> list[Reach]:
    """How soon each learner gets to each threshold, compared with the first one."""
    result: list[Reach] = []
    for threshold in thresholds:
        reached = {
            learner: [find_steps(x, y, threshold) for x, y in seeds] for learner, seeds in curves.items() if seeds
        }
        first = reached.get(next(iter(curves), ""), [])  # without it there is nothing to compare with
        for learner, steps in reached.items():
            result.append(Reach(learner, threshold, len(steps), _count(steps), *_relate(steps, first)))
    return result


def write(path: Path, panels: Mapping[str, Sequence[Reach]]) -> None:
    """Writes the rows of each panel as CSV."""
    rows = [
        (title, one.threshold, one.learner, one.num_seeds, one.num_reached, *map(_round, one[4:]))
        for title, found in panels.items()
        for one in found
    ]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([_COLUMNS, *rows])


def _count(steps: Sequence[float | None]) -> int:
    return sum(one is not None for one in steps)


def _relate(
    steps: Sequence[float | None], first: Sequence[float | None]
) -> tuple[float | None, float | None, float | None, float | None]:
    """Mean of the steps, its ratio to the first learner's, and the range of that ratio."""
    mean, other = _mean(steps), _mean(first)
    if mean is None or other is None:
        return mean, None, None, None
    ratios = [mine / theirs for mine in steps for theirs in first if mine is not None and theirs is not None]
    return mean, mean / other, min(ratios), max(ratios)


def _mean(steps: Sequence[float | None]) -> float | None:
    """The geometric mean, None unless every seed gets there."""
    known = [one for one in steps if one is not None]
    if not known or len(known) < len(steps):
        return None
    return math.exp(sum(map(math.log, known)) / len(known))


def _round(value: float | None) -> float | str:
    return "" if value is None else float(f"{value:.4g}")
