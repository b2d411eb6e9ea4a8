"""A film of PEARL: test tasks as rows, the episodes of a trial side by side as columns.

In the shape descriptions `N` denotes the tasks. The frame of an episode that has ended stays.
"""

import contextlib
from collections.abc import Collection, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
import pearl_jax
from films import (
    FilmOptions,
    Shoot,
    add_caption,
    choose_tasks,
    explain_drawing,
    filmed_steps,
    join,
    print_returns,
)
from gymnasium.vector import VectorEnv, VectorWrapper
from metarl_envs import Benchmark, TaskFamily, Tasks, take_tasks
from PIL import Image
from rlcore.meta import TrialPlayer
from trained_pearl import TrainedPearl, load_trained

_NUM_EPISODES = 3
_TILE_WIDTH = 240


class Shot(NamedTuple):
    """What a camera saw at one moment of an episode in `N` tasks.

    images: `N` of the same size. steps: `[N]` int, taken so far. returns: `[N]`, undiscounted, so far.
    """

    images: tuple[Image.Image, ...]
    steps: np.ndarray
    returns: np.ndarray


class FilmedFamily:
    """A family whose vector environments leave their pictures here, an entry of `episodes` for each `reset`."""

    def __init__(self, family: TaskFamily, steps: Collection[int]) -> None:
        """Films `family` after these steps of an episode."""
        self.horizon = family.horizon
        self.steps = steps
        self.episodes: list[list[Shot]] = []
        self._family = family

    @property
    def functional(self) -> None:
        """None, so that trials are played step by step."""

    def make_vec(self, tasks: Tasks, seed: int | None = None) -> VectorEnv[Any, Any, np.ndarray]:
        """The family's own environment, filmed."""
        return Camera(self._family.make_vec(tasks, seed), self)


class Camera(VectorWrapper[Any, Any, Any, Any, np.ndarray]):
    """Films a vector environment until each of its episodes has ended."""

    def __init__(self, env: VectorEnv[Any, Any, np.ndarray], family: FilmedFamily) -> None:
        """Films `env` into `family.episodes`."""
        super().__init__(env)
        self._family = family
        self._step = 0
        self._active, self._steps, self._returns = self._begin()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begins an episode everywhere, and its film."""
        result = self.env.reset(seed=seed, options=options)
        self._step = 0
        self._active, self._steps, self._returns = self._begin()
        self._family.episodes.append([])
        self._shoot()
        return result

    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Plays one step everywhere; what follows the end of an episode counts no more."""
        result = self.env.step(actions)
        _, reward, terminated, truncated, _ = result
        self._step += 1
        self._steps += self._active
        self._returns += np.where(self._active, reward, 0)
        self._active &= ~(terminated | truncated)
        if self._step in self._family.steps:
            self._shoot()
        return result

    def _begin(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        n = self.num_envs
        return np.ones(n, bool), np.zeros(n, int), np.zeros(n)

    def _shoot(self) -> None:
        shots = self._family.episodes[-1]
        images = shots[-1].images if shots else ()
        if self._active.any():
            frames = self.env.render() or ()
            # After its end an environment shows the start of the next episode.
            images = tuple(
                _to_tile(np.asarray(frame)) if active else images[i]
                for i, (frame, active) in enumerate(zip(frames, self._active, strict=True))
            )
        shots.append(Shot(images, self._steps.copy(), self._returns.copy()))


def draw_frame(episodes: Sequence[Sequence[Shot]], moment: int, names: Sequence[str]) -> Image.Image:
    """One frame of the film: `names` of the tasks as rows, episodes as columns, all at the same moment."""
    rows = []
    for row, name in enumerate(names):
        tiles = []
        for column, shots in enumerate(episodes):
            images, steps, returns = shots[moment]
            caption = f"{name}\nepisode {column + 1}  step {steps[row]}  return {returns[row]:.1f}"
            tiles.append(add_caption(images[row], caption))
        rows.append(tiles)
    return join(rows)


def prepare(options: FilmOptions) -> Shoot:
    """Reads a run of train_pearl.py.

    Raises:
      ValueError: it cannot be filmed as asked.
    """
    trained = load_trained(options.run_dir, options.overrides)
    names, tasks = choose_tasks(trained.benchmark, options.num_tasks)
    _check_can_render(trained.benchmark)
    return partial(_shoot, trained, names, tasks, options)


def _shoot(trained: TrainedPearl, names: Sequence[str], tasks: Tasks, options: FilmOptions) -> list[Image.Image]:
    benchmark = trained.benchmark
    horizon = benchmark.family.horizon
    steps = filmed_steps(horizon, options.every, num_steps=horizon)
    family = FilmedFamily(benchmark.family, steps)
    policy = pearl_jax.make_test_policy(trained.agent)
    play = TrialPlayer(policy, family, options.num_episodes or _NUM_EPISODES)
    trials = play(trained.params, tasks, jax.random.fold_in(jax.random.key(options.seed), 1))
    print_returns(benchmark, trained.iteration, names, trials.returns())
    return [draw_frame(family.episodes, moment, names) for moment in range(len(steps))]


def _check_can_render(benchmark: Benchmark) -> None:
    """Draws once, before anything is played: whether that works is known only then."""
    one = take_tasks(benchmark.test_tasks, [0])
    with explain_drawing(benchmark), contextlib.closing(benchmark.family.make_vec(one, seed=0)) as env:
        env.reset(seed=0)
        if env.render() is None:
            raise RuntimeError("its environments have no pictures")


def _to_tile(frame: np.ndarray) -> Image.Image:
    image = Image.fromarray(frame)
    return image.resize((_TILE_WIDTH, round(_TILE_WIDTH * image.height / image.width)))
