"""Runs of meta-training that know who they are, and trained agents read back from them."""

import contextlib
import dataclasses
import os
from collections.abc import Callable, Generator, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from rlcore.experiment import Run, RunError, difference, load_config, restore_part, to_dict
from rlcore.meta.player import Player
from rlcore.meta.policy import Benchmark
from rlcore.meta.training import MetaLearner
from rlcore.meta.trials import TrialPlayer, Visit
from rlcore.types import Params


def identify(
    algorithm: str, config: Any, benchmark: Benchmark, seed: int, parts: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Who a run is: all that its numbers depend on, but for the versions of packages.

    Args:
      algorithm: its name.
      config: its options, a dataclass.
      benchmark: with its task sets.
      seed: of everything random.
      parts: what else the algorithm depends on, by name.

    Raises:
      ValueError: the seed is not one.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
        raise ValueError(f"seed must be an integer in [0, 2^32), got {seed!r}")
    identity = {
        "algorithm": algorithm,
        "benchmark": dict(benchmark.identity()),
        "seed": int(seed),
        "config": to_dict(config),
    }
    return {**identity, **(parts or {})}


def check_run(run: Run, identity: Mapping[str, Any], opener: str) -> None:
    """Refuses to train in a run that was opened as another one.

    Args:
      run: opened.
      identity: from `identify`, of what is to be trained.
      opener: what opens such runs, for the message.

    Raises:
      RunError: shows where they differ.
    """
    saved = {name: value for name, value in load_config(run.directory).items() if name != "versions"}
    lines = difference(saved, identity)
    if lines:
        head = f"run_dir {run.directory} was not opened as what is to be trained; {opener} does that:"
        raise RunError("\n  ".join([head, *lines]))


@contextlib.contextmanager
def closed_on_error(run: Run) -> Generator[None]:
    """Around what comes between opening a run and training in it: an error there gives the directory free."""
    try:
        yield
    except BaseException:
        run.close()
        raise


class SavedRun(NamedTuple):
    """What config.json says of a run.

    algorithm: its name. benchmark: name and digests of the task sets, None where an earlier version did not write
    them. seed: of everything random. config: the algorithm's options. parts: what else the algorithm wrote.
    """

    algorithm: str
    benchmark: dict[str, str | None]
    seed: int
    config: dict[str, Any]
    parts: dict[str, Any]


_IDENTITY = ("algorithm", "benchmark", "seed", "config", "versions")


def read_run(run_dir: str | os.PathLike[str], algorithm: str) -> SavedRun:
    """Reads who a run is, also of a directory that version 0.1.0 wrote.

    Args:
      run_dir: of the run.
      algorithm: which it must be of.

    Raises:
      RunError: there is no run, or it is of another algorithm.
    """
    saved = load_config(run_dir)
    if "algorithm" not in saved and {algorithm, "benchmark", "seed"} <= saved.keys():  # version 0.1.0
        benchmark = {"name": saved["benchmark"], "train_tasks": None, "test_tasks": None}
        parts = {name: part for name, part in saved.items() if name not in (algorithm, "benchmark", "seed")}
        return SavedRun(algorithm, benchmark, saved["seed"], saved[algorithm], parts)
    found = saved.get("algorithm")
    if found != algorithm or not {"benchmark", "seed", "config"} <= saved.keys():
        others = [name for name in ("pearl", "meld") if name in saved]
        found = found or (others[0] if others else "something else")
        raise RunError(f"run_dir must hold a run of {algorithm}, got {run_dir}, a run of {found}")
    parts = {name: part for name, part in saved.items() if name not in _IDENTITY}
    return SavedRun(algorithm, saved["benchmark"], saved["seed"], saved["config"], parts)


def check_benchmark(saved: SavedRun, benchmark: Benchmark, run_dir: str | os.PathLike[str]) -> None:
    """Refuses a benchmark that a run was not trained on.

    Raises:
      RunError: names what differs.
    """
    now = benchmark.identity()
    for name, value in saved.benchmark.items():
        if value is not None and now[name] != value:
            raise RunError(f"run_dir {run_dir} is of a benchmark with {name} {value}, got one with {now[name]}")


@dataclasses.dataclass(frozen=True)
class Trained:
    """A trained agent, read back from its run directory.

    learner: what was trained. params: those that tests use. benchmark: on what. seed: of the run.
    iteration, env_steps: for how long.
    """

    learner: Any
    params: Params
    benchmark: Benchmark
    seed: int
    iteration: int
    env_steps: int

    def play(self, tasks: Any = None, *, num_episodes: int | None = None, seed: int = 0) -> Visit:
        """A trial in each of some tasks, by default all test tasks.

        Args:
          tasks: `N` tasks of the family.
          num_episodes: of a trial, by default as many as in tests.
          seed: of everything random.
        """
        tasks = self.benchmark.test_tasks if tasks is None else tasks
        key = jax.random.fold_in(jax.random.key(seed), 1)  # not the key that training starts from
        with TrialPlayer(self.benchmark.family) as player:
            return player.play(
                self.learner.testing.policy,
                self.params,
                tasks,
                key,
                num_episodes=num_episodes or self.learner.testing.num_episodes,
            )

    def evaluate(self, tasks: Any = None, *, num_episodes: int | None = None, seed: int = 0) -> np.ndarray:
        """Returns `[N, K]` of episodes 1 to K in each of some tasks, by default all test tasks; see `play`."""
        num_episodes = num_episodes or self.learner.testing.num_episodes
        visit = self.play(tasks, num_episodes=num_episodes, seed=seed)
        return np.asarray(visit.by_episode(num_episodes, self.benchmark.family.horizon).returns())

    def player(self, seed: int = 0) -> Player:
        """Plays one environment step by step, see `Player`."""
        family = self.benchmark.family
        key = jax.random.key(seed)
        return Player(self.learner.testing.policy, self.params, family.observation_space, family.action_space, key)


def load_trained(
    run_dir: str | os.PathLike[str],
    learner: MetaLearner,
    benchmark: Benchmark,
    seed: int,
    rename: Callable[[str], str] | None = None,
) -> Trained:
    """Reads what tests use of the newest checkpoint of a run, and nothing else of it.

    Args:
      run_dir: of the run.
      learner: as it was trained.
      benchmark: on what.
      seed: of the run.
      rename: from a name of a leaf of the state to an earlier version's.

    Raises:
      RunError: there is no intact checkpoint, or it does not fit.
    """
    params = jax.eval_shape(lambda key: learner.test_params(learner.init(key)[0]), jax.random.key(0))
    templates = {learner.test_params_name: params, ".env_steps": jax.ShapeDtypeStruct((), np.int32)}
    parts, iteration = restore_part(run_dir, templates, rename=rename)
    return Trained(learner, parts[learner.test_params_name], benchmark, seed, iteration, int(parts[".env_steps"]))
