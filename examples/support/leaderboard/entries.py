"""What the runs of a learner on a family come to: interquartile mean and interval over seeds, by episode of a trial.

In the shape descriptions, `S` denotes seeds and `K` the episodes of a trial that were recorded.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from support.curves import bootstrap_interval, interquartile_mean
from support.leaderboard.records import Family, Learner
from support.leaderboard.runs import Run, read_runs

_CONFIDENCE = 0.95
_LEAST_SHARE = 0.9


class Entry(NamedTuple):
    """A learner on a family.

    num_seeds: that are in it. num_left_out: that stopped much sooner, and are not.
    env_steps, minutes: means over seeds.
    episodes: of a trial, `K` of them.
    middle: `[K]` interquartile mean of the return over seeds.
    low, high: `[K]` of its interval; None of one seed, which says nothing of the spread.
    """

    family: Family
    learner: Learner
    num_seeds: int
    num_left_out: int
    env_steps: float
    minutes: float | None
    episodes: tuple[int, ...]
    middle: np.ndarray
    low: np.ndarray | None
    high: np.ndarray | None

    def num_adapted(self, episode: int) -> int:
        """How many episodes before this one it had adapted to."""
        return 0 if self.learner.adapts_at_once and episode < self.episodes[-1] else episode - 1


def find_entries(results: Path, families: Sequence[Family], learners: Sequence[Learner]) -> list[Entry]:
    """All that have a run: family by family, the best return in the last episode first.

    Raises:
      RunError: a run has no metrics, or its first stage is not there.
    """
    entries: list[Entry] = []
    for family in families:
        found = [(learner, read_runs(results, family.find_place(learner))) for learner in learners]
        ranked = [make_entry(family, learner, runs) for learner, runs in found if runs]
        entries += sorted(ranked, key=lambda entry: -entry.middle[-1])
    return entries


def make_entry(family: Family, learner: Learner, runs: Sequence[Run]) -> Entry:
    """What the runs come to, without those that have less than nine tenths of the steps of the longest."""
    most = max(run.env_steps for run in runs)
    whole = [run for run in runs if run.env_steps >= _LEAST_SHARE * most]
    episodes = tuple(sorted(set.intersection(*(set(run.returns) for run in whole))))
    y = np.array([[run.returns[episode] for episode in episodes] for run in whole])  # [S, K]
    low, high = bootstrap_interval(y, _CONFIDENCE, interquartile_mean) if len(y) > 1 else (None, None)
    minutes = [run.minutes for run in whole if run.minutes is not None]
    return Entry(
        family,
        learner,
        num_seeds=len(whole),
        num_left_out=len(runs) - len(whole),
        env_steps=float(np.mean([run.env_steps for run in whole])),
        minutes=float(np.mean(minutes)) if len(minutes) == len(whole) else None,
        episodes=episodes,
        middle=interquartile_mean(y),
        low=low,
        high=high,
    )


def find_best(entries: Sequence[Entry]) -> Entry | None:
    """Of one family's, the one whose interval in the last episode is above that of every other.

    None where two intervals meet, where any has none, and of one entry alone.
    """
    first, *others = sorted(entries, key=lambda entry: -entry.middle[-1])
    if not others or first.low is None:
        return None
    apart = all(other.high is not None and other.high[-1] < first.low[-1] for other in others)
    return first if apart else None
