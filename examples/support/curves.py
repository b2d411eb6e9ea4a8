"""Learning curves over seeds, and their intervals."""

import difflib
import glob
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from rlcore.experiment import read_metrics
from scipy import stats

from support.figures import save_figure


def load_curves(pattern: str, x: str, y: str) -> tuple[np.ndarray, np.ndarray]:
    """The points `x: [P]` that all runs of a pattern share, and their values `y: [S, P]`.

    A pattern that is itself the path of a run names that run, whatever is in it; `~` is the user's home.

    Raises:
      ValueError: nothing matches, or a run lacks one of the metrics.
    """
    curves = []
    expanded = os.path.expanduser(pattern)
    for path in [expanded] if Path(expanded).exists() else sorted(glob.glob(expanded)):
        rows = read_metrics(path)
        points = {row[x]: row[y] for row in rows if x in row and y in row}
        if not points:
            raise ValueError(f"{path} has no rows with both {x} and {y}{suggest((x, y), rows)}")
        curves.append(points)
    if not curves:
        raise ValueError(f"runs: nothing matches {pattern!r}")
    shared = sorted(set.intersection(*(set(curve) for curve in curves)))
    if not shared:
        raise ValueError(f"runs: those that {pattern!r} matches share no {x}; try --x=iteration")
    return np.array(shared), np.array([[curve[point] for point in shared] for curve in curves])


def suggest(wanted: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """What those may be called that no row has."""
    there = list(dict.fromkeys(name for row in rows for name in row))
    close = [near for name in wanted if name not in there for near in difflib.get_close_matches(name, there)]
    return f", did you mean {' or '.join(close)}?" if close else ""


def read_learning(path: Path, metric: str) -> tuple[list[float], list[float]]:
    """A metric by environment steps."""
    points = {row["env_steps"]: row[metric] for row in read_metrics(path) if metric in row}
    return list(points), list(points.values())


def read_episodes(path: Path, metric: str, share: float = 0.0) -> tuple[list[float], list[float]]:
    """A metric by episode of a trial: of the last test, or the mean of all tests in the last `share` of iterations."""
    tested = [row for row in read_metrics(path) if f"{metric}_1" in row]
    last = tested[-1] if tested else {"iteration": 0}
    late = [row for row in tested if row["iteration"] > (1 - share) * last["iteration"]] or tested[-1:]
    episodes = sorted(int(name.removeprefix(f"{metric}_")) for name in last if name.startswith(f"{metric}_"))
    means = [float(np.mean([row[f"{metric}_{episode}"] for row in late])) for episode in episodes]
    return [float(episode) for episode in episodes], means


def interquartile_mean(y: np.ndarray, axis: int = 0) -> np.ndarray:
    """The mean of `y: [S, P]` over its middle half: a quarter of the S, rounded down, is left out at either end.

    So of fewer than four it is the mean. Agarwal et al., 2021, "Deep RL at the edge of the statistical precipice".
    """
    return np.asarray(stats.trim_mean(y, 0.25, axis=axis))


def bootstrap_interval(
    y: np.ndarray, confidence: float, statistic: Callable[..., np.ndarray] = np.mean
) -> tuple[np.ndarray, np.ndarray]:
    """Percentile bootstrap interval, over seeds of `y: [S, P]`, of their mean or another statistic: two arrays `[P]`.

    The statistic takes `axis`.
    """
    if len(y) == 1:
        return y[0], y[0]
    result = stats.bootstrap((y,), statistic, axis=0, confidence_level=confidence, method="percentile", rng=0)
    return result.confidence_interval.low, result.confidence_interval.high


def t_interval(values: np.ndarray, confidence: float = 0.95) -> tuple[float, float] | None:
    """Student's interval of the mean of `values: [S]`; None of fewer than two, which say nothing of the spread."""
    if len(values) < 2:
        return None
    mean = float(values.mean())
    half = float(stats.t.ppf((1 + confidence) / 2, len(values) - 1) * stats.sem(values))
    return mean - half, mean + half


def draw_curve(axes: Axes, x: np.ndarray, y: np.ndarray, confidence: float = 0.95, **options: Any) -> None:
    """Draws the mean over seeds of `y: [S, P]` at `x: [P]`, with its interval; options are those of the line."""
    (line,) = axes.plot(x, y.mean(axis=0), **options)
    axes.fill_between(x, *bootstrap_interval(y, confidence), color=line.get_color(), alpha=0.2, linewidth=0)


def count_seeds(y: np.ndarray) -> str:
    """How many `y: [S, P]` are of, in words."""
    return f"{len(y)} seed{'s' if len(y) > 1 else ''}"


def draw_variants(
    output_dir: Path, labels: Mapping[str, str], figures: Mapping[str, Sequence[str]], y: str = "test/return"
) -> None:
    """Draws `ablations.png` of the variants that have runs, with bootstrap intervals over all their seeds.

    Args:
      output_dir: of the runs, VARIANT-SEED each, and of the picture.
      labels: of the variants that may be drawn, by name.
      figures: the names of each panel, by its title.
      y: the metric to draw.

    Raises:
      ValueError: no variant has a run, or a run was not tested yet.
    """
    patterns = {name: f"{glob.escape(str(output_dir))}/{name}-[0-9]*" for name in labels}
    found = [name for name, pattern in patterns.items() if glob.glob(pattern)]
    figures = {title: [name for name in names if name in found] for title, names in figures.items()}
    figures = {title: names for title, names in figures.items() if names}
    if not figures:
        raise ValueError(f"output_dir: {output_dir} has no runs of {', '.join(labels)}")
    figure, grid = plt.subplots(1, len(figures), figsize=(5.5 * len(figures), 4), layout="constrained", squeeze=False)
    for axes, (title, names) in zip(grid[0], figures.items(), strict=True):
        for name in names:
            x, values = load_curves(patterns[name], "env_steps", y)
            colour = f"C{list(labels).index(name) % 10}"
            label = f"{labels[name]} ({count_seeds(values)})"
            draw_curve(axes, x, values, marker=".", color=colour, label=label)
        axes.set(xlabel="env_steps", ylabel=y, title=title)
        axes.grid(alpha=0.3)
        axes.legend()
    save_figure(figure, output_dir / "ablations.png", dpi=130)
    print(output_dir / "ablations.png")
