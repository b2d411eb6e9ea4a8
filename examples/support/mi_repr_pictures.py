"""The thesis's figures 5, 30 and 32, of the experiments that are finished."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from support.curves import draw_curve
from support.figures import save_figure
from support.mi_repr_experiments import Results, of_seeds

_STYLES = {
    "fwd": ("J_fwd", "tab:blue"),
    "state": ("J_state", "tab:orange"),
    "inv": ("J_inv", "tab:green"),
    "end-to-end": ("end to end", "tab:red"),
    "untrained": ("untrained encoder", "tab:gray"),
    "true-state": ("true state", "black"),
}
"""By objective: what it is called, and its colour."""


def draw_figures(results: Results, games: Sequence[str], objectives: Sequence[str], folder: Path) -> None:
    """Draws the figures of which something is finished, games and objectives in the order given."""
    finished = [game for game in games if any(game == key[0] for key in results)]
    plain = [game for game in finished if "distractors" not in game]
    distracted = [game for game in finished if "distractors" in game]
    if plain:
        title = "Representations without distractors (thesis, figure 5)"
        draw_games(results, plain, objectives, title, folder / "figure5.png")
    if distracted:
        title = "With distractors (thesis, figure 32)"
        draw_games(results, distracted, objectives, title, folder / "figure32.png")
    if finished:
        draw_regression(results, finished, objectives, folder / "figure30.png")


def draw_games(results: Results, games: Sequence[str], objectives: Sequence[str], title: str, path: Path) -> None:
    """Returns above and probe errors below, a column for each game."""
    figure, axes = plt.subplots(2, len(games), figsize=(4.6 * len(games), 6.4), layout="constrained", squeeze=False)
    for (top, bottom), game in zip(axes.T, games, strict=True):
        draw_returns(top, results, game, objectives)
        names = [f"mlp/{name}" for name in ("paddle_x", "fruit_x", "fruit_y", *(["gripper"] if "grip" in game else []))]
        draw_bars(bottom, results, game, objectives, "probe", names)
        bottom.axhline(1, color="0.4", linestyle="--", linewidth=1)
        bottom.set(ylim=(0, 1.25))
    axes[0, 0].set_ylabel("return of the greedy policy")
    axes[1, 0].set_ylabel("probe error / chance")
    _save(figure, axes[0, 0], title, path)


def draw_regression(results: Results, games: Sequence[str], objectives: Sequence[str], path: Path) -> None:
    """The return of the policy that maximises a Q fitted to Q*, and the error of the fit."""
    figure, axes = plt.subplots(1, len(games), figsize=(4.6 * len(games), 3.4), layout="constrained", squeeze=False)
    for column, game in zip(axes[0], games, strict=True):
        draw_bars(column, results, game, objectives, "regression", ["return", "q_error"])
        column.axhline(0, color="0.4", linewidth=1)
        column.set(title=game, ylim=(-1.05, 1.05))
    _save(figure, axes[0, 0], "Q regressed onto Q* (thesis, figure 30)", path)


def _save(figure: Figure, first: Axes, title: str, path: Path) -> None:
    figure.legend(*first.get_legend_handles_labels(), loc="outside lower center", ncols=6, fontsize=9)
    figure.suptitle(title)
    save_figure(figure, path)
    print(path)


def draw_returns(axes: Axes, results: Results, game: str, objectives: Sequence[str]) -> None:
    """Learning curves of the agents."""
    for objective in objectives:
        steps, returns = (of_seeds(results, game, objective, "tests", name) for name in ("env_steps", "test/return"))
        if len(returns):
            label, colour = _STYLES[objective]
            draw_curve(axes, steps[0], returns, color=colour, label=label)
    axes.set(title=game, xlabel="environment steps", ylim=(-1.05, 1.05))
    axes.grid(alpha=0.3)


def draw_bars(
    axes: Axes, results: Results, game: str, objectives: Sequence[str], part: str, names: Sequence[str]
) -> None:
    """A group of bars for each of `names`, a bar for each objective, a dot for each seed."""
    objectives = [name for name in objectives if of_seeds(results, game, name, part, names[0]).size]
    width = 0.8 / max(len(objectives), 1)
    for i, objective in enumerate(objectives):
        label, colour = _STYLES[objective]
        for j, name in enumerate(names):
            values = of_seeds(results, game, objective, part, name)
            if name.endswith("gripper"):
                values = 2 * (1 - values)  # so that chance is 1 for it too
            x = j + (i - (len(objectives) - 1) / 2) * width
            axes.bar(x, values.mean(), width, color=colour, alpha=0.6, label=label if j == 0 else None)
            axes.plot(np.full(len(values), x), values, ".", color="black", markersize=3)
    axes.set_xticks(range(len(names)), [name.split("/")[-1].replace("_", " ") for name in names])
