"""How MELD adapts within a trial, as a table and as pictures."""

from pathlib import Path

import jax
import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import meld_jax
from metarl_envs import Benchmark, PointImageFamily, PointTask
from rlcore.meta import Trials

_MAX_PICTURED_TASKS = 8
_MEASURES = {"distance": "distance", "velocity_error": "velocity error"}
"""What environments report of how far from solved a step is, and what the table calls it."""


def report(
    agent: meld_jax.MeldAgent,
    params: meld_jax.AgentParams,
    benchmark: Benchmark,
    output_dir: Path,
    *,
    seed: int,
    num_tasks: int | None = None,
    num_trials: int | None = None,
) -> None:
    """Plays trials in test tasks, prints the table and draws the pictures.

    Args:
      agent: what was trained.
      params: its parameters.
      benchmark: whose test tasks are played.
      output_dir: where `adaptation.png`, `belief.png`, and for navigation `trajectories.png`, go.
      seed: of the trials.
      num_tasks: play only the first so many test tasks.
      num_trials: of each task, by default the config's `num_test_trials`.
    """
    num_tasks = num_tasks or benchmark.num_test_tasks
    num_trials = num_trials or agent.config.num_test_trials
    tasks = meld_jax.repeat_tasks(benchmark.test_tasks, num_tasks, num_trials)
    play_key, sample_key = jax.random.split(jax.random.fold_in(jax.random.key(seed), num_trials))
    trials = meld_jax.make_test_player(agent, benchmark.family)(params, tasks, play_key)
    outcome = meld_jax.get_outcome(trials)
    print_table(outcome, num_tasks, num_trials, trials)
    output_dir.mkdir(parents=True, exist_ok=True)
    pictures = [output_dir / "adaptation.png", output_dir / "belief.png"]
    draw_adaptation(outcome, benchmark.name, pictures[0])
    draw_belief(agent, meld_jax.diagnose(agent, params, trials, sample_key), benchmark.name, pictures[1])
    if isinstance(benchmark.family, PointImageFamily):
        pictures.append(output_dir / "trajectories.png")
        shown = np.arange(0, num_tasks * num_trials, num_trials)
        draw_trajectories(benchmark.family, trials, tasks, shown, pictures[2])
    print("pictures:", ", ".join(map(str, pictures)))


def print_table(outcome: meld_jax.Outcome, num_tasks: int, num_trials: int, trials: Trials) -> None:
    """Prints means over trials by episode, with standard errors over tasks."""
    shape = (num_tasks, num_trials, -1)
    print(f"\nby episode of a trial, mean over {num_tasks} test tasks, {num_trials} trials each (standard error)")
    print("episode                  ", *(f"{k + 1:>16d}" for k in range(outcome.returns.shape[1])))
    rows = {"return": outcome.returns, "success, last step": outcome.success, "success, any step": outcome.found}
    for name, label in _MEASURES.items():
        if name in trials.trajectory.info:
            measured = np.asarray(trials.trajectory.info[name])
            rows[f"{label}, last step"] = measured[:, -1].T
            rows[f"{label}, mean"] = np.average(measured, axis=1, weights=trials.valid).T
    for name, values in rows.items():
        by_task = values.astype(float).reshape(shape).mean(axis=1)
        error = by_task.std(axis=0, ddof=1) / np.sqrt(num_tasks) if num_tasks > 1 else np.zeros(by_task.shape[1])
        cells = zip(by_task.mean(axis=0), error, strict=True)
        print(f"{name:25s}", *(f"{mean:>8.3f} ({spread:.3f})" for mean, spread in cells))
    for episode in range(1, outcome.found.shape[1]):
        print(describe_return_to_goal(outcome, episode))


def describe_return_to_goal(outcome: meld_jax.Outcome, episode: int) -> str:
    """How often, and how soon, an episode solves what the one before it solved; counted from 0."""
    known = outcome.found[:, episode - 1]
    again = known & outcome.found[:, episode]
    if not again.any():
        return f"of {known.sum()} trials with success in episode {episode}, none has it in episode {episode + 1}"
    before, after = (np.median(outcome.steps[again, k]) for k in (episode - 1, episode))
    return (
        f"of {known.sum()} trials with success in episode {episode}, {again.sum() / known.sum():.0%} have it in "
        f"episode {episode + 1}, first after {after:g} steps (median; before {before:g})"
    )


def draw_adaptation(outcome: meld_jax.Outcome, name: str, path: Path) -> None:
    """Draws returns and success rates by episode."""
    figure, axes = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
    episodes = np.arange(1, outcome.returns.shape[1] + 1)
    axes[0].plot(episodes, outcome.returns.T, color="tab:blue", alpha=0.15, linewidth=0.8, marker=".")
    axes[0].plot(episodes, outcome.returns.mean(axis=0), "o-", color="tab:blue", linewidth=2.5)
    axes[0].set(title=f"{name}: return", xlabel="episode of the trial", xticks=episodes)
    axes[1].plot(episodes, outcome.found.mean(axis=0), "o-", color="tab:green", label="at any step")
    axes[1].plot(episodes, outcome.success.mean(axis=0), "o-", color="tab:orange", label="at the last step")
    axes[1].set(title="success rate", xlabel="episode of the trial", xticks=episodes, ylim=(0, 1.05))
    axes[1].legend(loc="lower right")
    figure.savefig(path, dpi=120)
    plt.close(figure)


def draw_belief(agent: meld_jax.MeldAgent, diagnosis: meld_jax.Diagnosis, name: str, path: Path) -> None:
    """Draws error and spread of the predicted reward by step of the trial (thesis, figure 24)."""
    error = np.abs(diagnosis.expected - diagnosis.reward)
    spread = np.sqrt(diagnosis.variance)
    frames = np.arange(error.shape[1])
    length = error.shape[1] // agent.config.num_episodes
    arrivals = frames[frames % length > 0]  # nothing is earned at the start of an episode
    figure, axes = plt.subplots(figsize=(6.5, 3.2), layout="constrained")
    for values, colour, label in (
        (error, "tab:red", "absolute error of the predicted reward"),
        (spread, "tab:blue", "standard deviation between samples of the belief"),
    ):
        axes.plot(arrivals, values.mean(axis=0)[arrivals], ".-", color=colour, label=f"{label}, mean over trials")
    for start in range(length, len(frames), length):
        axes.axvline(start, color="0.5", linestyle="--", linewidth=1)
        axes.annotate(f"episode {start // length + 1}", (start, 1), xycoords=("data", "axes fraction"), va="top")
    axes.set(xlabel="frame of the trial", ylabel="reward", title=name, ylim=(0, None))
    axes.legend(fontsize=8)
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def draw_trajectories(
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
    figure.savefig(path, dpi=130)
    plt.close(figure)


def _half_circle() -> tuple[np.ndarray, np.ndarray]:
    angles = np.linspace(0, np.pi, 60)
    return np.cos(angles), np.sin(angles)
