"""The leaderboard as a picture: return by episode of a trial, a panel for each family."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter, NullLocator

from support.figures import save_figure
from support.leaderboard.entries import Entry
from support.leaderboard.records import Learner

_COLUMNS = 3
_NOTES = (
    "Filled: interquartile mean over seeds, bars its 95% bootstrap interval. Hollow: one seed, which has none. "
    "Broken: adapts to all episodes at once, before the last.\n"
    "Dotted: a level to compare with. Learners differ in environment steps, and in how many episodes they adapt to: "
    "see the table."
)


def draw(entries: Sequence[Entry], learners: Sequence[Learner], path: Path) -> None:
    """Draws all families that have an entry; a learner has the same colour everywhere."""
    panels = [list(group) for _, group in groupby(entries, key=lambda entry: entry.family.name)]
    rows = -(-len(panels) // _COLUMNS)
    figure, grid = plt.subplots(rows, _COLUMNS, figsize=(13, 3.3 * rows + 1), layout="constrained", squeeze=False)
    colours = {learner.name: f"C{place}" for place, learner in enumerate(learners)}
    for axes, panel in zip(grid.flat, panels, strict=False):
        for entry in panel:
            _draw_entry(axes, entry, colours[entry.learner.name])
        _finish(axes, panel)
    for axes in list(grid.flat)[len(panels) :]:
        axes.set_axis_off()
    shown = [name for name in colours if any(entry.learner.name == name for entry in entries)]
    lines = [Line2D([], [], color=colours[name], marker="o", label=name) for name in shown]
    figure.legend(handles=lines, loc="outside upper center", ncols=len(lines))
    figure.supxlabel(_NOTES, fontsize=9)
    save_figure(figure, path, dpi=110)


def _draw_entry(axes: Axes, entry: Entry, colour: str) -> None:
    """A line through the episodes; of one that adapts at once, the first and the last of them."""
    places = np.arange(len(entry.episodes))
    if entry.learner.adapts_at_once:
        places = places[[0, -1]]
    x, y = np.array(entry.episodes)[places], entry.middle[places]
    style = "--" if entry.learner.adapts_at_once else "-"
    if entry.low is None or entry.high is None:
        axes.plot(x, y, f"o{style}", color=colour, markerfacecolor="white")
        return
    bars = np.array([y - entry.low[places], entry.high[places] - y])  # [2, K]
    axes.errorbar(x, y, bars.clip(min=0), fmt=f"o{style}", color=colour, capsize=3, markersize=5)


def _finish(axes: Axes, panel: Sequence[Entry]) -> None:
    for level, value in panel[0].family.levels.items():
        axes.axhline(value, color="0.5", linestyle=":")
        axes.annotate(level, (0.01, value), xycoords=("axes fraction", "data"), va="bottom", fontsize=8, color="0.4")
    episodes = sorted({episode for entry in panel for episode in entry.episodes})
    axes.set(title=panel[0].family.name, xlabel="episode of a trial", ylabel="return", xscale="log")
    axes.set_xticks(episodes, map(str, episodes))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlim(0.85, 1.18 * max(episodes))
    axes.margins(y=0.15)
    axes.grid(alpha=0.3)
