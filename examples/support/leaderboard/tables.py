"""The leaderboard as a table in Markdown and as CSV."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from support.leaderboard.entries import Entry, find_best
from support.leaderboard.records import Family, Learner

_FIRST_EPISODES = (1, 2, 3)
_HEADER = ("family", "learner", "seeds", "env steps", "min", *map(str, _FIRST_EPISODES), "last episode", "adapted to")
_COLUMNS = ("family", "learner", "seeds", "env steps", "min", "episode", "adapted to", "return", "low", "high")


def format_table(entries: Sequence[Entry], families: Sequence[Family], learners: Sequence[Learner]) -> str:
    """A row for each family and learner that has a run, and below it who was not trained on what."""
    rows = [_HEADER, ("---",) * len(_HEADER)]
    for _, group in groupby(entries, key=lambda entry: entry.family.name):
        ranked = list(group)
        best = find_best(ranked)
        rows += [_format_row(entry, entry is ranked[0], entry is best) for entry in ranked]
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    return f"{table}\nNot trained: {'; '.join(_find_untrained(entries, families, learners)) or 'none'}.\n"


def format_csv(entries: Sequence[Entry], families: Sequence[Family], learners: Sequence[Learner]) -> str:
    """A row for each episode, numbers with four digits; one that says `not trained` where nothing is."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(_COLUMNS)
    found = {(entry.family.name, entry.learner.name): entry for entry in entries}
    for family in families:
        for learner in filter(family.takes, learners):
            entry = found.get((family.name, learner.name))
            writer.writerows(_list_episodes(entry) if entry else [(family.name, learner.name, "not trained")])
    return file.getvalue()


def format_return(value: float) -> str:
    """A return, with a decimal where it is small."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}"


def _format_row(entry: Entry, first: bool, best: bool) -> tuple[str, ...]:
    levels = (f"{level} {value:g}" for level, value in entry.family.levels.items())
    last = format_return(entry.middle[-1])
    if best:
        last = f"**{last}**"
    if entry.low is not None and entry.high is not None:
        last += f" [{format_return(entry.low[-1])}, {format_return(entry.high[-1])}]"
    known = dict(zip(entry.episodes, map(format_return, entry.middle), strict=True))
    shown = [k for k in _FIRST_EPISODES if k == 1 or entry.num_adapted(k)]  # before it adapts, only the first one
    return (
        "; ".join((entry.family.name, *levels)) if first else "",
        entry.learner.name,
        f"{entry.num_seeds} of {entry.num_seeds + entry.num_left_out}" if entry.num_left_out else str(entry.num_seeds),
        f"{entry.env_steps:,.0f}",
        "" if entry.minutes is None else f"{entry.minutes:.0f}",
        *(known.get(k, "") if k in shown else "" for k in _FIRST_EPISODES),
        last,
        str(entry.num_adapted(entry.episodes[-1])),
    )


def _list_episodes(entry: Entry) -> Iterator[tuple[Any, ...]]:
    minutes = "" if entry.minutes is None else f"{entry.minutes:.4g}"
    run = (entry.family.name, entry.learner.name, entry.num_seeds, f"{entry.env_steps:.0f}", minutes)
    for place, episode in enumerate(entry.episodes):
        interval = [values[place] for values in (entry.low, entry.high) if values is not None]
        numbers = [f"{value:.4g}" for value in (entry.middle[place], *interval)]
        yield (*run, episode, entry.num_adapted(episode), *numbers)


def _find_untrained(entries: Sequence[Entry], families: Sequence[Family], learners: Sequence[Learner]) -> Iterator[str]:
    """Such as `all but PEARL on ant-fwd-back and hopper-params`, families of the same gaps together."""
    found = {(entry.family.name, entry.learner.name) for entry in entries}
    gaps: dict[str, list[str]] = defaultdict(list)
    for family in families:
        able = [learner.name for learner in learners if family.takes(learner)]
        trained = [name for name in able if (family.name, name) in found]
        missing = [name for name in able if name not in trained]
        if not trained:
            gaps["any"].append(family.name)
        elif len(missing) > len(trained):
            gaps[f"all but {_join(trained)}"].append(family.name)
        elif missing:
            gaps[_join(missing)].append(family.name)
    for who, names in gaps.items():
        yield f"{who} on {_join(names)}"


def _join(names: Sequence[str]) -> str:
    """Such as `a, b and c`."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
