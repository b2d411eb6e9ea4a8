"""Tasks that change within an episode (thesis, appendix D.4.2): a belief that is filtered at every step can follow."""

import contextlib
from pathlib import Path

import jax
import matplotlib.pyplot as plt
import numpy as np
from metarl_envs import ChangingFamily
from rlcore.meta import Trained, TrialPlayer

from support.figures import save_figure
from support.reports import ReportOptions

_NUM_PICTURED = 4


def check_changes(trained: Trained, num_tasks: int | None, num_changes: int) -> None:
    """Raises ValueError where the task cannot change so often within an episode."""
    benchmark = trained.benchmark
    num_tasks, horizon = num_tasks or benchmark.num_test_tasks, benchmark.family.horizon
    if num_changes >= min(num_tasks, horizon):
        most = f"{num_tasks} tasks and the {horizon} steps of an episode"
        raise ValueError(f"num_changes must be below the {most}, got {num_changes}")
    one = benchmark.take_test_tasks(np.arange(1))
    with contextlib.closing(ChangingFamily(benchmark.family, num_changes).make_vec(one, seed=0)):
        pass  # which says whether tasks can change


def report_changes(trained: Trained, output_dir: Path, options: ReportOptions, num_changes: int) -> None:
    """Plays an episode in each test task, which changes so often on the way, and draws `tracking.png`."""
    benchmark = trained.benchmark
    num_tasks = options.num_tasks or benchmark.num_test_tasks
    family = ChangingFamily(benchmark.family, num_changes)
    tasks = benchmark.take_test_tasks(np.arange(num_tasks))
    key = jax.random.fold_in(jax.random.key(options.seed), 2)
    with TrialPlayer(family) as player:
        visit = player.play(trained.learner.testing.policy, trained.params, tasks, key, num_episodes=1)
    trials = visit.by_episode(1, family.horizon)
    info = trials.trajectory.info
    name = "success rate" if "success" in info else "reward"
    values = info.get("success", trials.trajectory.transition.reward)
    values = np.nan_to_num(np.asarray(values, float))[0]
    parts = family.part(np.arange(family.horizon))
    print(f"\n{name} by step since the task changed, mean over {num_tasks} episodes")
    for part in range(num_changes + 1):
        print(f"task {part + 1}:", *(f"{value:.1f}" for value in values[parts == part].mean(axis=1)))
    output_dir.mkdir(parents=True, exist_ok=True)
    path = output_dir / "tracking.png"
    if "x_velocity" in info and hasattr(tasks, "velocity"):
        draw_velocities(np.asarray(info["x_velocity"])[0], np.asarray(tasks.velocity), parts, benchmark.name, path)
    else:
        draw_steps(values, name, parts, benchmark.name, path)
    print("picture:", path)


def draw_velocities(velocity: np.ndarray, targets: np.ndarray, parts: np.ndarray, name: str, path: Path) -> None:
    """Draws the velocity `[T, N]` of some robots against the targets that they were asked for (thesis, figure 38)."""
    shown = min(_NUM_PICTURED, len(targets))
    figure, grid = plt.subplots(shown, 1, figsize=(6.5, 1.7 * shown), layout="constrained", sharex=True, squeeze=False)
    for robot, axes in enumerate(grid[:, 0]):
        wanted = targets[(robot + parts) % len(targets)]
        axes.step(np.arange(len(parts)), wanted, where="mid", color="0.4", linestyle="--", label="target")
        axes.plot(velocity[:, robot], color="tab:blue", label="velocity")
        axes.set(ylabel="m/s", ylim=(-0.5, 3.5))
        axes.grid(alpha=0.3)
    grid[0, 0].set_title(f"{name}: the target changes, unannounced")
    grid[0, 0].legend(loc="upper right", fontsize=8)
    grid[-1, 0].set_xlabel("step")
    save_figure(figure, path)


def draw_steps(values: np.ndarray, label: str, parts: np.ndarray, name: str, path: Path) -> None:
    """Draws the mean of some `values: [T, N]` at each step."""
    figure, axes = plt.subplots(figsize=(6.5, 3), layout="constrained")
    axes.plot(values.mean(axis=1), ".-", color="tab:green")
    for change in np.flatnonzero(np.diff(parts)):
        axes.axvline(change + 0.5, color="0.5", linestyle="--", linewidth=1)
    axes.set(xlabel="step", ylabel=label, title=f"{name}: the task changes at dashed lines")
    if label == "success rate":
        axes.set_ylim(0, 1.05)
    axes.grid(alpha=0.3)
    save_figure(figure, path)
