"""Pictures of where a point went in 2-D navigation."""

from pathlib import Path

import jax
import matplotlib.pyplot as plt
import numpy as np
from metarl_envs import PointFamily, PointImageFamily, PointTask, TaskFamily, Tasks, take_tasks
from rlcore.meta import Trials

from support.figures import save_figure

SHOWN_EPISODES = (1, 2, 3, 4, 6, 11, 16, 21, 31, 51)
_MAX_PICTURED_TASKS, _NUM_PICTURED_ROWS = 8, 4


def draw_first_trajectories(
    family: TaskFamily, trials: Trials, tasks: Tasks, num_trials: int, output_dir: Path
) -> list[Path]:
    """Draws `trajectories.png` of the first trial of each task; returns the pictures drawn, none but for navigation.

    Args:
      family: of the tasks.
      trials: leaves `[K, T, N, ...]`.
      tasks: `N`, those of a task one after the other.
      num_trials: of each task.
      output_dir: where the picture goes.
    """
    path, shown = output_dir / "trajectories.png", np.arange(0, trials.valid.shape[2], num_trials)
    if isinstance(family, PointFamily):
        first = jax.tree.map(lambda leaf: leaf[:, :, shown], trials)
        draw_trajectories(first, take_tasks(tasks, shown), family.sparse, path)
    elif isinstance(family, PointImageFamily):
        draw_image_trajectories(family, trials, tasks, shown, path)
    else:
        return []
    return [path]


def draw_trajectories(trials: Trials, tasks: PointTask, sparse: bool, path: Path) -> None:
    """Draws where the agent went in some episodes of a trial in some tasks, like the thesis's figure 15."""
    goals, radii = np.asarray(tasks.goal), np.asarray(tasks.radius)
    next_obs = np.asarray(trials.trajectory.transition.next_obs)
    start = np.asarray(trials.trajectory.transition.obs)[:, :1]
    paths = np.concatenate([start, next_obs], axis=1)
    returns = np.asarray(trials.returns())
    shown = [k for k in SHOWN_EPISODES if k <= paths.shape[0]][:8]
    rows = np.linspace(0, len(goals) - 1, min(_NUM_PICTURED_ROWS, len(goals))).astype(int)
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
    save_figure(figure, path, dpi=130)


def draw_image_trajectories(
    family: PointImageFamily, trials: Trials, tasks: PointTask, shown: np.ndarray, path: Path
) -> None:
    """Draws where the point went in the first two episodes of some trials (thesis, figure 37)."""
    action = np.asarray(trials.trajectory.transition.action)
    num_episodes, num_steps = action.shape[:2]
    paths = np.zeros((num_episodes, num_steps + 1, *action.shape[2:]), np.float32)
    for step in range(num_steps):  # pictures do not say where the point is, its actions do
        paths[:, step + 1] = family.functional.transition(paths[:, step], action[:, step], jax.random.key(0))
    goals, radii = np.asarray(tasks.goal), np.asarray(tasks.radius)
    by_angle = shown[np.argsort(np.arctan2(goals[shown, 1], goals[shown, 0]))]
    chosen = by_angle[np.linspace(0, len(by_angle) - 1, min(_MAX_PICTURED_TASKS, len(by_angle))).astype(int)]
    columns = min(4, len(chosen))
    rows = -(-len(chosen) // columns)
    figure, grid = plt.subplots(rows, columns, figsize=(2.3 * columns, 2 * rows), layout="constrained", squeeze=False)
    for axes in grid.ravel():
        axes.axis("off")
    for axes, trial in zip(grid.ravel(), chosen, strict=False):
        axes.axis("on")
        axes.plot(*_half_circle(), color="0.85", linewidth=1)
        axes.add_patch(plt.Circle(goals[trial], radii[trial], color="tab:green", alpha=0.3, linewidth=0))
        for episode, colour in zip(range(num_episodes), ("tab:red", "tab:blue"), strict=False):
            axes.plot(*paths[episode, :, trial].T, ".-", color=colour, markersize=3, linewidth=1.2)
        axes.set(xlim=(-1.6, 1.6), ylim=(-0.9, 1.6), xticks=[], yticks=[], aspect="equal")
    figure.suptitle("red: episode 1, blue: episode 2, green: the goal, which is not seen", fontsize=9)
    save_figure(figure, path, dpi=130)


def _half_circle() -> tuple[np.ndarray, np.ndarray]:
    angles = np.linspace(0, np.pi, 60)
    return np.cos(angles), np.sin(angles)
