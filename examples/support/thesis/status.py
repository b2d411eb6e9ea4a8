"""What there is of the needs of a figure, and what is to be run for the rest."""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rlcore.experiment import RunError, difference, load_config

from support.jobs.records import Job
from support.thesis.records import Figure, Group, Need

EXAMPLES = Path(__file__).resolve().parents[2]
RESULTS = EXAMPLES / "results"


class Found(NamedTuple):
    """A need, and the place that has most of it.

    share: from 0 to 1. committed: whether the place is in the repository.
    """

    need: Need
    seed: int
    path: Path
    share: float
    committed: bool

    @property
    def finished(self) -> bool:
        """Whether all is there."""
        return self.share >= 1

    def describe(self) -> str:
        """In words."""
        if self.finished:
            return "committed" if self.committed else "finished"
        if self.committed:
            return f"committed up to {self.share:.0%}"
        if self.share:
            return f"unfinished at {self.share:.0%}"
        return "begun" if self.path.exists() and self.need.place == self.need.name else "missing"


class Look(NamedTuple):
    """Where to look, and for how many seeds.

    runs: the folder of runs. num_seeds: of every group; None is the figure's own. results: what is committed.
    """

    runs: Path
    num_seeds: int | None = None
    results: Path = RESULTS

    def find_run(self, need: Need, seed: int = 0) -> Found:
        """What there is of a need below the folder of runs."""
        path = self.runs / need.place
        return Found(need, seed, path, need.measure(path), committed=False)

    def find(self, need: Need, seed: int) -> Found:
        """What there is of it, in the repository only where that is more."""
        run = self.find_run(need, seed)
        if need.committed and not run.finished:
            path = self.results / need.committed
            share = need.measure(path)
            if share > run.share:
                return Found(need, seed, path, share, committed=True)
        return run

    def find_group(self, group: Group) -> list[Found]:
        """What there is of every seed; unless told how many, of those too that are finished beyond."""
        num_seeds = group.num_seeds if self.num_seeds is None else self.num_seeds
        if group.most_seeds is not None:
            num_seeds = min(num_seeds, group.most_seeds)
        found = [self.find(group.make(seed), seed) for seed in range(num_seeds)]
        while self.num_seeds is None and len(found) != group.most_seeds:
            more = self.find(group.make(len(found)), len(found))
            if not more.finished:
                break
            found.append(more)
        return found

    def plan(self, figures: Sequence[Figure]) -> list[Need]:
        """What to run, in order: figure by figure, all of a seed before the next, what others read before them."""
        planned: dict[str, Need] = {}

        def add(need: Need) -> None:
            for other in need.after:
                if not self.find_run(other).finished:
                    add(other)
            planned.setdefault(need.name, need)

        for figure in figures:
            found = [one for group in figure.groups for one in self.find_group(group)]
            for one in sorted(found, key=lambda one: one.seed):
                if not one.finished:
                    add(one.need)
        return list(planned.values())

    def make_job(self, need: Need) -> Job:
        """Its command, run below the folder of runs."""
        return Job(
            need.name,
            self.runs / need.place,
            (str(EXAMPLES / need.program), *make_flags(need, self.runs)),
            self.runs / "logs" / f"{need.name.replace('/', '-')}.log",
            lambda: self.find_run(need).finished,
            tuple(other.name for other in need.after),
        )


def describe_group(group: Group, found: Sequence[Found]) -> str:
    """Such as `PEARL: seeds 0, 1 committed; seed 2 missing`."""
    states: dict[str, list[str]] = {}
    for one in found:
        states.setdefault(one.describe(), []).append(str(one.seed))
    parts = [f"seed{'s' if len(seeds) > 1 else ''} {', '.join(seeds)} {state}" for state, seeds in states.items()]
    return f"{group.label}: {'; '.join(parts + compare_options(found))}"


def compare_options(found: Sequence[Found]) -> list[str]:
    """Says that runs had not all the same options, as where a preset has changed between them."""
    configs = {}
    for one in found:
        with contextlib.suppress(RunError):
            configs[one.seed] = load_config(one.path).get("config")
    for seed, config in configs.items():
        first = next(iter(configs))
        if lines := difference({"config": configs[first]}, {"config": config}):
            option = lines[0].replace(" (run)", "").replace(" (now)", "")
            return [f"seeds {first} and {seed} differ in options: {option}"]
    return []


def describe_figure(number: str, figure: Figure, look: Look) -> str:
    """What there is of a figure and what it lacks, a line for each group and each lack."""
    lines = [f"figure {number}: {figure.title} (thesis {figure.section})"]
    for title, groups in (*((panel.title, panel.groups) for panel in figure.panels), ("", figure.others)):
        lines += [f"  {title}"] if title else []
        lines += [f"    {describe_group(group, look.find_group(group))}" for group in groups]
    return "\n".join([*lines, *(f"  lacks: {lack}" for lack in figure.lacks)])


def describe_plan(needs: Sequence[Need], runs: Path) -> str:
    """Each need with its command."""
    lines = [f"to run, in this order, about {count_hours(needs):.1f} h on one core:"]
    for place, need in enumerate(needs, 1):
        lines.append(f"  {place}. {need.name}, {need.hours:g} h: {' '.join([need.program, *make_flags(need, runs)])}")
    return "\n".join(lines) if needs else "nothing to run"


def count_hours(needs: Sequence[Need]) -> float:
    """On one core."""
    return sum(need.hours for need in needs)


def make_flags(need: Need, runs: str | os.PathLike[str]) -> list[str]:
    """The flags of its command."""
    return [flag.replace("{runs}", str(runs)) for flag in need.flags]
