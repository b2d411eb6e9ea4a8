"""The picture of an analysed MDP, like thesis figures 2 and 3: the graph, objectives by representation, and keys."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from mi_repr import tabular

from support.didactic import graph, text
from support.didactic.objectives import (
    Representations,
    draw_objectives,
    format_objective,
    has_upright_ticks,
    legend_shape,
)

_GRAPH, _ABOVE_GRAPH = 6.4, 0.4  # inches, the side of the graph and its title
_WIDTH, _HEIGHT = 6.3, 3.2  # inches, of the objectives; the height at least
_LEFT, _BELOW, _TURNED = 0.75, 0.65, 0.9  # inches beside and below the objectives, below them where ticks are turned
_TITLE, _ROW, _MARGIN = 0.5, 0.2, 0.1  # inches, of a title, of each row of a legend, around everything
_FONT, _POINTS = 8.0, 72
_SHORT_NAME = 3  # letters; numbers are no shorter
_MOST_LINES = 20  # of a key; longer ones are in the printed table only


class _Key(NamedTuple):
    """A list of what numbers mean, in columns."""

    title: str
    columns: list[list[str]]

    @property
    def height(self) -> float:
        """In inches, the title and a gap after it included."""
        return (len(self.columns[0]) + 2.2) * text.LINE * _FONT / _POINTS


class _GraphPlan(NamedTuple):
    """What the left half shows."""

    drawn: graph.Graph
    labels: graph.Labels
    legend: list[tuple[str, Line2D]]
    num_columns: int

    @property
    def legend_height(self) -> float:
        """In inches."""
        rows = -(-len(self.legend) // self.num_columns) + (self.drawn.least is not None)
        return _ROW * (rows + 1)


def make_figure(
    mdp: tabular.FiniteMDP, verdicts: Sequence[tabular.Verdict], shown: Representations, title: str
) -> Figure:
    """Draws the objectives by representation, and the graph if it has few enough states beside them."""
    plan = _plan_graph(mdp, shown) if mdp.num_states <= graph.MOST_STATES else None
    keys = _make_keys(mdp.states, plan.labels.texts if plan and plan.labels.are_numbers else None, shown)
    num_columns, num_rows = legend_shape(shown, _WIDTH * _POINTS)
    above, below = _TITLE + _ROW * num_rows, _BELOW if has_upright_ticks(shown) else _TURNED
    least = 5.5 if plan is None else _ABOVE_GRAPH + _GRAPH + plan.legend_height + 2 * _MARGIN
    height = max(least, above + _HEIGHT + below + sum(key.height for key in keys) + _MARGIN)
    left = _LEFT if plan is None else _MARGIN + _GRAPH + _MARGIN + _LEFT
    figure = Figure(figsize=(left + _WIDTH + 2 * _MARGIN, height))
    bottom = _MARGIN
    for key in reversed(keys):
        axes = _add_axes(figure, key.title, (left, bottom, _WIDTH, key.height))
        text.write_columns(axes, key.title, key.columns, _FONT)
        bottom += key.height
    bottom += below
    draw_objectives(
        _add_axes(figure, "objectives", (left, bottom, _WIDTH, height - above - bottom)), shown, num_columns
    )
    if plan is not None:
        _add_graph(figure, mdp, plan, verdicts, shown)
    x, y = (left + _WIDTH / 2) / figure.get_figwidth(), 1 - _MARGIN / height
    cropped = text.cut(title, _WIDTH * _POINTS, 12)
    figure.text(x, y, cropped, ha="center", va="top", fontsize=12, parse_math=False)
    return figure


def _plan_graph(mdp: tabular.FiniteMDP, shown: Representations) -> _GraphPlan:
    """States are numbered where their names are too long for circles, or for what the representations alias."""
    drawn, legend = graph.make_graph(mdp), graph.make_legend(mdp)
    num_columns = text.count_columns([label for label, _ in legend], _GRAPH * _POINTS, graph.LEGEND_FONT)
    widest = max(text.measure(entry, _FONT)[0] for entry in shown.describe(mdp.states))
    by_number = widest > _WIDTH * _POINTS and max(map(len, mdp.states)) > _SHORT_NAME
    labels = graph.choose_labels(mdp.states, drawn, _GRAPH * _POINTS, by_number=by_number)
    return _GraphPlan(drawn, labels, legend, num_columns)


def _add_graph(
    figure: Figure,
    mdp: tabular.FiniteMDP,
    plan: _GraphPlan,
    verdicts: Sequence[tabular.Verdict],
    shown: Representations,
) -> None:
    """The graph, above it which states an objective's maximiser aliases, below it a legend."""
    examples = [(v.objective, v.counterexample) for v in verdicts if v.counterexample is not None]
    objective, example = min(examples, key=lambda pair: pair[1].fails != "pi_weak", default=("", None))
    bottom = (figure.get_figheight() - _GRAPH - _ABOVE_GRAPH + plan.legend_height) / 2
    axes = _add_axes(figure, "graph", (_MARGIN, bottom, _GRAPH, _GRAPH))
    blocks = range(mdp.num_states) if example is None else example.labels
    graph.draw_graph(axes, mdp, plan.drawn, plan.labels, blocks)
    below = _add_axes(figure, "legend", (_MARGIN, bottom - plan.legend_height, _GRAPH, plan.legend_height))
    graph.draw_legend(below, plan.legend, plan.num_columns, plan.drawn.least)
    if example is not None:
        row = shown.find(example.labels)
        which = "" if row is None else f"r{row + 1}, "
        axes.set_title(f"filled alike: aliased by {which}a maximiser of {format_objective(objective)}", fontsize=10)


def _add_axes(figure: Figure, label: str, inches: tuple[float, float, float, float]) -> Axes:
    """Axes at left, bottom, width and height."""
    width, height = figure.get_size_inches()
    return figure.add_axes(tuple(np.array(inches) / (width, height, width, height)), label=label)


def _make_keys(states: Sequence[str], numbers: Sequence[str] | None, shown: Representations) -> list[_Key]:
    """What r1, r2, ... alias, and the names of the states where the graph shows numbers."""
    title = "representations" if all(shown.names) else "representations, by the states that they alias"
    keys = [(title, shown.describe(states if numbers is None else numbers))]
    if numbers is not None:
        keys.append(("states", [f"{number}  {name}" for number, name in zip(numbers, states, strict=True)]))
    return [
        _Key(title, text.arrange(entries, _WIDTH * _POINTS, _FONT, _MOST_LINES) or [["see the printed table"]])
        for title, entries in keys
    ]
