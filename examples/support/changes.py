"""Tasks that change within an episode (thesis, appendix D.4.2): a belief that is filtered at every step can follow."""

from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import jax
import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import meld_jax
from gymnasium.vector import VectorEnv, VectorWrapper
from metarl_envs import Benchmark, TaskFamily, Tasks, take_tasks
from rlcore.meta import TrialPlayer

_NUM_PICTURED = 4


def report_changes(
    agent: meld_jax.MeldAgent,
    params: meld_jax.AgentParams,
    benchmark: Benchmark,
    output_dir: Path,
    *,
    num_tasks: int,
    num_changes: int,
    seed: int,
) -> None:
    """Plays one episode in each test task, which changes on the way, and draws how MELD follows.

    Args:
      agent: what was trained.
      params: its parameters.
      benchmark: whose test tasks are played.
      output_dir: where `tracking.png` goes.
      num_tasks: the first so many test tasks.
      num_changes: of an episode.
      seed: of the episodes.
    """
    family = ChangingFamily(benchmark.family, num_changes)
    tasks = take_tasks(benchmark.test_tasks, np.arange(num_tasks))
    policy = meld_jax.make_test_policy(agent)
    trials = TrialPlayer(policy, family, num_episodes=1)(params, tasks, jax.random.fold_in(jax.random.key(seed), 2))
    info = trials.trajectory.info
    success = np.asarray(info.get("success", np.zeros_like(trials.valid)))[0]
    parts = np.array([family.part(step) for step in range(family.horizon)])
    print(f"\nsuccess rate by step since the task changed, mean over {num_tasks} episodes")
    for part in range(num_changes + 1):
        print(f"task {part + 1}:", *(f"{rate:.1f}" for rate in success[parts == part].mean(axis=1)))
    output_dir.mkdir(parents=True, exist_ok=True)
    path = output_dir / "tracking.png"
    if "x_velocity" in info:
        draw_velocities(np.asarray(info["x_velocity"])[0], np.asarray(tasks.velocity), parts, benchmark.name, path)
    else:
        draw_success(success, parts, benchmark.name, path)
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
    figure.savefig(path, dpi=120)
    plt.close(figure)


def draw_success(success: np.ndarray, parts: np.ndarray, name: str, path: Path) -> None:
    """Draws the share of episodes that are solved at each step, `success: [T, N]`."""
    figure, axes = plt.subplots(figsize=(6.5, 3), layout="constrained")
    axes.plot(success.mean(axis=1), ".-", color="tab:green")
    for change in np.flatnonzero(np.diff(parts)):
        axes.axvline(change + 0.5, color="0.5", linestyle="--", linewidth=1)
    axes.set(xlabel="step", ylabel="success rate", ylim=(0, 1.05), title=f"{name}: the task changes at dashed lines")
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)
    plt.close(figure)
