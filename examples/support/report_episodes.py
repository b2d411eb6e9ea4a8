"""How an agent adapts over the episodes of a trial, as a table and as pictures."""

from pathlib import Path

import jax
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import MaxNLocator
from rlcore.meta import Outcome, Testing, Trained, get_outcome

from support.figures import save_figure
from support.reports import ReportOptions, play, standard_error
from support.trajectories import SHOWN_EPISODES, draw_first_trajectories


def report(trained: Trained, output_dir: Path, options: ReportOptions) -> None:
    """Tabulates trials in test tasks, draws `adaptation.png` and, for navigation, `trajectories.png`."""
    benchmark = trained.benchmark
    num_trials = options.num_trials or 1
    num_episodes = options.num_episodes or trained.learner.testing.num_episodes
    key = jax.random.fold_in(jax.random.key(options.seed), num_episodes)  # not the key that training starts from
    played = play(trained, options, num_trials, key)
    trials = played.visit.by_episode(num_episodes, benchmark.family.horizon)
    returns = played.mean_over_trials(np.asarray(trials.returns()))
    identity = benchmark.identity()
    of_tasks = "tasks trained on" if identity["test_tasks"] == identity["train_tasks"] else "tasks never seen"
    print_table(returns, num_trials, of_tasks, get_outcome(trials), trained.learner.testing)
    output_dir.mkdir(parents=True, exist_ok=True)
    pictures = [output_dir / "adaptation.png"]
    draw_adaptation(returns, f"{benchmark.name}: adaptation to {of_tasks}", pictures[0])
    pictures += draw_first_trajectories(benchmark.family, trials, played.tasks, num_trials, output_dir)
    print("pictures:", ", ".join(map(str, pictures)))


def print_table(returns: np.ndarray, num_trials: int, of_tasks: str, outcome: Outcome, testing: Testing) -> None:
    """Prints mean and standard error over tasks of some episodes' returns `[N, K]`, each the mean of some trials.

    Above stands how many episodes the agent had adapted to. Below stands how often the same episodes were successful,
    where the environment says so.
    """
    num_episodes = returns.shape[1]
    shown = sorted({k for k in (*SHOWN_EPISODES, num_episodes) if k <= num_episodes})
    trials = f", {num_trials} trials each" if num_trials > 1 else ""
    print(f"\nreturn by episode of a trial, mean over {returns.shape[0]} {of_tasks}{trials}")
    print("episode        ", *(f"{k:>7d}" for k in shown))
    print("adapted to     ", *(f"{testing.num_adapted(k - 1):>7d}" for k in shown))
    print("return         ", *(f"{returns[:, k - 1].mean():>7.2f}" for k in shown))
    errors = standard_error(returns)
    print("standard error ", *(f"{errors[k - 1]:>7.2f}" for k in shown))
    for name, values in (("success at end", outcome.success), ("success ever", outcome.found)):
        if values is not None:
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
    save_figure(figure, path)
