"""Runs read back, whatever their algorithm; and a user's own modules."""

import dataclasses
import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import metarl_envs
import numpy as np
from absl import flags
from metarl_envs import Benchmark, take_tasks
from rlcore.experiment import RunError, latest_iteration, load_config, read_metrics, user_errors
from rlcore.meta import Trained, read_run

from support.algorithms import ALGORITHMS, Algorithm

flags.disclaim_key_flags()


def define_import_flag() -> flags.FlagHolder[list[str]]:
    """Defines `--import`, for `import_modules`."""
    help_text = "A module of your own that registers benchmarks, such as mine for ./mine.py; may be given many times."
    return flags.DEFINE_multi_string("import", [], help_text)


def import_modules(names: Sequence[str]) -> None:
    """Imports a user's modules, from the working directory too; what one of them raises keeps its traceback.

    A name that is none ends the program with a message.
    """
    if names:
        sys.path.append(os.getcwd())
    for name in names:
        with user_errors():
            _check_module(name)
        importlib.import_module(name)


def _check_module(name: str) -> None:
    try:
        found = importlib.util.find_spec(name) is not None
    except ModuleNotFoundError as error:
        # A package that is there, and imports what is not, is a bug of its own.
        found = error.name is not None and not name.startswith(error.name)
    except (ImportError, ValueError):
        found = False
    if not found:
        raise ValueError(f"import must name a module, such as mine for ./mine.py, got {name!r}")


def load_run(run_dir: str, overrides: Sequence[str]) -> tuple[Algorithm, Trained]:
    """Reads the newest checkpoint of a run, with some test options of its config replaced.

    Raises:
      ValueError: there is no such run, its benchmark is not registered, or an override is no option of it.
    """
    saved = load_config(run_dir)
    # Version 0.1.0 wrote the options under the algorithm's name.
    name = saved.get("algorithm") or next((name for name in ALGORITHMS if name in saved), None)
    if name not in ALGORITHMS:
        *programs, last = dict.fromkeys(algorithm.program for algorithm in ALGORITHMS.values())
        raise ValueError(f"run_dir must be a run of {', '.join(programs)} or {last}, got {run_dir}")
    benchmark = find_benchmark(read_run(run_dir, name).benchmark["name"])
    return ALGORITHMS[name], ALGORITHMS[name].import_package().load(run_dir, overrides, benchmark=benchmark)


def with_train_tasks(trained: Trained) -> Trained:
    """The same agent, whose tests are in the tasks that it was trained on."""
    benchmark = find_benchmark(trained.benchmark.name)
    return dataclasses.replace(trained, benchmark=dataclasses.replace(benchmark, test_tasks=benchmark.train_tasks))


def share_trained(path: Path, num_iterations: int) -> float:
    """How much of a training there is: by its newest checkpoint, of a committed curve by its last line."""
    try:
        is_run = (path / "config.json").exists()
        return min(1.0, (latest_iteration(path) if is_run else read_metrics(path)[-1]["iteration"]) / num_iterations)
    except (RunError, IndexError):
        return 0.0


def find_benchmark(name: str | None) -> Benchmark:
    """The registered benchmark of that name, or for `NAME:5` the first five train tasks of it.

    Raises:
      ValueError: there is none.
    """
    whole, _, number = str(name).rpartition(":")
    if str(name) not in metarl_envs.benchmark_names() and number.isdecimal():
        return restrict(find_benchmark(whole), int(number))
    try:
        return metarl_envs.benchmark(str(name))
    except ValueError as error:
        raise ValueError(f"{error}; one of your own comes by --import=MODULE") from None


def restrict(benchmark: Benchmark, num_tasks: int) -> Benchmark:
    """The benchmark with the first so many of its train tasks, under the name that `find_benchmark` reads.

    Raises:
      ValueError: it has fewer.
    """
    if not 1 <= num_tasks <= benchmark.num_train_tasks:
        raise ValueError(
            f"benchmark {benchmark.name} must have {num_tasks} train tasks, has {benchmark.num_train_tasks}"
        )
    tasks = take_tasks(benchmark.train_tasks, np.arange(num_tasks))
    return dataclasses.replace(benchmark, name=f"{benchmark.name}:{num_tasks}", train_tasks=tasks)


def check_sizes(algorithm: Algorithm, trained: Trained, num_tasks: int | None, num_episodes: int | None) -> None:
    """Raises ValueError where there are fewer tasks to test in, or the algorithm plays fewer episodes."""
    benchmark, most = trained.benchmark, trained.learner.testing.num_episodes
    if (num_tasks or 0) > benchmark.num_test_tasks:
        raise ValueError(f"num_tasks must be at most {benchmark.num_test_tasks} for {benchmark.name}, got {num_tasks}")
    if algorithm.within_trained_length and (num_episodes or 0) > most:
        raise ValueError(f"num_episodes must be at most the {most} that this agent was trained on, got {num_episodes}")
