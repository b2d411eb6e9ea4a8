"""From what is searched to trials: a point for each combination of values, a trial for each point and seed."""

import itertools
import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import metarl_envs
from rlcore.experiment import difference, override, to_dict
from rlcore.meta import check_benchmark, read_run

from support.algorithms import ALGORITHMS, make_command
from support.jobs.records import Job
from support.runs import share_trained

EXAMPLES = Path(__file__).resolve().parents[2]
_LONGEST_NAME = 200
"""Of a point: a file system takes 255, and a seed and a suffix follow."""
_OUTSIDE_BRACKETS = re.compile(r",(?![^(]*\))")


class Settings(NamedTuple):
    """What all trials of a sweep share.

    algorithm: its name. benchmark: the tasks. preset: the config to start from. overrides: options of it, name=value.
    imports: a user's modules. num_iterations: to train, None for the preset's. runs: the folder of run directories.
    """

    algorithm: str
    benchmark: str
    preset: str
    overrides: tuple[str, ...]
    imports: tuple[str, ...]
    num_iterations: int | None
    runs: Path


class Point(NamedTuple):
    """A combination of values.

    values: of the options that are searched, as they are written in names. assignments: the same, as the user wrote
    them. config: with all options. num_iterations: to train.
    """

    values: dict[str, str]
    assignments: tuple[str, ...]
    config: Any
    num_iterations: int

    @property
    def name(self) -> str:
        """Such as `sac.discount=0.9,num_updates=5`."""
        return ",".join(f"{option}={value}" for option, value in self.values.items()) or "preset"


class Trial(NamedTuple):
    """A training of a point with a seed; the job's place is its run directory."""

    point: Point
    seed: int
    job: Job


def make_points(settings: Settings, searches: Sequence[str]) -> list[Point]:
    """A point for each combination of `OPTION:VALUE,VALUE`, the last option fastest; without any, the preset alone.

    Raises:
      ValueError: names the option and the value that does not fit, and what does; or what is given twice.
    """
    grid = dict[str, list[str]]()
    for option, values in map(_parse, searches):
        if option in grid or any(text.partition("=")[0].strip() == option for text in settings.overrides):
            raise ValueError(f"search must have values of {option} once, and no override of it")
        grid[option] = values
    algorithm, benchmark = ALGORITHMS[settings.algorithm], metarl_envs.benchmark(settings.benchmark)
    plan = algorithm.import_package().preset(settings.preset, benchmark)
    points = list[Point]()
    for values in itertools.product(*grid.values()):
        assignments = tuple(f"{option}={value}" for option, value in zip(grid, values, strict=True))
        config = override(plan.config, [*settings.overrides, *assignments])
        algorithm.make_learner(config, benchmark)  # refuses what does not fit the tasks
        options = to_dict(config)
        names = {option: _format(_find(options, option)) for option in grid}
        points.append(Point(names, assignments, config, settings.num_iterations or plan.num_iterations))
        if len(points[-1].name) > _LONGEST_NAME:
            raise ValueError(f"search must make names of at most {_LONGEST_NAME} characters, got {points[-1].name}")
        if points[-1].name in [point.name for point in points[:-1]]:
            raise ValueError(f"search must give each value once, got {points[-1].name} twice")
    return points


def make_trials(settings: Settings, points: Sequence[Point], num_seeds: int) -> list[Trial]:
    """All of a seed before the next.

    Raises:
      ValueError: the run directory of one holds a run of another benchmark or of other options.
      RunError: or of another algorithm.
    """
    trials = [_make_trial(settings, point, seed) for seed in range(num_seeds) for point in points]
    for trial in trials:
        _check_directory(settings, trial)
    return trials


def _make_trial(settings: Settings, point: Point, seed: int) -> Trial:
    name = f"{point.name}-seed{seed}"
    place = settings.runs / name
    flags = [f"--benchmark={settings.benchmark}", f"--preset={settings.preset}", f"--seed={seed}"]
    flags += [f"--import={name}" for name in settings.imports]
    flags += [f"--override={text}" for text in (*settings.overrides, *point.assignments)]
    flags += [f"--num_iterations={point.num_iterations}", f"--run_dir={place}"]
    is_finished = partial(_is_finished, place, point.num_iterations)
    program, *chosen = make_command(settings.algorithm)
    command = (str(EXAMPLES / program), *chosen, *flags)
    return Trial(point, seed, Job(name, place, command, settings.runs / "logs" / f"{name}.log", is_finished))


def _is_finished(place: Path, num_iterations: int) -> bool:
    return share_trained(place, num_iterations) >= 1


def _check_directory(settings: Settings, trial: Trial) -> None:
    """A finished run is not opened again, so who it is has to be asked here."""
    if not (trial.job.place / "config.json").exists():
        return
    saved = read_run(trial.job.place, settings.algorithm)
    check_benchmark(saved, metarl_envs.benchmark(settings.benchmark), trial.job.place)
    lines = difference({"config": saved.config}, {"config": to_dict(trial.point.config)})
    if lines:
        raise ValueError(f"runs: {trial.job.place} holds another run, choose another folder; {lines[0]}")


def _parse(search: str) -> tuple[str, list[str]]:
    option, colon, text = (part.strip() for part in search.partition(":"))
    values = [value.strip() for value in _OUTSIDE_BRACKETS.split(text)]
    if not (option and colon and all(values)):
        raise ValueError(f"search must look like option:value,value, got {search!r}")
    return option, values


def _find(options: dict[str, Any], option: str) -> Any:
    for part in option.split("."):
        options = options[part]
    return options


def _format(value: Any) -> str:
    """A value as it is written in names of directories."""
    if isinstance(value, list):
        return "x".join(map(_format, value))
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return str(value).replace("/", "-")


def group_by_point(trials: Sequence[Trial]) -> Iterator[tuple[Point, list[Trial]]]:
    """The trials of each point, in the order of points and of seeds."""
    groups: dict[str, list[Trial]] = {}
    for trial in trials:
        groups.setdefault(trial.point.name, []).append(trial)
    for group in groups.values():
        yield group[0].point, group
