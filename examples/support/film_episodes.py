"""A film of an agent: test tasks as rows, the episodes of a trial side by side as columns.

In the shape descriptions `N` denotes the tasks. The frame of an episode that has ended stays.
"""

import contextlib
from collections.abc import Sequence
from functools import partial

import jax
import numpy as np
from metarl_envs import FilmedFamily, Shot, Tasks
from PIL import Image
from rlcore.meta import Benchmark, Testing, Trained, TrialPlayer

from support.films import (
    FilmOptions,
    Shoot,
    add_caption,
    choose_tasks,
    explain_drawing,
    filmed_steps,
    join,
    print_returns,
)

_NUM_EPISODES = 3
_TILE_WIDTH = 240


def draw_frame(
    films: Sequence[Sequence[Sequence[Shot]]], step: int, names: Sequence[str], shown: Sequence[int]
) -> Image.Image:
    """One frame of the film, after a step of all episodes: `names` of the tasks as rows, episodes as columns.

    Args:
      films: of each task, its episodes' shots in the order of time.
      step: counted from the start of an episode.
      names: of the tasks.
      shown: the numbers of the episodes, counted from 0.
    """
    rows = []
    for name, episodes in zip(names, films, strict=True):
        tiles = []
        for number in shown:
            shot = [shot for shot in episodes[number] if shot.step <= step][-1]
            caption = f"{name}\nepisode {number + 1}  step {shot.step}  return {shot.episode_return:.1f}"
            tiles.append(add_caption(shot.image, caption))
        rows.append(tiles)
    return join(rows)


def prepare(trained: Trained, options: FilmOptions) -> Shoot:
    """Makes ready to film.

    Raises:
      ValueError: it cannot be filmed.
    """
    names, tasks = choose_tasks(trained.benchmark, options.num_tasks)
    _check_can_render(trained.benchmark)
    return partial(_shoot, trained, names, tasks, options)


def _shoot(trained: Trained, names: Sequence[str], tasks: Tasks, options: FilmOptions) -> list[Image.Image]:
    shown = choose_episodes(trained.learner.testing, options.num_episodes)
    horizon, num_episodes = trained.benchmark.family.horizon, max(shown) + 1
    steps = filmed_steps(horizon, options.every, num_steps=horizon)
    family = FilmedFamily(trained.benchmark.family, steps, num_episodes, keep=_to_tile)
    key = jax.random.fold_in(jax.random.key(options.seed), 1)
    with TrialPlayer(family) as player:
        visit = player.play(trained.learner.testing.policy, trained.params, tasks, key, num_episodes=num_episodes)
    returns = visit.by_episode(num_episodes, horizon).returns()
    print_returns(trained.benchmark, trained.iteration, names, returns)
    films = [film[:num_episodes] for film in family.films]
    return [draw_frame(films, step, names, shown) for step in steps]


def choose_episodes(testing: Testing, num_episodes: int | None) -> list[int]:
    """Which episodes of a trial are shown, counted from 0: so many as are asked for, or those that tell the most.

    Where the policy adapts to several episodes at once these are the first one, and the first one after each time.
    """
    if num_episodes is None and testing.adapts_after:
        return [0, *testing.adapts_after]
    return list(range(num_episodes or _NUM_EPISODES))


def _check_can_render(benchmark: Benchmark) -> None:
    """Draws once, before anything is played: whether that works is known only then."""
    one = benchmark.take_test_tasks(np.arange(1))
    with explain_drawing(benchmark), contextlib.closing(benchmark.family.make_vec(one, seed=0)) as env:
        env.reset(seed=0)
        pictures = env.render() or ()
        if not all(isinstance(picture, np.ndarray) and picture.ndim == 3 for picture in pictures) or not pictures:
            raise RuntimeError("render() of its environments gives no picture, an array [H, W, 3]")


def _to_tile(picture: np.ndarray) -> Image.Image:
    image = Image.fromarray(picture)
    return image.resize((_TILE_WIDTH, round(_TILE_WIDTH * image.height / image.width)))
