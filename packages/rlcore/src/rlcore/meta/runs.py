"""Runs of meta-training that know who they are, and trained agents read back from them."""

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import chex
import jax
import numpy as np

from rlcore.experiment import (
    Run,
    RunError,
    check_seed,
    difference,
    load_config,
    override,
    package_versions,
    restore_part,
    to_dict,
)
from rlcore.meta.player import Player
from rlcore.meta.policy import Benchmark
from rlcore.meta.training import MetaLearner, TrainState, meta_train
from rlcore.meta.trials import TrialPlayer, Visit
from rlcore.types import Params


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


_WRITTEN = ("algorithm", "benchmark", "seed", "config", "versions")


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
    if found == algorithm:
        kinds = {"benchmark": dict, "config": dict, "seed": int}
        damaged = [name for name, kind in kinds.items() if not isinstance(saved.get(name), kind)]
        if damaged:
            raise RunError(f"config.json of run_dir {run_dir} is damaged: it has no {', '.join(damaged)} as it must be")
    else:
        others = [name for name in ("pearl", "meld") if name in saved]
        found = found or (others[0] if others else "something else")
        raise RunError(f"run_dir must hold a run of {algorithm}, got {run_dir}, a run of {found}")
    parts = {name: part for name, part in saved.items() if name not in _WRITTEN}
    return SavedRun(algorithm, saved["benchmark"], saved["seed"], saved["config"], parts)


def check_benchmark(saved: SavedRun, benchmark: Benchmark, run_dir: str | os.PathLike[str]) -> None:
    """Refuses a benchmark that a run was not trained on.

    Raises:
      RunError: names what differs.
    """
    now = benchmark.identity()
    for name, value in saved.benchmark.items():
        if value is not None and now.get(name) != value:
            raise RunError(f"run_dir {run_dir} is of a benchmark with {name} {value}, got one with {now.get(name)}")


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
        if tasks is None:
            tasks = self.benchmark.take_test_tasks(np.arange(self.benchmark.num_test_tasks))
        with TrialPlayer(self.benchmark.family) as player:
            return player.play(
                self.learner.testing.policy,
                self.params,
                tasks,
                self._key(seed),
                num_episodes=self.learner.testing.num_episodes if num_episodes is None else num_episodes,
            )

    def evaluate(self, tasks: Any = None, *, num_episodes: int | None = None, seed: int = 0) -> np.ndarray:
        """Returns `[N, K]` of episodes 1 to K in each of some tasks, by default all test tasks; see `play`."""
        num_episodes = self.learner.testing.num_episodes if num_episodes is None else num_episodes
        visit = self.play(tasks, num_episodes=num_episodes, seed=seed)
        return np.asarray(visit.by_episode(num_episodes, self.benchmark.family.horizon, with_obs=False).returns())

    def player(self, seed: int = 0) -> Player:
        """Plays one environment step by step, see `Player`."""
        family = self.benchmark.family
        policy, spaces = self.learner.testing.policy, (family.observation_space, family.action_space)
        return Player(policy, self.params, *spaces, self._key(seed))

    def _key(self, seed: int) -> chex.PRNGKey:
        return jax.random.fold_in(jax.random.key(check_seed(seed)), 1)  # not the key that training starts from


@dataclasses.dataclass(frozen=True)
class Algorithm:
    """The runs of an algorithm: opened, trained in, read back. A package offers the three methods as its functions.

    What a learner takes beside config and benchmark, and numbers depend on, are its `parts`, by name.

    name: of the algorithm, in run directories.
    package: whose `open_run` opens its runs, for messages; its distribution's version is written.
    config_type: of its options, a dataclass.
    make_learner: from config, benchmark and parts to its learner; raises ValueError where they do not fit.
    read_config: from what a run directory says to the config.
    find_benchmark: from the name of a registered benchmark to it; raises ValueError where there is none.
    test_options: of the config, which may be replaced when a run is read.
    describe: from the parts to what a run directory says of them, which numbers depend on.
    rename: from a name of a leaf of the state to that in version 0.1.0.
    """

    name: str
    package: str
    config_type: type[Any]
    make_learner: Callable[..., MetaLearner]
    read_config: Callable[[SavedRun], Any]
    find_benchmark: Callable[[str], Benchmark]
    test_options: tuple[str, ...]
    describe: Callable[..., dict[str, Any]] = lambda **parts: {}
    rename: Callable[[str], str] = lambda name: name

    def open_run(
        self,
        run_dir: str | os.PathLike[str],
        config: Any,
        benchmark: Benchmark,
        seed: int,
        *,
        checkpoint_every: int = 1,
        keep: int = 3,
        tensorboard: bool = False,
        trackers: Sequence[str] = (),
        **parts: Any,
    ) -> Run:
        """Opens a new run, or one to go on with.

        Args:
          run_dir: a directory that holds this run, is empty, or does not exist.
          config: the algorithm's options.
          benchmark: what to train on.
          seed: of everything random.
          checkpoint_every: see `rlcore.experiment.Run.open`.
          keep: see there.
          tensorboard: see there.
          trackers: see there.
          **parts: what the learner takes besides.

        Raises:
          ValueError: the seed is none, or config and benchmark do not fit; nothing is written.
          RunError: the directory holds another run; shows where they differ.
        """
        identity = self._identify(config, benchmark, seed, parts)
        self.make_learner(config, benchmark, **parts)
        self._refuse_first_version(run_dir)
        distribution = self.package.partition(".")[0].replace("_", "-")
        versions = package_versions(distribution, "metarl-envs", "rlcore", "jax")
        options = {"checkpoint_every": checkpoint_every, "keep": keep, "tensorboard": tensorboard}
        return Run.open(run_dir, _as_written(run_dir, identity), versions=versions, trackers=trackers, **options)

    def train(
        self, config: Any, benchmark: Benchmark, run: Run, *, seed: int, num_iterations: int, **parts: Any
    ) -> TrainState:
        """Meta-trains in a run that `open_run` opened with the same arguments, see `meta_train`.

        Args:
          config: the algorithm's options.
          benchmark: tasks to train on, and to test on as it goes.
          run: where metrics and checkpoints go.
          seed: of everything random.
          num_iterations: how many in all, those of earlier runs in this directory included.
          **parts: what the learner takes besides.

        Returns:
          The state after the last iteration.

        Raises:
          ValueError: an argument is not what is said here, or config and benchmark do not fit.
          RunError: the run was opened as another one, or it does not fit into memory.
          NonFiniteError: an environment, the agent or a loss gave a number that is not finite; the last checkpoint is
            intact.
        """
        if not isinstance(run, Run):
            raise ValueError(f"run must be what {self.package}.open_run gives, got {run!r}")
        try:
            self._check_run(run, self._identify(config, benchmark, seed, parts))
            learner = self.make_learner(config, benchmark, **parts)
            return meta_train(learner, benchmark, run, seed=seed, num_iterations=num_iterations)
        finally:
            run.close()  # gives the directory free, also where training never began

    def load(
        self,
        run_dir: str | os.PathLike[str],
        overrides: Sequence[str] = (),
        *,
        benchmark: Benchmark | None = None,
        **parts: Any,
    ) -> Trained:
        """Reads what tests use of a run's newest checkpoint, and nothing else of it; also while the run goes on.

        Args:
          run_dir: of the run.
          overrides: test options of its config to replace, such as `deterministic_test=false`.
          benchmark: that it was trained on; by default the registered one of its name.
          **parts: what the learner takes besides.

        Raises:
          RunError: there is no such run, it is of another algorithm or benchmark or has other parts, or its checkpoints
            are damaged.
          ValueError: no benchmark has its name, or an override is no option of tests.
        """
        saved, learner, benchmark = self.read(run_dir, overrides, benchmark=benchmark, **parts)
        params = jax.eval_shape(lambda key: learner.test_params(learner.init(key)[0]), jax.random.key(0))
        templates = {learner.test_params_name: params, ".env_steps": jax.ShapeDtypeStruct((), np.int32)}
        found, iteration = restore_part(run_dir, templates, rename=self.rename)
        env_steps = int(found[".env_steps"])
        return Trained(learner, found[learner.test_params_name], benchmark, saved.seed, iteration, env_steps)

    def read(
        self,
        run_dir: str | os.PathLike[str],
        overrides: Sequence[str] = (),
        *,
        benchmark: Benchmark | None = None,
        **parts: Any,
    ) -> tuple[SavedRun, MetaLearner, Benchmark]:
        """Reads who a run is, without its checkpoints; see `load`."""
        saved = read_run(run_dir, self.name)
        if isinstance(overrides, str) or not all(isinstance(assignment, str) for assignment in overrides):
            raise ValueError(f"overrides must be a list such as ['deterministic_test=false'], got {overrides!r}")
        for assignment in overrides:
            name = assignment.partition("=")[0].strip()
            if name not in self.test_options:
                allowed = ", ".join(self.test_options)
                raise ValueError(
                    f"override must be of a test option ({allowed}) where a run is read, got {assignment!r}"
                )
        config = override(self.read_config(saved), overrides)
        self._check_parts(saved, parts, run_dir)
        benchmark = self.find_benchmark(str(saved.benchmark["name"])) if benchmark is None else benchmark
        check_benchmark(saved, benchmark, run_dir)
        return saved, self.make_learner(config, benchmark, **parts), benchmark

    def _refuse_first_version(self, run_dir: str | os.PathLike[str]) -> None:
        try:
            saved = load_config(run_dir)
        except RunError:
            return  # none is there, or none that can be read, of which `Run.open` tells
        if "algorithm" not in saved and self.name in saved:
            load = f"{self.package}.load"
            raise RunError(f"run_dir {run_dir} is of version 0.1.0: {load} reads it, but training goes on in a new one")

    def _check_parts(self, saved: SavedRun, parts: Mapping[str, Any], run_dir: str | os.PathLike[str]) -> None:
        """Refuses parts that a run was not trained with; those that only training needs may be left out."""
        if saved.benchmark["train_tasks"] is None:  # version 0.1.0, which did not write all of them
            return
        given, left_out = self.describe(**parts), self.describe()
        for name in {**saved.parts, **given}:
            there, here = saved.parts.get(name, "none"), given.get(name, "none")
            if here != there and (name not in left_out or here != left_out[name]):
                raise RunError(f"run_dir {run_dir} was trained with {name} {there}, got {here}")

    def _identify(self, config: Any, benchmark: Benchmark, seed: int, parts: Mapping[str, Any]) -> dict[str, Any]:
        """Who a run is: all that its numbers depend on, but for the versions of packages."""
        if not isinstance(config, self.config_type):
            hint = "; its field config is one" if hasattr(config, "config") else ""
            raise ValueError(f"config must be a {self.config_type.__name__}, got a {type(config).__name__}{hint}")
        if not hasattr(benchmark, "identity"):
            raise ValueError(f"benchmark must be a metarl_envs.Benchmark, got {benchmark!r}")
        return {
            "algorithm": self.name,
            "benchmark": dict(benchmark.identity()),
            "seed": check_seed(seed),
            "config": to_dict(config),
            **self.describe(**parts),
        }

    def _check_run(self, run: Run, identity: Mapping[str, Any]) -> None:
        saved = {name: value for name, value in load_config(run.directory).items() if name != "versions"}
        lines = difference(saved, _as_written(run.directory, identity))
        if lines:
            head = (
                f"run_dir {run.directory} was not opened as what is to be trained; {self.package}.open_run does that:"
            )
            raise RunError("\n  ".join([head, *lines]))


def _as_written(run_dir: str | os.PathLike[str], identity: Mapping[str, Any]) -> dict[str, Any]:
    """Who a run is, without what was not written of its benchmark when its directory began."""
    try:
        written = load_config(run_dir).get("benchmark")
    except RunError:
        written = None  # none is there, or none that can be read, of which `Run.open` tells
    if not isinstance(written, dict):
        return dict(identity)
    benchmark = {name: value for name, value in identity["benchmark"].items() if name in written}
    return {**identity, "benchmark": benchmark}
