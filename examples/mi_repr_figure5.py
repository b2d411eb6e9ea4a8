"""Runs every objective on every catcher game and draws the thesis's figures 5, 30 and 32.

    uv run examples/mi_repr_figure5.py
    uv run examples/mi_repr_figure5.py --games=catcher --objectives=fwd,inv --num_seeds=1

The same command again goes on where it stopped. To use two processes, start one with --shard=0/2 and one with
--shard=1/2, and the command without --shard when both are done. The figures show what is finished.
"""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends what follows at once

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import metarl_envs
import mi_repr
import numpy as np
from absl import flags
from support.curves import bootstrap_interval

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rlcore.experiment import enable_compilation_cache, main, override, read_metrics, tell, user_errors

SHOWN = ("fwd", "state", "inv", "end-to-end", "untrained")
LABELS = {
    "fwd": "J_fwd",
    "state": "J_state",
    "inv": "J_inv",
    "end-to-end": "end to end",
    "untrained": "untrained encoder",
    "true-state": "true state",
}
COLOURS = {
    "fwd": "tab:blue",
    "state": "tab:orange",
    "inv": "tab:green",
    "end-to-end": "tab:red",
    "untrained": "tab:gray",
    "true-state": "black",
}

_GAMES = flags.DEFINE_list("games", list(mi_repr.GAMES), f"Of {', '.join(mi_repr.GAMES)}.")
_OBJECTIVES = flags.DEFINE_list("objectives", list(SHOWN), f"Of {', '.join(mi_repr.REPRESENTATIONS)}.")
_PRESET = flags.DEFINE_enum("preset", "cpu", list(mi_repr.PRESETS), "The config to start from.")
_NUM_SEEDS = flags.DEFINE_integer("num_seeds", 3, "Seeds of the games without distractors.", lower_bound=1)
_NUM_DISTRACTOR_SEEDS = flags.DEFINE_integer("num_distractor_seeds", 1, "Of those with distractors.", lower_bound=1)
_RUN_DIR = flags.DEFINE_string("run_dir", "runs/mi-repr-figure5", "Where everything goes.")
_OVERRIDE = flags.DEFINE_multi_string("override", [], "An option of every config, as part.name=value.")
_SHARD = flags.DEFINE_string("shard", "0/1", "I/N: run every N-th experiment, from the I-th on, counted from 0.")
_DRAW_ONLY = flags.DEFINE_bool("draw_only", False, "Draw what is finished and run nothing.")

Key = tuple[str, str, int]
"""Game, objective and seed of an experiment."""

Results = dict[Key, dict[str, Any]]


def make_experiments() -> Iterator[tuple[Key, mi_repr.Experiment]]:
    """Each experiment; all objectives of a seed before the next seed.

    Raises:
      ValueError: an unknown game, objective or option.
    """
    for option, values, allowed in (
        ("games", _GAMES.value, mi_repr.GAMES),
        ("objectives", _OBJECTIVES.value, mi_repr.REPRESENTATIONS),
    ):
        if unknown := [value for value in values if value not in allowed]:
            raise ValueError(f"{option} must be of {', '.join(allowed)}, got {unknown[0]!r}")
    for seed, game, objective in itertools.product(
        range(max(_NUM_SEEDS.value, _NUM_DISTRACTOR_SEEDS.value)), _GAMES.value, _OBJECTIVES.value
    ):
        if seed < (_NUM_DISTRACTOR_SEEDS.value if "distractors" in game else _NUM_SEEDS.value):
            benchmark = metarl_envs.benchmark(f"{game}-v0")
            config = override(mi_repr.preset(_PRESET.value, objective, benchmark.name), _OVERRIDE.value)
            if config.representation != objective:
                raise ValueError("override must leave representation alone: --objectives names it")
            key = (game, objective, seed)
            yield key, mi_repr.Experiment(benchmark, config, seed, directory(*key))


def directory(game: str, objective: str, seed: int) -> Path:
    """Of one experiment."""
    return Path(_RUN_DIR.value).expanduser() / f"{game}-{objective}-{seed}"


def parse_shard(text: str) -> tuple[int, int]:
    """`I/N` as two numbers, 0 <= I < N.

    Raises:
      ValueError: it is not.
    """
    first, _, count = text.partition("/")
    if not (first.isdecimal() and count.isdecimal() and int(first) < int(count)):
        raise ValueError(f"shard must be I/N with 0 <= I < N, got {text!r}")
    return int(first), int(count)


def load(experiments: dict[Key, mi_repr.Experiment]) -> Results:
    """The results of the experiments that are finished, their agents included.

    Raises:
      RunError: one of them had another config.
    """
    loaded = {key: experiment.results() for key, experiment in experiments.items()}
    return {key: results for key, results in loaded.items() if "agent" in results}


def of_seeds(results: Results, game: str, objective: str, *path: str) -> np.ndarray:
    """One number of every seed, `[S]`."""
    values = []
    for (this_game, this_objective, _), entry in results.items():
        if (this_game, this_objective) == (game, objective):
            for name in path:
                entry = entry.get(name, {})
            if entry != {}:
                values.append(entry)
    return np.array(values, float)


def draw_returns(axes: Axes, results: Results, game: str) -> None:
    """Learning curves of the agents."""
    for objective in _OBJECTIVES.value:
        curves = []
        for this_game, this_objective, seed in results:
            if (this_game, this_objective) == (game, objective):
                rows = [row for row in read_metrics(directory(game, objective, seed) / "agent") if "test/return" in row]
                curves.append(([row["env_steps"] for row in rows], [row["test/return"] for row in rows]))
        if curves:
            steps, returns = np.array(curves[0][0]), np.array([returns for _, returns in curves])
            axes.plot(steps, returns.mean(axis=0), color=COLOURS[objective], label=LABELS[objective])
            low, high = bootstrap_interval(returns, 0.95)
            axes.fill_between(steps, low, high, color=COLOURS[objective], alpha=0.2, linewidth=0)
    axes.set(title=game, xlabel="environment steps", ylim=(-1.05, 1.05))
    axes.grid(alpha=0.3)


def draw_bars(axes: Axes, results: Results, game: str, path: str, names: list[str]) -> None:
    """A group of bars for each of `names`, a bar for each objective, a dot for each seed."""
    objectives = [name for name in _OBJECTIVES.value if of_seeds(results, game, name, path, names[0]).size]
    width = 0.8 / max(len(objectives), 1)
    for i, objective in enumerate(objectives):
        for j, name in enumerate(names):
            values = of_seeds(results, game, objective, path, name)
            if name.endswith("gripper"):
                values = 2 * (1 - values)  # so that chance is 1 for it too
            x = j + (i - (len(objectives) - 1) / 2) * width
            label = LABELS[objective] if j == 0 else None
            axes.bar(x, values.mean(), width, color=COLOURS[objective], alpha=0.6, label=label)
            axes.plot(np.full(len(values), x), values, ".", color="black", markersize=3)
    axes.set_xticks(range(len(names)), [name.split("/")[-1].replace("_", " ") for name in names])


def draw_games(results: Results, games: list[str], title: str) -> Figure:
    """Returns above and probe errors below, a column for each game."""
    figure, axes = plt.subplots(2, len(games), figsize=(4.6 * len(games), 6.4), layout="constrained", squeeze=False)
    for (top, bottom), game in zip(axes.T, games, strict=True):
        draw_returns(top, results, game)
        names = [f"mlp/{name}" for name in ("paddle_x", "fruit_x", "fruit_y", *(["gripper"] if "grip" in game else []))]
        draw_bars(bottom, results, game, "probe", names)
        bottom.axhline(1, color="0.4", linestyle="--", linewidth=1)
        bottom.set(ylim=(0, 1.25))
    axes[0, 0].set_ylabel("return of the greedy policy")
    axes[1, 0].set_ylabel("probe error / chance")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=6, fontsize=9)
    figure.suptitle(title)
    return figure


def draw_regression(results: Results, games: list[str]) -> Figure:
    """The return of the policy that maximises a Q fitted to Q*, and the error of the fit."""
    figure, axes = plt.subplots(1, len(games), figsize=(4.6 * len(games), 3.4), layout="constrained", squeeze=False)
    for column, game in zip(axes[0], games, strict=True):
        draw_bars(column, results, game, "regression", ["return", "q_error"])
        column.axhline(0, color="0.4", linewidth=1)
        column.set(title=game, ylim=(-1.05, 1.05))
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=6, fontsize=9)
    figure.suptitle("Q regressed onto Q* (thesis, figure 30)")
    return figure


def draw(results: Results) -> None:
    """Draws the figures of which something is finished."""
    finished = [game for game in _GAMES.value if any(game == key[0] for key in results)]
    plain = [game for game in finished if "distractors" not in game]
    distracted = [game for game in finished if "distractors" in game]
    figures = {}
    if plain:
        figures["figure5.png"] = draw_games(results, plain, "Representations without distractors (thesis, figure 5)")
    if distracted:
        figures["figure32.png"] = draw_games(results, distracted, "With distractors (thesis, figure 32)")
    if finished:
        figures["figure30.png"] = draw_regression(results, finished)
    for name, figure in figures.items():
        path = Path(_RUN_DIR.value).expanduser() / name
        figure.savefig(path, dpi=120)
        print(path)


def print_table(results: Results) -> None:
    """Means over seeds, a line for each game and objective."""
    columns = {
        "return": ("agent", "test/return"),
        "Q* return": ("regression", "return"),
        "paddle x": ("probe", "mlp/paddle_x"),
        "fruit x": ("probe", "mlp/fruit_x"),
        "fruit y": ("probe", "mlp/fruit_y"),
        "gripper acc.": ("probe", "mlp/gripper"),
        "info. (bits)": ("information", "information"),
        "of (bits)": ("information", "exact"),
    }
    print(f"{'game':26}{'objective':12}{'seeds':>6}" + "".join(f"{name:>14}" for name in columns))
    for game, objective in itertools.product(_GAMES.value, _OBJECTIVES.value):
        num_seeds = sum(key[:2] == (game, objective) for key in results)
        cells = []
        for name, path in columns.items():
            values = of_seeds(results, game, objective, *path) / (np.log(2) if "bits" in name else 1)
            cells.append(f"{values.mean():14.3f}" if values.size else f"{'':14}")
        if num_seeds:
            print(f"{game:26}{objective:12}{num_seeds:6d}" + "".join(cells))


def run() -> None:
    """Runs what is missing, then draws."""
    with user_errors():
        first, count = parse_shard(_SHARD.value)
        experiments = dict(make_experiments())
        finished = load(experiments)
        mine = [] if _DRAW_ONLY.value else list(experiments)[first::count]
        missing = [key for key in mine if key not in finished]
        for key in missing:
            experiments[key].check()
    enable_compilation_cache()
    for key in missing:
        game, objective, seed = key
        tell(f"{game}, {objective}, seed {seed}")
        experiments[key].run()
    results = load(experiments)
    print_table(results)
    draw(results)


if __name__ == "__main__":
    main(run)
