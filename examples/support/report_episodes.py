"""How an agent adapts over the episodes of a trial, as a table and as pictures."""

from pathlib import Path

import jax
import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pearl_jax
from matplotlib.ticker import MaxNLocator
from meld_report import draw_trajectories as draw_image_trajectories
from metarl_envs import Benchmark, PointFamily, PointImageFamily, PointTask, take_tasks
from rlcore.meta import Outcome, TrialPlayer, Trials, get_outcome
from rlcore.types import Params

_SHOWN_EPISODES = (1, 2, 3, 4, 6, 11, 16, 21, 31, 51)
_NUM_PICTURED_TASKS = 4


def report(
    agent: pearl_jax.PearlAgent,
    params: Params,
    benchmark: Benchmark,
    output_dir: Path,
    *,
    num_episodes: int,
    seed: int,
    num_tasks: int | None = None,
    num_trials: int = 1,
) -> None:
    """Plays a trial in every test task, prints the table and draws the pictures.

    Args:
      agent: what was trained.
      params: its parameters.
      benchmark: whose test tasks are played.
      output_dir: where `adaptation.png`, and for navigation `trajectories.png`, go.
      num_episodes: episodes of a trial.
      seed: of the trials.
      num_tasks: play only the first so many test tasks.
      num_trials: of each task; returns are averaged over them.
    """
    num_tasks = num_tasks or benchmark.num_test_tasks
    tasks = take_tasks(benchmark.test_tasks, np.tile(np.arange(num_tasks), num_trials))
    policy = pearl_jax.make_test_policy(agent)
    key = jax.random.fold_in(jax.random.key(seed), num_episodes)  # not the key that training starts from
    trials = TrialPlayer(policy, benchmark.family, num_episodes)(params, tasks, key)
    returns = np.asarray(trials.returns()).reshape(num_trials, num_tasks, -1).mean(axis=0)
    of_tasks = "tasks trained on" if benchmark.test_tasks is benchmark.train_tasks else "tasks never seen"
    print_table(returns, num_trials, of_tasks)
    if "success" in trials.trajectory.info:
        print_success(get_outcome(trials))
    output_dir.mkdir(parents=True, exist_ok=True)
    pictures = [output_dir / "adaptation.png"]
    draw_adaptation(returns, f"{benchmark.name}: adaptation to {of_tasks}", pictures[0])
    if isinstance(benchmark.family, PointFamily):
        pictures.append(output_dir / "trajectories.png")
        draw_trajectories(trials, take_tasks(tasks, np.arange(num_tasks)), benchmark.family.sparse, pictures[1])
    if isinstance(benchmark.family, PointImageFamily):
        pictures.append(output_dir / "trajectories.png")
        draw_image_trajectories(benchmark.family, trials, tasks, np.arange(num_tasks), pictures[1])
    print("pictures:", ", ".join(map(str, pictures)))


def print_table(returns: np.ndarray, num_trials: int, of_tasks: str) -> None:
    """Prints mean and standard error over tasks of some episodes' returns `[N, K]`, each the mean of some trials."""
    shown = [k for k in _SHOWN_EPISODES if k <= returns.shape[1]]
    trials = f", {num_trials} trials each" if num_trials > 1 else ""
    print(f"\nreturn by episode of a trial, mean over {returns.shape[0]} {of_tasks}{trials}")
    print("episode        ", *(f"{k:>7d}" for k in shown))
    print("episodes before", *(f"{k - 1:>7d}" for k in shown))
    print("return         ", *(f"{returns[:, k - 1].mean():>7.2f}" for k in shown))
    print("standard error ", *(f"{_standard_error(returns[:, k - 1]):>7.2f}" for k in shown))


def print_success(outcome: Outcome) -> None:
    """Prints below the table how often the same episodes were successful."""
    shown = [k for k in _SHOWN_EPISODES if k <= outcome.returns.shape[1]]
    for name, values in (("success at end", outcome.success), ("success ever", outcome.found)):
        print(f"{name:15s}", *(f"{values[:, k - 1].mean():>7.2f}" for k in shown))


def draw_adaptation(returns: np.ndarray, title: str, path: Path) -> None:
    """Draws the mean return of each episode, and every task's own."""
    figure, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
    episodes = np.arange(1, returns.shape[1] + 1)
    axes.plot(episodes, returns.T, color="tab:blue", alpha=0.15, linewidth=0.8)
    axes.plot(episodes, returns.mean(axis=0), color="tab:blue", linewidth=2.5, label="mean over tasks")
    axes.set(xlabel="episode of the trial", ylabel="return", title=title)
    axes.legend(loc="lower right")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.savefig(path, dpi=120)
    plt.close(figure)


def draw_trajectories(trials: Trials, tasks: PointTask, sparse: bool, path: Path) -> None:
    """Draws where the agent went in some episodes of the first trial of some tasks, like the thesis's figure 15."""
    goals, radii = np.asarray(tasks.goal), np.asarray(tasks.radius)
    next_obs = np.asarray(trials.trajectory.transition.next_obs)
    start = np.asarray(trials.trajectory.transition.obs)[:, :1]
    paths = np.concatenate([start, next_obs], axis=1)
    returns = np.asarray(trials.returns())
    shown = [k for k in _SHOWN_EPISODES if k <= paths.shape[0]][:8]
    rows = np.linspace(0, len(goals) - 1, min(_NUM_PICTURED_TASKS, len(goals))).astype(int)
    rows = np.argsort(np.arctan2(goals[:, 1], goals[:, 0]))[rows]
    size = (1.7 * len(shown), (1.25 if sparse else 1.7) * len(rows))
    figure, grid = plt.subplots(len(rows), len(shown), figsize=size, layout="constrained", squeeze=False)
    for row, task in enumerate(rows):
        for axes, episode in zip(grid[row], shown, strict=True):
            axes.scatter(*goals.T, s=6, color="lightsteelblue", zorder=1)
            if sparse:
                axes.add_patch(plt.Circle(goals[task], radii[task], color="tab:blue", alpha=0.25, linewidth=0))
            axes.scatter(*goals[task], s=14, color="navy", zorder=2)
            for earlier in range(episode - 1):
                axes.plot(*paths[earlier, :, task].T, color="0.75", linewidth=0.6, zorder=1)
            axes.plot(*paths[episode - 1, :, task].T, color="tab:red", linewidth=1.5, zorder=3)
            axes.text(0.02, 0.02, f"{returns[task, episode - 1]:.1f}", transform=axes.transAxes, fontsize=8)
            axes.set(xlim=(-1.6, 1.6), ylim=(-0.6 if sparse else -1.6, 1.6), xticks=[], yticks=[], aspect="equal")
            if row == 0:
                axes.set_title(f"episode {episode}", fontsize=9)
    disc = " blue disc: where reward is;" if sparse else ""
    figure.suptitle(f"red: this episode; grey: earlier ones;{disc} number: return", fontsize=9)
    figure.savefig(path, dpi=130)
    plt.close(figure)


def _standard_error(values: np.ndarray) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
