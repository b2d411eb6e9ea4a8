"""A film of MELD: what it sees of each task, what its belief makes of it, and the reward that the belief expects.

In the shape descriptions `N` denotes the tasks, `K` the episodes of a trial, `T` the steps of an episode, `L` the
frames of a trial: `K (T + 1)`. The frame of an episode that has ended stays.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import jax
import meld_jax
import numpy as np
from films import (
    FilmOptions,
    Shoot,
    add_caption,
    choose_tasks,
    filmed_steps,
    join,
    print_returns,
)
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from metarl_envs import Benchmark, PixelFamily, Tasks
from PIL import Image
from rlcore.meta import TrialPlayer, Trials
from trained_meld import TrainedMeld, load_trained

_PICTURE_HEIGHT, _PLOT_HEIGHT = 192, 116
_DPI = 128  # a power of two, so that figures have just the pixels that are asked for


class Footage(NamedTuple):
    """`N` trials, frame by frame.

    images, reconstructions: `[N, L, H, W, C]` uint8.
    steps: `[N, L]` int, taken so far in the episode.
    returns: `[N, L]`, undiscounted, of the episode so far.
    reward, expected, spread: `[N, L]` the training reward, and mean and standard deviation of what samples of the
      belief say of it; NaN where nothing is earned, at the start of an episode and behind its end.
    """

    images: np.ndarray
    reconstructions: np.ndarray
    steps: np.ndarray
    returns: np.ndarray
    reward: np.ndarray
    expected: np.ndarray
    spread: np.ndarray


class RewardPlot:
    """Curves of one trial that grow with time: drawn once, and shown as far as time has come."""

    def __init__(self, footage: Footage, row: int, *, num_episodes: int, name: str, width: int) -> None:
        """Draws the trial `row`; axes are those of all trials.

        Args:
          footage: of all trials.
          row: which of them.
          num_episodes: `K`.
          name: of the reward.
          width: px.
        """
        reward, expected, spread = footage.reward[row], footage.expected[row], footage.spread[row]
        num_frames = len(reward)
        frames = np.arange(num_frames)
        figure = Figure(figsize=(width / _DPI, _PLOT_HEIGHT / _DPI), dpi=_DPI, layout="constrained")
        canvas, axes = FigureCanvasAgg(figure), figure.subplots()
        (truth,) = axes.plot(frames, reward, ".-", color="black", markersize=3, linewidth=0.8, label="true")
        (mean,) = axes.plot(frames, expected, color="tab:blue", linewidth=1.2, label="predicted")
        band = axes.fill_between(frames, expected - spread, expected + spread, color="tab:blue", alpha=0.3, linewidth=0)
        band.set_label("spread over the belief")
        starts = range(0, num_frames, num_frames // num_episodes)
        for start in starts:
            axes.axvline(start, color="0.5", linestyle="--", linewidth=0.6)
        axes.set_xticks(starts, [f"episode {k + 1}" for k in range(num_episodes)], ha="left")
        axes.set(xlim=(-0.5, num_frames - 0.5), ylim=_limits(footage))
        axes.tick_params(labelsize=6, length=2, width=0.5)
        axes.set_title(name.replace("_", " "), fontsize=6, loc="left", pad=3)
        axes.legend(
            fontsize=6,
            ncols=3,
            loc="lower right",
            bbox_to_anchor=(1, 1),
            borderaxespad=0,
            borderpad=0.2,
            handlelength=1.2,
            columnspacing=0.8,
            handletextpad=0.4,
            frameon=False,
        )
        self._full = _to_image(canvas)
        figure.set_layout_engine("none")
        for curve in (truth, mean, band):
            curve.set_visible(False)
        self._empty = _to_image(canvas)
        self._ends = [round(axes.transData.transform((frame + 0.5, 0))[0]) for frame in frames]

    def at(self, frame: int) -> Image.Image:
        """The plot up to this frame of the trial."""
        image = self._empty.copy()
        image.paste(self._full.crop((0, 0, self._ends[frame], image.height)))
        return image


def develop(trials: Trials, diagnosis: meld_jax.Diagnosis, config: meld_jax.MeldConfig) -> Footage:
    """Lays out what was played, and what the belief said of it, frame by frame.

    Args:
      trials: leaves `[K, T, N, ...]`.
      diagnosis: of these trials.
      config: names the rewards.
    """
    frames = jax.tree.map(np.asarray, meld_jax.make_trials(config, trials))
    num_episodes, num_steps, num_trials = trials.valid.shape
    valid, reward = (leaf.reshape(num_trials, num_episodes, num_steps + 1) for leaf in (frames.valid, frames.reward))
    steps = valid.cumsum(axis=-1) - 1
    starts = np.arange(num_episodes)[:, None] * (num_steps + 1)
    shown = (starts + steps).reshape(num_trials, -1)  # the last valid frame
    images, reconstructions = (
        leaf[np.arange(num_trials)[:, None], shown] for leaf in (frames.image, np.asarray(diagnosis.image))
    )
    earned = frames.valid & ~frames.first
    reward_curves = (diagnosis.reward, diagnosis.expected, np.sqrt(diagnosis.variance))
    return Footage(
        images,
        np.round(255 * reconstructions).astype(np.uint8),
        steps.reshape(num_trials, -1),
        np.where(valid, reward, 0).cumsum(axis=-1).reshape(num_trials, -1),
        *(np.where(earned, curve, np.nan) for curve in reward_curves),
    )


def draw_film(
    footage: Footage, names: Sequence[str], frames: Sequence[int], *, num_episodes: int, reward_name: str, seen: str
) -> list[Image.Image]:
    """The frames of the film: `names` of the tasks as rows.

    Args:
      footage: what was played.
      names: of its `N` tasks.
      frames: which of its frames are shown.
      num_episodes: `K`.
      reward_name: of the training reward.
      seen: what the observation is.
    """
    width = join([[_enlarge(footage.images[0, 0])] * 2]).width
    draw_plot = partial(RewardPlot, footage, num_episodes=num_episodes, name=reward_name, width=width)
    plots = [draw_plot(row) for row in range(len(names))]
    length = footage.steps.shape[1] // num_episodes

    def draw_row(row: int, frame: int) -> Image.Image:
        picture, reconstruction = (_enlarge(of[row, frame]) for of in (footage.images, footage.reconstructions))
        pictures = join([[add_caption(picture, seen), add_caption(reconstruction, "reconstruction")]])
        episode, step, value = frame // length + 1, footage.steps[row, frame], footage.returns[row, frame]
        caption = f"{names[row]}   episode {episode}   step {step}   return {value:.1f}"
        return join([[add_caption(pictures, caption)], [plots[row].at(frame)]])

    return [join([[draw_row(row, frame)] for row in range(len(names))]) for frame in frames]


def describe_observation(benchmark: Benchmark) -> str:
    """What the agent sees, with the cameras from left to right where there are several."""
    family = benchmark.family
    if isinstance(family, PixelFamily) and len(family.scenario.cameras) > 1:
        return f"observation: {', '.join(family.scenario.cameras)} camera"
    return "observation"


def prepare(options: FilmOptions) -> Shoot:
    """Reads a run of train_meld.py.

    Raises:
      ValueError: it cannot be filmed as asked.
    """
    trained = load_trained(options.run_dir, options.overrides)
    names, tasks = choose_tasks(trained.benchmark, options.num_tasks)
    trained_on = trained.agent.config.num_episodes
    if (options.num_episodes or 0) > trained_on:
        raise ValueError(
            f"num_episodes must be at most the {trained_on} that this MELD was trained on, got {options.num_episodes}"
        )
    return partial(_shoot, trained, names, tasks, options)


def _shoot(trained: TrainedMeld, names: Sequence[str], tasks: Tasks, options: FilmOptions) -> list[Image.Image]:
    agent, benchmark, params = trained.agent, trained.benchmark, trained.state.agent.average
    num_episodes, horizon = options.num_episodes or agent.config.num_episodes, benchmark.family.horizon
    play = TrialPlayer(meld_jax.make_test_policy(agent), benchmark.family, num_episodes)
    play_key, sample_key = jax.random.split(jax.random.fold_in(jax.random.key(options.seed), 1))
    trials = play(params, tasks, play_key)
    print_returns(benchmark, trained.iteration, names, trials.returns())
    footage = develop(trials, meld_jax.diagnose(agent, params, trials, sample_key), agent.config)
    steps = filmed_steps(horizon, options.every, num_steps=num_episodes * horizon)
    frames = [episode * (horizon + 1) + step for episode in range(num_episodes) for step in steps]
    return draw_film(
        footage,
        names,
        frames,
        num_episodes=num_episodes,
        reward_name=agent.config.training_reward,
        seen=describe_observation(benchmark),
    )


def _enlarge(picture: np.ndarray) -> Image.Image:
    factor = max(1, _PICTURE_HEIGHT // picture.shape[0])
    image = Image.fromarray(picture)
    return image.resize((factor * image.width, factor * image.height), Image.Resampling.NEAREST)


def _limits(footage: Footage) -> tuple[float, float]:
    """The axis of rewards, with a margin."""
    low = float(np.nanmin(np.minimum(footage.reward, footage.expected - footage.spread)))
    high = float(np.nanmax(np.maximum(footage.reward, footage.expected + footage.spread)))
    margin = 0.05 * (high - low) + 1e-3
    return low - margin, high + margin


def _to_image(canvas: FigureCanvasAgg) -> Image.Image:
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
