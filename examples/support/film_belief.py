"""A film of MELD: what it sees of each task, what its belief makes of it, and the reward that the belief expects.

In the shape descriptions `N` denotes the tasks, `K` the episodes of a trial, `T` the steps of an episode, `L` the
frames of the film of a trial: `K (T + 1)`. The frame of an episode that has ended stays.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import jax
import meld_jax
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from meld_jax.filtering import Trial
from meld_jax.frames import make_trials
from metarl_envs import Tasks
from PIL import Image
from rlcore.meta import Benchmark, Trained, TrialPlayer

from support.films import FilmOptions, Shoot, add_caption, choose_tasks, filmed_steps, join, print_returns

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


def develop(trials: Trial, diagnosis: meld_jax.Diagnosis, num_episodes: int, horizon: int) -> Footage:
    """Lays out what was played, and what the belief said of it, episode by episode.

    Args:
      trials: what was played, frame by frame.
      diagnosis: of these trials.
      num_episodes: `K`.
      horizon: `T`.
    """
    trials = jax.tree.map(np.asarray, trials)
    number = np.where(trials.valid, trials.first.cumsum(axis=1), 0)  # of a frame's episode, from 1
    of_episode = number[:, None] == np.arange(1, num_episodes + 1)[:, None]  # [N, K, frames of the trial]
    lengths, starts = of_episode.sum(axis=-1, keepdims=True), of_episode.argmax(axis=-1, keepdims=True)
    moments = np.arange(horizon + 1)
    steps = np.minimum(moments, np.maximum(lengths - 1, 0))  # [N, K, T + 1], those of the last frame stay
    shape = (len(number), -1)
    shown = (starts + steps).reshape(shape)
    earned = ((moments > 0) & (moments < lengths)).reshape(shape)

    def take(leaf: np.ndarray) -> np.ndarray:
        return leaf[np.arange(len(leaf))[:, None], shown]

    rewards = np.where(earned, take(trials.reward), 0).reshape(steps.shape)
    curves = (diagnosis.reward, diagnosis.expected, np.sqrt(diagnosis.variance))
    return Footage(
        take(trials.image),
        np.round(255 * take(np.asarray(diagnosis.image))).astype(np.uint8),
        steps.reshape(shape),
        rewards.cumsum(axis=-1).reshape(shape),
        *(np.where(earned, take(curve), np.nan) for curve in curves),
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
    cameras = getattr(getattr(benchmark.family, "scenario", None), "cameras", ())
    return f"observation: {', '.join(cameras)} camera" if len(cameras) > 1 else "observation"


def prepare(trained: Trained, options: FilmOptions) -> Shoot:
    """Makes ready to film."""
    names, tasks = choose_tasks(trained.benchmark, options.num_tasks)
    return partial(_shoot, trained, names, tasks, options)


def _shoot(trained: Trained, names: Sequence[str], tasks: Tasks, options: FilmOptions) -> list[Image.Image]:
    benchmark, agent = trained.benchmark, trained.learner.agent
    num_episodes, horizon = options.num_episodes or agent.config.num_episodes, benchmark.family.horizon
    play_key, sample_key = jax.random.split(jax.random.fold_in(jax.random.key(options.seed), 1))
    policy = trained.learner.testing.policy
    with TrialPlayer(benchmark.family) as player:
        visit = player.play(policy, trained.params, tasks, play_key, num_episodes=num_episodes)
    print_returns(benchmark, trained.iteration, names, visit.by_episode(num_episodes, horizon).returns())
    diagnosis = meld_jax.diagnose(agent, trained.params, visit, sample_key)
    trials = make_trials(agent.config, visit, agent.belief.num_frames)
    steps = filmed_steps(horizon, options.every, num_steps=num_episodes * horizon)
    return draw_film(
        develop(trials, diagnosis, num_episodes, horizon),
        names,
        [episode * (horizon + 1) + step for episode in range(num_episodes) for step in steps],
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
