"""The thesis's figures 5, 30 and 32, of the experiments that are finished."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rlcore.experiment import read_metrics

from support.curves import draw_curve, t_interval
from support.figures import save_figure
from support.mi_repr_experiments import Key, Results, load_tests, of_seeds

_STYLES = {
    "fwd": ("J_fwd", "tab:blue"),
    "state": ("J_state", "tab:orange"),
    "inv": ("J_inv", "tab:green"),
    "multi-inv": ("J_inv of several steps", "tab:olive"),
    "reconstruction": ("reconstruction", "tab:purple"),
    "bootstrap": ("bootstrap", "tab:brown"),
    "fwd-thesis": ("J_fwd, thesis's head", "tab:cyan"),
    "state-thesis": ("J_state, thesis's head", "tab:pink"),
    "inv-thesis": ("J_inv, thesis's head", "darkseagreen"),
    "end-to-end": ("end to end", "tab:red"),
    "untrained": ("untrained encoder", "tab:gray"),
    "true-state": ("true state", "black"),
}
"""By objective: what it is called, and its colour."""


_LEGEND_WIDTH = 1.8
"""Inches that an entry of a legend takes at most."""


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
    """Returns above and probe errors below, a column for each game; bars at the right are t-intervals over seeds."""
    figure, axes = plt.subplots(2, len(games), figsize=(4.6 * len(games), 6.4), layout="constrained", squeeze=False)
    for (top, bottom), game in zip(axes.T, games, strict=True):
        draw_returns(top, results, game, objectives)
        names = [f"mlp/{name}" for name in ("paddle_x", "fruit_x", "fruit_y", *(["gripper"] if "grip" in game else []))]
        draw_bars(bottom, results, game, objectives, "probe", names)
        bottom.axhline(1, color="0.4", linestyle="--", linewidth=1)
        bottom.set(ylim=(0, 1.25))
    axes[0, 0].set_ylabel("return of the greedy policy\n(bars: 95% t-intervals over seeds)")
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
    columns = max(2, int(figure.get_figwidth() / _LEGEND_WIDTH))
    figure.legend(*first.get_legend_handles_labels(), loc="outside lower center", ncols=columns, fontsize=9)
    figure.suptitle(title)
    save_figure(figure, path)
    print(path)


def draw_returns(axes: Axes, results: Results, game: str, objectives: Sequence[str]) -> None:
    """Learning curves of the agents, and at their ends 95% t-intervals of the last return over seeds."""
    for place, objective in enumerate(objectives):
        steps, returns = (of_seeds(results, game, objective, "tests", name) for name in ("env_steps", "test/return"))
        if len(returns):
            label, colour = _STYLES[objective]
            thousands = steps[0] / 1000
            draw_curve(axes, thousands, returns, color=colour, label=label)
            if (interval := t_interval(returns[:, -1])) is not None:
                mean, x = returns[:, -1].mean(), thousands[-1] * (1.03 + 0.025 * place)
                ends = [[mean - interval[0]], [interval[1] - mean]]
                axes.errorbar([x], [mean], ends, fmt=".", color=colour, capsize=2, linewidth=1)
    axes.set(title=game, xlabel="thousands of environment steps", ylim=(-1.05, 1.05))
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


def draw_experiment(results: Mapping[str, Any], directory: Path, path: Path) -> None:
    """Draws of one experiment what there is: what its encoder learned, its agent's returns, its probes."""
    key = results["benchmark"].removesuffix("-v0"), results["representation"], results["seed"]
    panels = []
    if (directory / "encoder").exists():
        panels.append(lambda axes: _draw_training(axes, directory / "encoder"))
    alone: Results = {key: results}
    if "agent" in results:
        alone = {key: {**results, "tests": load_tests(directory / "agent")}}
        panels.append(lambda axes: _draw_agent(axes, alone, key))
    if probes := results.get("probe"):
        names = [name for name in probes if name.startswith("mlp/")]
        panels.append(lambda axes: _draw_probes(axes, alone, key, names))
    if not panels:
        return
    figure, row = plt.subplots(1, len(panels), figsize=(4.6 * len(panels), 3.6), layout="constrained", squeeze=False)
    for axes, draw in zip(row[0], panels, strict=True):
        draw(axes)
    figure.suptitle(f"{key[0]}, {_STYLES[key[1]][0]}, seed {key[2]}")
    save_figure(figure, path)
    print(path)


def _draw_training(axes: Axes, run_dir: Path) -> None:
    """The first of these metrics that a training logged: each kind of objective has one of them."""
    rows = read_metrics(run_dir)
    for name, label, unit in (
        ("information/bound", "information shown (bits)", np.log(2)),
        ("reconstruction/explained", "variance of pixels explained", 1.0),
        ("collapse/spread", "spread of features, 0 is collapse", 1.0),
    ):
        if name in rows[0]:
            axes.plot([row["updates"] for row in rows], [row[name] / unit for row in rows])
            axes.set(title="encoder", xlabel="updates", ylabel=label)
            axes.grid(alpha=0.3)
            return


def _draw_agent(axes: Axes, results: Results, key: Key) -> None:
    draw_returns(axes, results, key[0], [key[1]])
    axes.set(title="agent", ylabel="return of the greedy policy")


def _draw_probes(axes: Axes, results: Results, key: Key, names: Sequence[str]) -> None:
    draw_bars(axes, results, key[0], [key[1]], "probe", names)
    axes.axhline(1, color="0.4", linestyle="--", linewidth=1)
    axes.set(title="probes", ylabel="probe error / chance", ylim=(0, 1.25))
