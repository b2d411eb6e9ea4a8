"""Runs of examples/results read back: what their last tests found, and what they took."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rlcore.experiment import RunError, read_metrics

from support.curves import read_episodes
from support.leaderboard.records import Family, Learner, Place

_METRIC = "test/return"
_LATE_SHARE = 0.2


class Run(NamedTuple):
    """One run, as the tests in the last fifth of its iterations found it; each is of the agent as it was then.

    env_steps: up to the last test, a first stage's among them.
    minutes: wall-clock of all its iterations; None where not every iteration's row is kept.
    returns: by episode of a trial, mean over test tasks.
    """

    seed: int
    env_steps: float
    minutes: float | None
    returns: Mapping[int, float]


def read_runs(results: Path, place: Place) -> list[Run]:
    """The runs at a place, by seed."""
    path = results / place.path
    seeds = [re.fullmatch(rf"{re.escape(path.name)}-seed(\d+)", other.name) for other in path.parent.glob("*")]
    return [
        read_run(results, place, int(seed[1])) for seed in sorted(filter(None, seeds), key=lambda seed: int(seed[1]))
    ]


def read_run(results: Path, place: Place, seed: int) -> Run:
    """One of them."""
    path = results / f"{place.path}-seed{seed}"
    rows = read_metrics(path)
    tested = [row["env_steps"] for row in rows if _METRIC in row]
    if not tested:
        raise RunError(f"{path} was never tested: no line of its metrics has {_METRIC}")
    env_steps, minutes = tested[-1], measure_minutes(rows)
    if place.first_stage:
        first = read_metrics(results / f"{place.first_stage}-seed{seed}")
        before = measure_minutes(first)
        env_steps += first[-1]["env_steps"]
        minutes = None if minutes is None or before is None else minutes + before
    episodes, returns = read_episodes(path, _METRIC, _LATE_SHARE)
    return Run(seed, env_steps, minutes, dict(zip(map(int, episodes), returns, strict=True)))


def measure_minutes(rows: Sequence[Mapping[str, Any]]) -> float | None:
    """Wall-clock of all iterations of a run, by the speed that each row has; None where rows were left out."""
    iterations = [row["iteration"] for row in rows]
    if len(rows) < 2 or iterations != list(range(1, len(rows) + 1)):
        return None
    # The first row has what was collected before too, which its speed leaves out.
    steps = (rows[-1]["env_steps"] - rows[0]["env_steps"]) / (len(rows) - 1)
    return sum(steps / row["time/steps_per_s"] for row in rows) / 60


def find_others(results: Path, families: Sequence[Family], learners: Sequence[Learner]) -> list[str]:
    """Where else there are runs that were tested by episode: variants, and what no record knows of yet."""
    known = {family.find_place(learner).path for family in families for learner in learners}
    tested = [path for path in results.glob("**/*-seed*/metrics.jsonl") if f"{_METRIC}_1" in path.read_text()]
    places = {path.parent.relative_to(results).as_posix().rpartition("-seed")[0] for path in tested}
    return sorted(places - known)
