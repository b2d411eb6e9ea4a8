"""Pictures of the scores of `guidenet_results.py`, and of what a network finds."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from guidenet.data.episodes import annotate, as_masks
from guidenet.data.sources import KINDS
from guidenet.evaluation import Evaluation, Method, Viewer
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from support.figures import save_figure
from support.guidenet_methods import METHODS, POINTS, SHOTS
from support.guidenet_scores import Scores, pooled, read_scores, summarise, summarise_frames, summarise_look_alikes
from support.guidenet_tables import make_tables

_NUM_SHOWN = 8


def draw_scores(scores: Scores, folder: Path) -> None:
    """Draws scores, and writes them over seeds as JSON, and as tables to `tables.md`.

    Args:
      scores: which.
      folder: where pictures and tables go.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows, frames = summarise(scores), summarise_frames(scores)
    for name, found in (("points", rows), ("look-alikes", summarise_look_alikes(scores)), ("frames", frames)):
        if found:
            (folder / f"{name}.json").write_text(json.dumps(found, indent=0) + "\n")
    (folder / "tables.md").write_text(make_tables(scores))
    if rows:
        draw_points(rows, folder)
        draw_times(rows, folder)
    if frames:
        draw_frames(frames, folder)
    if shots := read_scores(scores, "shots", "classes"):
        draw_shots(shots, folder)


def draw_frames(rows: Sequence[dict[str, Any]], folder: Path) -> None:
    """Positive IU of video against annotated frames, a panel for each P (thesis figure 11, right)."""
    points = list(dict.fromkeys(row["points"] for row in rows))
    size = (3.6 * len(points), 3.6)
    figure, axes = plt.subplots(1, len(points), figsize=size, layout="constrained", squeeze=False, sharey=True)
    for axis, number in zip(axes[0], points, strict=True):
        for method, record in METHODS.items():
            mine = [row for row in rows if row["method"] == method and row["points"] == number]
            if mine:
                x = [row["frames"] for row in mine]
                y = [row["positive_iu"] for row in mine]
                axis.plot(x, y, "o-", color=record.colour, label=record.label, markersize=4)
        axis.set(title=f"{number} points" if number else "dense", xlabel="annotated frames", ylim=(0, None))
        axis.grid(alpha=0.3)
    _save(figure, list(axes[0]), folder / "frames.png")


def draw_points(rows: Sequence[dict[str, Any]], folder: Path) -> None:
    """Positive IU against P, a panel for each kind (thesis figures 10 and 11)."""
    figure, panels = _make_panels(rows, height=4.4)
    for kind, axis in panels.items():
        for method, record in METHODS.items():
            label, colour = record.label, record.colour
            mine = [row for row in rows if row["kind"] == kind and row["method"] == method]
            if mine:
                x = [POINTS.index(row["points"]) for row in mine]
                axis.plot(x, [row["positive_iu"] for row in mine], "o-", color=colour, label=label, markersize=4)
                low, high = np.transpose([row["interval"] for row in mine])
                axis.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
        axis.set(title=kind, xlabel="points of each class", ylim=(0, None))
        axis.set_xticks(range(len(POINTS)), [str(p) if p else "dense" for p in POINTS])
        axis.grid(alpha=0.3)
    _save(figure, list(panels.values()), folder / "points.png")


def draw_times(rows: Sequence[dict[str, Any]], folder: Path) -> None:
    """Positive IU against the time of an update, at five points (thesis figure 11, left)."""
    figure, panels = _make_panels(rows, height=3.6)
    for kind, axis in panels.items():
        for method, record in METHODS.items():
            label, colour = record.label, record.colour
            mine = [row for row in rows if row["kind"] == kind and row["method"] == method and row["points"] == 5]
            for row in mine:
                axis.plot(row["update_ms"], row["positive_iu"], "o", color=colour, label=label)
        axis.set(title=f"{kind}, 5 points", xlabel="update, ms", xscale="log", ylim=(0, None))
        axis.grid(alpha=0.3, which="both")
    _save(figure, list(panels.values()), folder / "times.png")


def _make_panels(rows: Sequence[dict[str, Any]], height: float) -> tuple[Figure, dict[str, Axes]]:
    """A panel, `height` inches high, for each kind that there are scores of."""
    kinds = [kind for kind in KINDS if any(row["kind"] == kind for row in rows)]
    figure, axes = plt.subplots(1, len(kinds), figsize=(4.6 * len(kinds), height), layout="constrained", squeeze=False)
    return figure, dict(zip(kinds, axes[0], strict=True))


def _save(figure: Figure, axes: Sequence[Axes], path: Path) -> None:
    """Writes a picture whose panels share a legend below them."""
    axes[0].set_ylabel("positive IU, held-out classes")
    handles = {label: handle for axis in axes for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=4, frameon=False)
    save_figure(figure, path)


def draw_shots(scores: Mapping[str, Sequence[dict[str, Any]]], folder: Path) -> None:
    """Positive IU of subcategories against the number of annotated images (thesis 4.4.2, 4.4.3)."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained", sharey=True)
    for axis, points, title in zip(axes, (1, None), ("one point of each kind", "dense masks"), strict=True):
        for method, seeds in scores.items():
            label, colour = METHODS[method].label, METHODS[method].colour
            mine = [[row for row in seed["shots"] if row["points"] == points] for seed in seeds]
            if not mine[0]:
                continue
            found = np.array([pooled(rows) for rows in zip(*mine, strict=True)])
            shots = [row["shots"] for row in mine[0]]
            axis.plot(shots, found[:, 0], "o-", color=colour, label=label, markersize=4)
            axis.fill_between(shots, found[:, 1], found[:, 2], color=colour, alpha=0.15, linewidth=0)
        axis.set(title=title, xlabel="annotated images", xscale="log")
        axis.set_xticks(SHOTS, [str(s) for s in SHOTS])
        axis.minorticks_off()
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("positive IU, held-out subcategories")
    axes[0].set_ylim(bottom=0)  # at the end, because it stops the two from growing with what is drawn
    axes[1].legend(frameon=False, fontsize=8)
    save_figure(figure, folder / "shots.png")


def draw_tasks(method: Method, evaluation: Evaluation, path: Path) -> None:
    """The first tasks at five points: supports with their points, and queries with the mask found."""
    viewer, tasks = Viewer(method, evaluation.material), evaluation.tasks[:_NUM_SHOWN]
    figure, axes = plt.subplots(2, len(tasks), figsize=(2.2 * len(tasks), 4.6), layout="constrained", squeeze=False)
    for number, task in enumerate(tasks):
        support, query = task.support[0], task.query
        rng = np.random.default_rng([evaluation.seed, 5, number])
        annotation = annotate(viewer.target(support.id, support.label), 5, rng)
        known = method.adapt([viewer.see(support.id)], as_masks(annotation)[None], own=task.own)
        size = evaluation.material.size
        found = np.asarray(method.segment(viewer.see(query.id), known, size))[0] > 0
        for axis, mask in zip(axes[:, number], (support, query), strict=True):
            axis.imshow(evaluation.material.source.dataset.image(mask.id))
            axis.axis("off")
        for label, colour in ((1, "lime"), (0, "red")):
            y, x = np.nonzero(annotation == label)
            axes[0][number].plot(x, y, "o", color=colour, markeredgecolor="white", markersize=5)
        axes[1][number].contourf(found, levels=(0.5, 1.5), colors="cyan", alpha=0.45)
        axes[1][number].contour(viewer.target(query.id, query.label) == 1, levels=(0.5,), colors="yellow")
    axes[0][0].set_title("support and points", fontsize=9, loc="left")
    axes[1][0].set_title("found (blue), wanted (yellow)", fontsize=9, loc="left")
    save_figure(figure, path, dpi=100)
