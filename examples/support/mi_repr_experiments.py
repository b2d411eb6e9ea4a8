"""Experiments of mi-repr on several games, and the results of those that are finished."""

import glob
import itertools
import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import metarl_envs
import numpy as np
from mi_repr.deep import catcher
from rlcore.experiment import override, read_metrics

from support.curves import t_interval

Key = tuple[str, str, int]
"""Game, objective and seed of an experiment."""

Results = Mapping[Key, Mapping[str, Any]]
"""By part, as from `Experiment.run`."""

_COLUMNS = {
    "return": ("agent", "test/return"),
    "Q* return": ("regression", "return"),
    "paddle x": ("probe", "mlp/paddle_x"),
    "fruit x": ("probe", "mlp/fruit_x"),
    "fruit y": ("probe", "mlp/fruit_y"),
    "gripper acc.": ("probe", "mlp/gripper"),
    "info. (bits)": ("information", "information"),
    "of (bits)": ("information", "exact"),
}
"""Of the table, and where results have them."""


def find_runs(patterns: Sequence[str]) -> dict[Key, Path]:
    """The directories of experiments that match a pattern and have results, by what their results say they are.

    Raises:
      ValueError: a pattern matches nothing that has results, or two directories hold the same experiment.
    """
    found: dict[Key, Path] = {}
    for pattern in patterns:
        paths = [Path(path) for path in sorted(glob.glob(os.path.expanduser(pattern)))]
        finished = [path for path in paths if (path / "results.json").exists()]
        if not finished:
            raise ValueError(f"runs: nothing that matches {pattern!r} has a results.json")
        for path in finished:
            try:
                results = json.loads((path / "results.json").read_text())
                key = results["benchmark"].removesuffix("-v0"), results["representation"], results["seed"]
            except (ValueError, KeyError, TypeError):
                raise ValueError(f"runs: {path / 'results.json'} holds no results of an experiment") from None
            if found.setdefault(key, path) != path:
                raise ValueError(f"runs: {found[key]} and {path} both hold {key[0]}, {key[1]}, seed {key[2]}")
    return found


def make_experiments(
    keys: Iterable[Key], run_dir: Path, preset: str, overrides: Sequence[str], found: Mapping[Key, Path]
) -> dict[Key, catcher.Experiment]:
    """The experiments, each in a directory of its own: where it was found, else below `run_dir`.

    Raises:
      ValueError: an unknown option, or one that a key is for.
    """
    experiments = {}
    for game, objective, seed in keys:
        benchmark = metarl_envs.benchmark(f"{game}-v0")
        config = override(catcher.preset(preset, objective, benchmark.name), overrides)
        if config.representation != objective:
            raise ValueError("override must leave representation alone: --objectives names it")
        directory = found.get((game, objective, seed), run_dir / f"{game}-{objective}-{seed}")
        experiments[game, objective, seed] = catcher.Experiment(benchmark, config, seed, directory)
    return experiments


def load_results(experiments: Mapping[Key, catcher.Experiment]) -> Results:
    """The results of the experiments that are finished, and as `tests` how their agents came there.

    Raises:
      RunError: one of them had another config.
    """
    loaded = {key: experiment.results() for key, experiment in experiments.items()}
    return {
        key: {**results, "tests": load_tests(experiments[key].directory / "agent")}
        for key, results in loaded.items()
        if "agent" in results
    }


def load_tests(run_dir: Path) -> dict[str, list[float]]:
    """The steps and the returns of an agent's tests."""
    rows = [row for row in read_metrics(run_dir) if "test/return" in row]
    return {name: [row[name] for row in rows] for name in ("env_steps", "test/return")}


def of_seeds(results: Results, game: str, objective: str, *path: str) -> np.ndarray:
    """What every seed that has it found at a path, `[S, ...]`."""
    values: list[Any] = [found for key, found in results.items() if key[:2] == (game, objective)]
    for name in path:
        values = [value[name] for value in values if name in value]
    return np.array(values, float)


def print_table(results: Results, games: Sequence[str], objectives: Sequence[str]) -> None:
    """Means over seeds, a line for each game and objective, and the interval of the return."""
    print(f"{'game':26}{'objective':16}{'seeds':>6}{'95% of return':>16}" + "".join(f"{name:>14}" for name in _COLUMNS))
    for game, objective in itertools.product(games, objectives):
        num_seeds = sum(key[:2] == (game, objective) for key in results)
        if not num_seeds:
            continue
        cells = []
        for name, path in _COLUMNS.items():
            values = of_seeds(results, game, objective, *path) / (math.log(2) if "bits" in name else 1)
            cells.append(f"{values.mean():14.3f}" if values.size else f"{'':14}")
        interval = t_interval(of_seeds(results, game, objective, *_COLUMNS["return"]))
        shown = "" if interval is None else f"[{interval[0]:.2f}, {interval[1]:.2f}]"
        print(f"{game:26}{objective:16}{num_seeds:6d}{shown:>16}" + "".join(cells))
    print(
        "95%: Student's t-interval of the mean over seeds, of two or more; not cut at the limits of a return, -1 and 1"
    )
