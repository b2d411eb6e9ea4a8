"""What a figure of the thesis is made of: needs, which a command makes, in groups over seeds, in panels."""

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from support.curves import read_episodes, read_learning
from support.runs import share_trained


class Need(NamedTuple):
    """Something that a figure is made of: a training run, scores, a picture of trials.

    name: in messages and of its log.
    place: where its command puts it, below the folder of runs.
    program: of the examples, which makes it, and goes on where it stopped.
    flags: of the program; `{runs}` stands for the folder of runs.
    measure: how much of it is at a path, from 0 to 1, by what the program itself wrote there.
    hours: on one core, an estimate.
    committed: where it may be in the repository, below examples/results; empty where nothing is yet.
    after: needs whose results the program reads, so that committed curves do not do.
    files: what it makes there, where files are what counts.
    """

    name: str
    place: str
    program: str
    flags: tuple[str, ...]
    measure: Callable[[Path], float]
    hours: float
    committed: str = ""
    after: tuple["Need", ...] = ()
    files: tuple[str, ...] = ()


class Group(NamedTuple):
    """Needs that differ by their seed alone: a line in a panel.

    label: what it is. make: from a seed to the need. num_seeds: how many the figure has by default.
    most_seeds: how many there can be, where there is a limit.
    """

    label: str
    make: Callable[[int], Need]
    num_seeds: int = 3
    most_seeds: int | None = None


class Panel(NamedTuple):
    """Curves over seeds.

    read: the points `x` and `y` of one run. log: whether `x` is on a logarithmic axis.
    thresholds: of `y`; how much `x` each learner takes to them is written beside the picture.
    """

    title: str
    groups: tuple[Group, ...]
    xlabel: str
    ylabel: str
    read: Callable[[Path], tuple[Sequence[float], Sequence[float]]]
    log: bool = False
    thresholds: tuple[float, ...] = ()


class Figure(NamedTuple):
    """A figure of the thesis.

    title: what it shows. section: of the thesis.
    panels: of curves.
    others: what it is made of besides.
    draw: functions of `support.thesis.drawing` that draw it.
    lacks: what cannot be shown yet, or is not as in the thesis, and why.
    """

    title: str
    section: str
    draw: tuple[Callable[..., list[Path]], ...]
    panels: tuple[Panel, ...] = ()
    others: tuple[Group, ...] = ()
    lacks: tuple[str, ...] = ()

    @property
    def groups(self) -> list[Group]:
        """All, in order."""
        return [*(group for panel in self.panels for group in panel.groups), *self.others]


def over_steps(
    title: str,
    groups: Sequence[Group],
    metric: str = "test/return",
    *,
    log: bool = False,
    thresholds: tuple[float, ...] = (),
) -> Panel:
    """A panel of learning curves."""
    read = partial(read_learning, metric=metric)
    return Panel(title, tuple(groups), "environment steps", metric, read, log, thresholds)


def over_episodes(title: str, groups: Sequence[Group], metric: str = "test/return") -> Panel:
    """A panel of how the last tests went, by episode of a trial."""
    return Panel(title, tuple(groups), "episode of a trial", metric, partial(read_episodes, metric=metric))


def share_files(path: Path, files: Sequence[str]) -> float:
    """How many of some files there are."""
    return sum((path / file).is_file() for file in files) / len(files)


def share_experiment(path: Path) -> float:
    """Whether an experiment of mi-repr has an agent's results, its last part."""
    try:
        return float("agent" in json.loads((path / "results.json").read_text()))
    except (OSError, ValueError):
        return 0.0


def make_training(
    program: str,
    benchmark: str,
    name: str,
    seed: int,
    *,
    num_iterations: int,
    hours: float,
    flags: Sequence[str] = (),
    committed: str = "",
    after: tuple[Need, ...] = (),
) -> Need:
    """A run of a trainer of meta-RL; `name` and `committed` are without the seed."""
    place = f"{name}-{seed}"
    own = (f"--seed={seed}", f"--num_iterations={num_iterations}", f"--run_dir={{runs}}/{place}")
    flags = (f"--benchmark={benchmark}", *flags, *own)
    measure = partial(share_trained, num_iterations=num_iterations)
    return Need(place, place, program, flags, measure, hours, committed and f"{committed}-seed{seed}", after)


def make_variant(
    algorithm: str, folder: str, variant: str, seed: int, num_iterations: int, batch: int, **fields: Any
) -> Need:
    """A run of `ablations.py`; an iteration of the variant is so many (`batch`) of the preset's."""
    flags = (f"--algorithm={algorithm}", f"--variants={variant}", f"--seed={seed}")
    own = (f"--num_iterations={num_iterations}", f"--output_dir={{runs}}/{folder}")
    place, measure = f"{folder}/{variant}-{seed}", partial(share_trained, num_iterations=num_iterations // batch)
    return Need(place, place, "ablations.py", flags + own, measure, **fields)


def make_view(program: str, run: Need, file: str, flags: Sequence[str] = (), committed: str = "") -> Need:
    """A picture of how the agent of a run plays, which a program writes into the run's directory."""
    own = (f"--run_dir={{runs}}/{run.place}", *flags)
    measure = partial(share_files, files=(file,))
    return Need(f"{run.place}/{file}", run.place, program, own, measure, 0.1, committed, (run,), (file,))
