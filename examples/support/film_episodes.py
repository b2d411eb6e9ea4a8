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
