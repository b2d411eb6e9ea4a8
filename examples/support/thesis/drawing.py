"""Draws figures of the thesis with what there is, and says in the picture what is in it."""

import csv
import glob
import shutil
import tempfile
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import matplotlib.pyplot as plt
import metarl_envs
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullFormatter
from metarl_envs.catcher import CatcherEnv
from rlcore.experiment import RunError

from support.curves import draw_curve
from support.figures import save_figure
from support.mi_repr_experiments import Results, find_runs, load_results, make_experiments
from support.mi_repr_pictures import draw_games, draw_regression
from support.thesis.records import Figure, Group, Panel
from support.thesis.status import Found, Look, describe_figure
from support.thesis.thresholds import Reach, compare, write

Curve = tuple[Found, np.ndarray, np.ndarray]
"""A run, and its points."""

_COLUMNS = 3
_NUM_OBSERVATIONS = 8
_COLUMNS_OF_CURVES = ("panel", "learner", "x is", "y is", "seed", "finished", "x", "y")


def draw(number: str, figure: Figure, look: Look) -> list[Path]:
    """Draws a figure below the folder of runs, and returns the pictures; none where there is nothing to draw.

    `contents.txt` beside them says what is in them, and what they lack.
    """
    folder = look.runs / "figures" / number
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "contents.txt").write_text(describe_figure(number, figure, look) + "\n")
    return [picture for function in figure.draw for picture in function(number, figure, look, folder)]


def draw_panels(number: str, figure: Figure, look: Look, folder: Path) -> list[Path]:
    """Curves: the mean of finished seeds with its interval, and each unfinished one as a thin broken line.

    `curves.csv` beside them has the points of every seed as they are, `thresholds.csv` how soon learners get to the
    returns that a panel asks for. A panel of which no run is begun is left out, and named below.
    """
    found = {panel.title: [look.find_group(group) for group in panel.groups] for panel in figure.panels}
    shown = [panel for panel in figure.panels if any(one.share for seeds in found[panel.title] for one in seeds)]
    if not shown:
        return []
    columns = min(_COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    picture, grid = plt.subplots(
        rows, columns, figsize=(max(4.6 * columns, 6), 3.7 * rows), layout="constrained", squeeze=False
    )
    points: list[tuple[Any, ...]] = []
    reached: dict[str, list[Reach]] = {}
    for axes, panel in zip(grid.flat, shown, strict=False):
        curves = {
            group.label: _draw_group(axes, panel, group, seeds, f"C{place}")
            for place, (group, seeds) in enumerate(zip(panel.groups, found[panel.title], strict=True))
        }
        points += _list_points(panel, curves)
        if panel.thresholds:
            whole = {label: [(x, y) for one, x, y in drawn if one.finished] for label, drawn in curves.items()}
            reached[panel.title] = compare(whole, panel.thresholds)
        axes.set(title=panel.title, xlabel=panel.xlabel, ylabel=panel.ylabel)
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        if panel.log:
            axes.set_xscale("log")
            axes.xaxis.set_minor_formatter(NullFormatter())
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.25), ncols=2)  # hides no curve
    for axes in list(grid.flat)[len(shown) :]:
        axes.set_axis_off()
    if not points:
        plt.close(picture)
        return []
    width = picture.get_figwidth()
    picture.suptitle(textwrap.fill(f"Thesis, figure {number}: {figure.title}", int(11 * width)))
    lacks = list(figure.lacks)
    if empty := [panel.title for panel in figure.panels if panel not in shown]:
        lacks.append(f"any run on {', '.join(empty)}")
    notes = [textwrap.fill(f"lacks: {lack}", int(20 * width)) for lack in lacks]
    picture.supxlabel("\n".join(notes), fontsize=7, x=0.01, ha="left")
    save_figure(picture, folder / "curves.png", dpi=130)
    with (folder / "curves.csv").open("w", newline="") as file:
        csv.writer(file).writerows([_COLUMNS_OF_CURVES, *points])
    if reached:
        write(folder / "thresholds.csv", reached)
    return [folder / "curves.png"]


def _list_points(panel: Panel, curves: Mapping[str, Sequence[Curve]]) -> list[tuple[Any, ...]]:
    """Rows of `curves.csv`: every point of every seed."""
    return [
        (panel.title, label, panel.xlabel, panel.ylabel, one.seed, one.finished, *point)
        for label, found in curves.items()
        for one, x, y in found
        for point in zip(x, y, strict=True)
    ]


def _draw_group(axes: Axes, panel: Panel, group: Group, found: Sequence[Found], colour: str) -> list[Curve]:
    """Draws what there is of a group, and returns it."""
    curves = [(one, *_read(panel, one)) for one in found]
    curves = [curve for curve in curves if curve[1].size]
    whole = [(x, y) for one, x, y in curves if one.finished]
    label = f"{group.label} ({len(whole)} of {len(found)} seed{'s' if len(found) > 1 else ''})"
    if whole:
        draw_curve(axes, *align(whole), label=label, color=colour)
    else:
        axes.plot([], [], color=colour, label=label)
    for one, x, y in curves:
        if not one.finished:
            unfinished = f"{group.label}, seed {one.seed} up to {one.share:.0%}"
            axes.plot(x, y, "--", color=colour, linewidth=0.8, label=unfinished)
    return curves


def _read(panel: Panel, one: Found) -> tuple[np.ndarray, np.ndarray]:
    try:
        x, y = panel.read(one.path)
    except RunError:  # nothing is there yet
        x, y = [], []
    return np.asarray(x, float), np.asarray(y, float)


def align(curves: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Curves at all the points of any within what all cover, between their own points by straight lines.

    Args:
      curves: `x` and `y` of each of `S`, where `x` grows.

    Returns:
      x: `[P]`. y: `[S, P]`.
    """
    first, last = max(x[0] for x, _ in curves), min(x[-1] for x, _ in curves)
    points = np.unique(np.concatenate([x for x, _ in curves]))
    points = points[(first <= points) & (points <= last)]
    return points, np.array([np.interp(points, x, y) for x, y in curves]).reshape(len(curves), -1)


def gather_pictures(number: str, figure: Figure, look: Look, folder: Path) -> list[Path]:
    """Copies the pictures that programs drew, `<label>-seed<number>`."""
    del number
    pictures = []
    for group in figure.others:
        for one in look.find_group(group):
            if one.finished:
                (file,) = one.need.files
                target = folder / f"{group.label}-seed{one.seed}{Path(file).suffix}"
                shutil.copyfile(one.path / file, target)
                pictures.append(target)
    return pictures


def _load_experiments(figure: Figure, look: Look, folder: Path) -> tuple[Results, list[str], list[str]]:
    """Results of the experiments that are finished, and their games and objectives."""
    found = [one for group in figure.others for one in look.find_group(group) if one.finished]
    runs = find_runs([glob.escape(str(one.path)) for one in found])
    results = load_results(make_experiments(runs, folder, "cpu", [], runs))
    keys = [one.need.flags[:2] for one in found]
    games, objectives = ([flags[i].partition("=")[2] for flags in keys] for i in range(2))
    return results, list(dict.fromkeys(games)), list(dict.fromkeys(objectives))


def draw_experiments(number: str, figure: Figure, look: Look, folder: Path) -> list[Path]:
    """Returns and errors of probes of mi-repr."""
    results, games, objectives = _load_experiments(figure, look, folder)
    path = folder / "experiments.png"
    if results:
        draw_games(results, games, objectives, f"Thesis, figure {number}: {figure.title}", path)
    return [path] if results else []


def draw_regressions(number: str, figure: Figure, look: Look, folder: Path) -> list[Path]:
    """Returns of Q fitted to Q*, and the errors of the fit."""
    del number
    results, games, objectives = _load_experiments(figure, look, folder)
    path = folder / "regressions.png"
    if results:
        draw_regression(results, games, objectives, path)
    return [path] if results else []


def draw_observations(number: str, figure: Figure, look: Look, folder: Path) -> list[Path]:
    """First observations of episodes of both games with distractors."""
    del look
    task = metarl_envs.get_task(metarl_envs.benchmark("catcher-distractors-v0").train_tasks, 0)
    picture, rows = plt.subplots(2, _NUM_OBSERVATIONS, figsize=(12, 3.6), layout="constrained")
    for row, grip in zip(rows, (False, True), strict=True):
        env = CatcherEnv(grip=grip, distractors="episode")
        for axes, key in zip(row, jax.random.split(jax.random.key(0), _NUM_OBSERVATIONS), strict=True):
            axes.imshow(env.observation(env.initial(key, task), key, task))
            axes.set_axis_off()
        row[0].set_title("catcher-grip" if grip else "catcher", loc="left", fontsize=9)
    picture.suptitle(f"Thesis, figure {number}: {figure.title}")
    save_figure(picture, folder / "observations.png")
    return [folder / "observations.png"]


def draw_scores(number: str, figure: Figure, look: Look, folder: Path) -> list[Path]:
    """Curves and tables of guided segmentation, of all scores that there are."""
    del number
    found = [one for group in figure.others for one in look.find_group(group) if one.share]
    if not found:
        return []
    from support.guidenet_pictures import draw_scores as draw_all
    from support.guidenet_scores import Scores

    with tempfile.TemporaryDirectory() as gathered:
        for one in found:
            for file in one.need.files:
                if (one.path / file).exists():
                    shutil.copyfile(one.path / file, Path(gathered) / file)
        draw_all(Scores(Path(gathered)), folder)
    return sorted(folder.glob("*.png"))
