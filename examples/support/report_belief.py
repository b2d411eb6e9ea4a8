"""How MELD adapts within a trial, as a table and as pictures; what its belief holds."""

from pathlib import Path

import jax
import matplotlib.pyplot as plt
import meld_jax
import numpy as np
from meld_jax.agent import MeldAgent
from meld_jax.frames import make_trials
from rlcore.meta import Outcome, Trained, Trials, Visit, get_outcome

from support.figures import save_figure
from support.reports import Played, ReportOptions, play, standard_error
from support.trajectories import draw_first_trajectories

_MEASURES = {"distance": "distance", "velocity_error": "velocity error"}
"""What environments report of how far from solved a step is, and what the table calls it."""


def report(trained: Trained, output_dir: Path, options: ReportOptions) -> None:
    """Tabulates trials in test tasks, draws `adaptation.png`, `belief.png` and, for navigation, `trajectories.png`."""
    benchmark, agent = trained.benchmark, trained.learner.agent
    num_trials = options.num_trials or trained.learner.testing.num_trials
    play_key, sample_key = jax.random.split(jax.random.fold_in(jax.random.key(options.seed), num_trials))
    played = play(trained, options, num_trials, play_key)
    trials = played.visit.by_episode(played.num_episodes, benchmark.family.horizon)
    outcome = get_outcome(trials)
    print_table(outcome, played, trials)
    output_dir.mkdir(parents=True, exist_ok=True)
    pictures = [output_dir / "adaptation.png", output_dir / "belief.png"]
    draw_adaptation(outcome, benchmark.name, pictures[0])
    diagnosis = meld_jax.diagnose(agent, trained.params, played.visit, sample_key)
    draw_belief(agent, played.visit, diagnosis, benchmark.name, pictures[1])
    pictures += draw_first_trajectories(benchmark.family, trials, played.tasks, num_trials, output_dir)
    print("pictures:", ", ".join(map(str, pictures)))


def print_table(outcome: Outcome, played: Played, trials: Trials) -> None:
    """Prints means over trials by episode, with standard errors over tasks."""
    heading = f"mean over {played.num_tasks} test tasks, {played.num_trials} trials each (standard error)"
    print(f"\nby episode of a trial, {heading}")
    print("episode                  ", *(f"{k + 1:>16d}" for k in range(outcome.returns.shape[1])))
    rows = {"return": outcome.returns, "success, last step": outcome.success, "success, any step": outcome.found}
    for name, label in _MEASURES.items():
        if name in trials.trajectory.info:
            measured = np.asarray(trials.trajectory.info[name])
            last = np.maximum(trials.valid.sum(axis=1) - 1, 0)  # of each episode, [K, N]
            rows[f"{label}, last step"] = np.take_along_axis(measured, last[:, None], axis=1)[:, 0].T
            rows[f"{label}, mean"] = np.average(measured, axis=1, weights=trials.valid).T
    for name, values in rows.items():
        if values is not None:
            by_task = played.mean_over_trials(values)
            cells = zip(by_task.mean(axis=0), standard_error(by_task), strict=True)
            print(f"{name:25s}", *(f"{mean:>8.3f} ({spread:.3f})" for mean, spread in cells))
    for episode in range(1, played.num_episodes):
        print_return_to_goal(outcome, episode)


def print_return_to_goal(outcome: Outcome, episode: int) -> None:
    """Prints how often, and how soon, an episode solves what the one before it solved; counted from 0."""
    if outcome.found is None or outcome.steps is None:
        return
    known = outcome.found[:, episode - 1]
    again = known & outcome.found[:, episode]
    if not again.any():
        print(f"of {known.sum()} trials with success in episode {episode}, none has it in episode {episode + 1}")
        return
    before, after = (np.median(outcome.steps[again, k]) for k in (episode - 1, episode))
    print(
        f"of {known.sum()} trials with success in episode {episode}, {again.sum() / known.sum():.0%} have it in "
        f"episode {episode + 1}, first after {after:g} steps (median; before {before:g})"
    )


def draw_adaptation(outcome: Outcome, name: str, path: Path) -> None:
    """Draws returns by episode, and success rates where there are some."""
    columns = 1 if outcome.found is None or outcome.success is None else 2
    figure, (axes,) = plt.subplots(1, columns, figsize=(4 * columns, 3.2), layout="constrained", squeeze=False)
    episodes = np.arange(1, outcome.returns.shape[1] + 1)
    axes[0].plot(episodes, outcome.returns.T, color="tab:blue", alpha=0.15, linewidth=0.8, marker=".")
    axes[0].plot(episodes, outcome.returns.mean(axis=0), "o-", color="tab:blue", linewidth=2.5)
    axes[0].set(title=f"{name}: return", xlabel="episode of the trial", xticks=episodes)
    if outcome.found is not None and outcome.success is not None:
        axes[1].plot(episodes, outcome.found.mean(axis=0), "o-", color="tab:green", label="at any step")
        axes[1].plot(episodes, outcome.success.mean(axis=0), "o-", color="tab:orange", label="at the last step")
        axes[1].set(title="success rate", xlabel="episode of the trial", xticks=episodes, ylim=(0, 1.05))
        axes[1].legend(loc="lower right")
    save_figure(figure, path)


def draw_belief(agent: MeldAgent, visit: Visit, diagnosis: meld_jax.Diagnosis, name: str, path: Path) -> None:
    """Draws error and spread of the predicted reward by step of the trial (thesis, figure 24)."""
    trials = make_trials(agent.config, visit, agent.belief.num_frames)
    first = np.asarray(trials.first)
    earned = np.asarray(trials.valid) & ~first  # nothing is earned at the start of an episode
    counts = earned.sum(axis=0)
    arrivals = np.flatnonzero(counts)
    error = np.abs(diagnosis.expected - diagnosis.reward)
    spread = np.sqrt(diagnosis.variance)
    figure, axes = plt.subplots(figsize=(6.5, 3.2), layout="constrained")
    for values, colour, label in (
        (error, "tab:red", "absolute error of the predicted reward"),
        (spread, "tab:blue", "standard deviation between samples of the belief"),
    ):
        mean = (values * earned).sum(axis=0)[arrivals] / counts[arrivals]
        axes.plot(arrivals, mean, ".-", color=colour, label=f"{label}, mean over trials")
    number = first.cumsum(axis=1)
    starts = np.flatnonzero((first & (number == number[0])).all(axis=0))[1:]  # where all trials begin the same episode
    for start, episode in zip(starts, number[0, starts], strict=True):
        axes.axvline(start, color="0.5", linestyle="--", linewidth=1)
        axes.annotate(f"episode {episode}", (start, 1), xycoords=("data", "axes fraction"), va="top")
    axes.set(xlabel="frame of the trial", ylabel="reward", title=name, ylim=(0, None))
    axes.legend(fontsize=8)
    axes.grid(alpha=0.3)
    save_figure(figure, path)
