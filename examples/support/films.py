"""What films of trials share: options, names of tasks, tiles with captions, and the files.

Each kind of film is a module with a function `prepare(trained, options)`. It refuses what cannot be filmed, and returns
a `Shoot`.
"""

import contextlib
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import chex
import numpy as np
from metarl_envs import PointTask, Tasks, get_task
from metarl_envs.locomotion import DirectionTask, DynamicsTask, GoalTask, SignTask, VelocityTask
from metarl_envs.manipulation.buttons import ButtonTask
from metarl_envs.manipulation.ethernet import EthernetTask
from metarl_envs.manipulation.peg import PegTask
from metarl_envs.manipulation.reacher import ReachTask
from metarl_envs.manipulation.shelf import ShelfTask
from PIL import Image, ImageDraw, ImageFont
from rlcore.meta import Benchmark

Shoot = Callable[[], list[Image.Image]]
"""Plays the trials, prints their returns, and returns the frames of the film, all of the same size."""

_LINE_HEIGHT, _GAP = 18, 4
_NUM_TASKS, _NUM_FRAMES, _NUM_SHEET_FRAMES = 3, 50, 4
_LAST_FRAME_MS = 1500


class FilmOptions(NamedTuple):
    """What a user asks for; None is the film's own default.

    num_tasks, num_episodes: of the trials. every: steps from frame to frame. seed: of the trials.
    """

    num_tasks: int | None
    num_episodes: int | None
    every: int | None
    seed: int


def choose_tasks(benchmark: Benchmark, num_tasks: int | None) -> tuple[list[str], Tasks]:
    """Test tasks, evenly spread over all, and their names."""
    available = benchmark.num_test_tasks
    num_tasks = num_tasks or min(_NUM_TASKS, available)
    chosen = np.linspace(0, available - 1, num_tasks).round().astype(int)
    tasks = benchmark.take_test_tasks(chosen)
    return [describe(get_task(tasks, row), index) for row, index in enumerate(chosen)], tasks


def describe(task: Any, index: int) -> str:
    """A task in a few words; `index` is its place in the test set."""
    match task:
        case VelocityTask(velocity):
            return f"target {velocity:.2f} m/s"
        case SignTask(sign):
            return "forward" if sign > 0 else "backward"
        case DirectionTask(angle):
            return f"direction {np.rad2deg(angle):.0f} deg"
        case GoalTask(goal) | PointTask(goal):
            return f"goal ({goal[0]:.1f}, {goal[1]:.1f}) m"
        case DynamicsTask():
            return f"body {index}"
        case ReachTask(goal):
            return f"goal ({goal[0]:.2f}, {goal[1]:.2f}, {goal[2]:.2f}) m"
        case PegTask(boxes, goal):
            return f"box at ({boxes[goal][0]:.2f}, {boxes[goal][1]:.2f}) m"
        case ShelfTask(mass, target):
            return f"mug of {mass:.2f} kg to {target:.2f} m"
        case ButtonTask(panel, button):
            return f"button {button + 1}, panel at {panel:.2f} m"
        case EthernetTask(port):
            return f"port {port + 1}"
    return f"task {index}"


def filmed_steps(horizon: int, every: int | None, num_steps: int) -> list[int]:
    """The steps of an episode after which there is a picture: the start is 0, and the last is always one.

    Args:
      horizon: steps of an episode.
      every: so many steps; None for about 50 pictures of all.
      num_steps: of all that is filmed one after the other.
    """
    return [*range(0, horizon, every or max(1, num_steps // _NUM_FRAMES)), horizon]


@contextlib.contextmanager
def explain_drawing(benchmark: Benchmark) -> Generator[None]:
    """Around a first picture: turns what a missing simulator or OpenGL raises into a ValueError of one line."""
    try:
        yield
    except (ImportError, RuntimeError) as error:
        raise ValueError(f"{benchmark.name} cannot be drawn: {error}") from None


def print_returns(benchmark: Benchmark, iteration: int, names: Sequence[str], returns: chex.Array) -> None:
    """Prints the returns `[N, K]` of `K` episodes in `N` tasks."""
    print(f"{benchmark.name}, iteration {iteration}: returns of episodes 1 to {returns.shape[1]}")
    for name, values in zip(names, np.asarray(returns), strict=True):
        print(f"{name:20s}", *(f"{value:>8.1f}" for value in values))


def add_caption(image: Image.Image, caption: str) -> Image.Image:
    """The image below some lines of text."""
    height = _LINE_HEIGHT * (caption.count("\n") + 1)
    tile = Image.new("RGB", (image.width, image.height + height), "white")
    tile.paste(image, (0, height))
    ImageDraw.Draw(tile).multiline_text((3, 1), caption, "black", ImageFont.load_default(size=13), spacing=3)
    return tile


def join(rows: Sequence[Sequence[Image.Image]]) -> Image.Image:
    """A grid of images with gaps; those of a row are of the same size."""
    widths, heights = [sum(image.width + _GAP for image in row) for row in rows], [row[0].height + _GAP for row in rows]
    grid = Image.new("RGB", (max(widths) - _GAP, sum(heights) - _GAP), "lightgrey")
    for images, y in zip(rows, np.cumsum([0, *heights[:-1]]), strict=True):
        for column, image in enumerate(images):
            grid.paste(image, (column * (image.width + _GAP), int(y)))
    return grid


def write_film(frames: Sequence[Image.Image], output: Path, sheet: Path, fps: int) -> None:
    """Writes the animation, and a picture of some evenly spaced frames of it."""
    durations = [round(1000 / fps)] * (len(frames) - 1) + [_LAST_FRAME_MS]
    frames[0].save(output, save_all=True, append_images=frames[1:], duration=durations, loop=0)
    shown = np.linspace(0, len(frames) - 1, _NUM_SHEET_FRAMES + 1).round().astype(int)[1:]
    is_tall = frames[0].height > 2 * frames[0].width
    join([[frames[i] for i in row] for row in shown.reshape(1 if is_tall else 2, -1)]).save(sheet)
