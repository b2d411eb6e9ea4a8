"""Films how a trained PEARL adapts: test tasks as rows, the episodes of a trial side by side as columns.

    uv run examples/record_video.py --run_dir=runs/half-cheetah-vel-v0-cpu-0
    uv run examples/record_video.py --run_dir=runs/ant-goal-v0-cpu-0 --num_tasks=2 --output=ant.webp --fps=20

It needs no display. The frame of an episode that has ended stays.
"""

import contextlib
import os
from pathlib import Path
from typing import Any, NamedTuple

import jax
import metarl_envs
import numpy as np
import pearl_jax
from absl import flags
from gymnasium.vector import VectorEnv, VectorWrapper
from metarl_envs import TaskFamily, Tasks, get_task, take_tasks
from metarl_envs.locomotion import DirectionTask, DynamicsTask, GoalTask, SignTask, VelocityTask
from PIL import Image, ImageDraw, ImageFont
from rlcore.experiment import main, user_errors
from rlcore.meta import TrialPlayer
from trained_pearl import check_num_tasks, load_trained

_RUN_DIR = flags.DEFINE_string("run_dir", None, "The run directory that train_pearl.py wrote.", required=True)
_NUM_TASKS = flags.DEFINE_integer(
    "num_tasks", None, "Test tasks, evenly spread over all; by default 3, or all if there are fewer.", lower_bound=1
)
_NUM_EPISODES = flags.DEFINE_integer("num_episodes", 3, "Episodes of a trial.", lower_bound=1)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of the trials.", lower_bound=0)
_EVERY = flags.DEFINE_integer(
    "every", None, "Steps from frame to frame, by default for about 50 frames.", lower_bound=1
)
_FPS = flags.DEFINE_integer("fps", 10, "Frames per second of the film.", lower_bound=1, upper_bound=50)
_OUTPUT = flags.DEFINE_string(
    "output", None, "The film, .gif or .webp, by default adaptation.gif in the run directory."
)
_SHEET = flags.DEFINE_string("sheet", None, "A .png of some of its frames, by default next to the film.")
_OVERRIDE = flags.DEFINE_multi_string(
    "override", [], "A test option of the config, such as num_test_prior_episodes=5 or deterministic_test=false."
)

_TILE_WIDTH, _CAPTION_HEIGHT, _GAP = 240, 36, 4
_NUM_FRAMES, _SHEET_SIDE = 50, 2
_LAST_FRAME_MS = 1500


class Shot(NamedTuple):
    """What a camera saw at one moment of an episode in `N` tasks.

    images: `N` of the same size. steps: `[N]` int, taken so far. returns: `[N]`, undiscounted, so far.
    """

    images: tuple[Image.Image, ...]
    steps: np.ndarray
    returns: np.ndarray


class FilmedFamily:
    """A family whose vector environments leave their pictures here, an entry of `episodes` for each `reset`."""

    def __init__(self, family: TaskFamily, every: int) -> None:
        """Films `family`, every so many steps."""
        self.horizon = family.horizon
        self.episodes: list[list[Shot]] = []
        self._family, self._every = family, every

    @property
    def functional(self) -> None:
        """None, so that trials are played step by step."""

    def make_vec(self, tasks: Tasks, seed: int | None = None) -> VectorEnv[Any, Any, np.ndarray]:
        """The family's own environment, filmed."""
        return Camera(self._family.make_vec(tasks, seed), self)

    def is_due(self, step: int) -> bool:
        """Whether there is a picture after this step of an episode; there is one of the last."""
        return step % self._every == 0 or step == self.horizon


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
        if self._family.is_due(self._step):
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


def describe(task: Any, index: int) -> str:
    """A task in a few words; `index` is its place in the test set."""
    match task:
        case VelocityTask(velocity):
            return f"target {velocity:.2f} m/s"
        case SignTask(sign):
            return "forward" if sign > 0 else "backward"
        case DirectionTask(angle):
            return f"direction {np.rad2deg(angle):.0f} deg"
        case GoalTask(goal) | metarl_envs.PointTask(goal):
            return f"goal ({goal[0]:.1f}, {goal[1]:.1f}) m"
        case DynamicsTask():
            return f"body {index}"
    return f"task {index}"


def draw_frame(episodes: list[list[Shot]], moment: int, names: list[str]) -> Image.Image:
    """One frame of the film: `names` of the tasks as rows, episodes as columns, all at the same moment."""
    rows = []
    for row, name in enumerate(names):
        tiles = []
        for column, shots in enumerate(episodes):
            images, steps, returns = shots[moment]
            caption = f"{name}\nepisode {column + 1}  step {steps[row]}  return {returns[row]:.1f}"
            tiles.append(_add_caption(images[row], caption))
        rows.append(tiles)
    return _join(rows)


def write_film(episodes: list[list[Shot]], names: list[str], output: Path, sheet: Path, fps: int) -> None:
    """Writes the animation, and a picture of some evenly spaced frames of it."""
    num_frames = len(episodes[0])
    durations = [round(1000 / fps)] * (num_frames - 1) + [_LAST_FRAME_MS]
    frames = [draw_frame(episodes, moment, names) for moment in range(num_frames)]
    frames[0].save(output, save_all=True, append_images=frames[1:], duration=durations, loop=0)
    shown = np.linspace(0, num_frames - 1, _SHEET_SIDE**2 + 1).round().astype(int)[1:].reshape(_SHEET_SIDE, -1)
    _join([[frames[moment] for moment in moments] for moments in shown]).save(sheet)


def _to_tile(frame: np.ndarray) -> Image.Image:
    image = Image.fromarray(frame)
    return image.resize((_TILE_WIDTH, round(_TILE_WIDTH * image.height / image.width)))


def _add_caption(image: Image.Image, caption: str) -> Image.Image:
    tile = Image.new("RGB", (image.width, image.height + _CAPTION_HEIGHT), "white")
    tile.paste(image, (0, _CAPTION_HEIGHT))
    ImageDraw.Draw(tile).multiline_text((3, 1), caption, "black", ImageFont.load_default(size=13), spacing=3)
    return tile


def _join(rows: list[list[Image.Image]]) -> Image.Image:
    """A grid of images of the same size, with gaps."""
    width, height = rows[0][0].width + _GAP, rows[0][0].height + _GAP
    grid = Image.new("RGB", (width * len(rows[0]) - _GAP, height * len(rows) - _GAP), "lightgrey")
    for row, images in enumerate(rows):
        for column, image in enumerate(images):
            grid.paste(image, (column * width, row * height))
    return grid


def _check_can_draw(benchmark: metarl_envs.Benchmark) -> None:
    """Draws once, before anything is played: whether that works is known only then."""
    try:
        with contextlib.closing(benchmark.family.make_vec(take_tasks(benchmark.test_tasks, [0]), seed=0)) as env:
            env.reset(seed=0)
            if env.render() is None:
                raise RuntimeError("its environments have no pictures")
    except (ImportError, RuntimeError) as error:
        raise ValueError(f"{benchmark.name} cannot be drawn: {error}") from None


def _check_output(option: str, path: Path, suffixes: tuple[str, ...]) -> Path:
    if path.suffix.lower() not in suffixes:
        raise ValueError(f"{option} must end in {' or '.join(suffixes)}, got {path}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"{option} {path} cannot be written: {error.strerror}") from None
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise ValueError(f"{option} {path} cannot be written")
    return path


def record() -> None:
    """Plays the trials and films them."""
    with user_errors():
        trained = load_trained(_RUN_DIR.value, _OVERRIDE.value)
        benchmark = trained.benchmark
        num_tasks = _NUM_TASKS.value or min(3, benchmark.num_test_tasks)
        check_num_tasks(num_tasks, benchmark)
        _check_can_draw(benchmark)
        output = _check_output("output", Path(_OUTPUT.value or f"{_RUN_DIR.value}/adaptation.gif"), (".gif", ".webp"))
        sheet = _check_output("sheet", Path(_SHEET.value or output.with_name(f"{output.stem}_sheet.png")), (".png",))
    chosen = np.linspace(0, benchmark.num_test_tasks - 1, num_tasks).round().astype(int)
    names = [describe(get_task(benchmark.test_tasks, i), i) for i in chosen]
    family = FilmedFamily(benchmark.family, _EVERY.value or max(1, benchmark.family.horizon // _NUM_FRAMES))
    play = TrialPlayer(pearl_jax.make_test_policy(trained.agent), family, _NUM_EPISODES.value)
    tasks = take_tasks(benchmark.test_tasks, chosen)
    returns = play(trained.params, tasks, jax.random.fold_in(jax.random.key(_SEED.value), 1)).returns()
    print(f"{benchmark.name}, iteration {trained.iteration}: returns of episodes 1 to {_NUM_EPISODES.value}")
    for name, values in zip(names, np.asarray(returns), strict=True):
        print(f"{name:20s}", *(f"{value:>8.1f}" for value in values))
    write_film(family.episodes, names, output, sheet, _FPS.value)
    print(f"film: {output}, some of its frames: {sheet}")


if __name__ == "__main__":
    main(record)
