"""The graph of an MDP: states as circles, an arrow for each action and possible next state.

In the shape descriptions `S` denotes the states and `A` the actions.
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, FancyArrowPatch
from matplotlib.path import Path
from mi_repr import tabular

from support.didactic import text
from support.didactic.layout import place_states

MOST_STATES = 30
LEGEND_FONT = 9.0
_LARGEST, _OF_DISTANCE = 0.18, 0.3  # a circle's radius: at most this, and this part of the distance to the next one
_FONT_SIZES = (6.5, 12.0)  # names that would be smaller are numbers, with a key beside the graph
_COLORS = ("tab:blue", "tab:orange", "tab:purple", "tab:brown", "tab:pink", "tab:cyan", "tab:olive", "tab:gray")
_BLOCK_COLORS = ("#ffd27f", "#b9d7ff", "#d9c2f0", "#c8e6c0", "#f5c6cb", "#dddddd", "#fff3a3", "#b2e3e0")


class Graph(NamedTuple):
    """What is drawn and where.

    places: `[S, 2]`.
    radius: of the circles.
    reach: from the middle to each side of the picture.
    arrows: `[S, A, S]`, the probabilities of what is drawn, else 0.
    least: the smallest probability that is drawn, if others are left out.
    """

    places: np.ndarray
    radius: float
    reach: float
    arrows: np.ndarray
    least: float | None


class Labels(NamedTuple):
    """What stands in the circles: the names of the states, in lines, or numbers from 0 as in files; the font size."""

    texts: Sequence[str]
    size: float
    are_numbers: bool


def make_graph(mdp: tabular.FiniteMDP) -> Graph:
    """Decides what to draw: of very many arrows the likely ones."""
    arrows, least = mdp.transition * mdp.choices[:, :, None], None
    probabilities, most = np.sort(arrows[arrows > 0])[::-1], max(40, 5 * mdp.num_states)
    if len(probabilities) > most and probabilities[most - 1] > probabilities[-1]:
        least = float(probabilities[most - 1])
        arrows = np.where(arrows >= least, arrows, 0)
    places = place_states(np.any(arrows > 0, axis=1))
    distance = np.linalg.norm(places[:, None] - places, axis=2) + 9 * np.eye(len(places))
    radius = min(_LARGEST, _OF_DISTANCE * distance.min())
    num_loops = (np.einsum("sas->sa", arrows) > 0).sum(axis=1).max()
    return Graph(places, radius, 1.05 + (_loop_height(num_loops) if num_loops else 1) * radius, arrows, least)


def choose_labels(states: Sequence[str], graph: Graph, width: float, *, by_number: bool = False) -> Labels:
    """Labels for a graph `width` points wide: names, unless they do not fit or are not wanted."""
    room = 0.94 * graph.radius * width / graph.reach  # a circle's diameter
    names = [max((text.wrap(name, lines) for lines in (1, 2, 3)), key=lambda name: _fit(name, room)) for name in states]
    smallest, largest = _FONT_SIZES
    by_number = by_number or min(_fit(name, room) for name in names) < smallest
    if by_number:
        names = [str(number) for number in range(len(states))]
    return Labels(names, min(largest, *(_fit(name, room) for name in names)), by_number)


def draw_graph(axes: Axes, mdp: tabular.FiniteMDP, graph: Graph, labels: Labels, blocks: Sequence[int]) -> None:
    """Draws the graph into square axes; states of one of the `blocks` are filled alike."""
    by_action, fills = not mdp.reward_kind.by_state, _fills(blocks)
    circles = []
    for state, place in enumerate(graph.places):
        outline = "black" if by_action or mdp.reward[state] == 0 else "green" if mdp.reward[state] > 0 else "red"
        width = 1.0 if outline == "black" else 2.5
        circles.append(Circle(place, graph.radius, facecolor=fills[state], edgecolor=outline, lw=width, zorder=3))
        axes.add_patch(circles[-1])
        x, y = place
        label = axes.text(x, y, labels.texts[state], ha="center", va="center", fontsize=labels.size, zorder=4)
        label.set_parse_math(False)
    axes.set(xlim=(-graph.reach, graph.reach), ylim=(-graph.reach, graph.reach), aspect="equal")
    axes.axis("off")
    thin, head = (1.3, 11) if mdp.num_states <= 12 else (0.8, 7)
    for state, target in np.argwhere((graph.arrows > 0).any(axis=1)):
        for number, action in enumerate(np.flatnonzero(graph.arrows[state, :, target])):
            pays = by_action and mdp.expected_reward[state, action] > 0
            color, style = _line(int(action))
            options = {
                "arrowstyle": "-|>",
                "mutation_scale": head,
                "lw": 2.2 * thin if pays else thin,
                "color": color,
                "linestyle": style,
                "alpha": 0.3 + 0.7 * graph.arrows[state, action, target],
            }
            if state == target:
                arrow = FancyArrowPatch(path=_loop(graph, state, number), fill=False, **options)
            else:
                bend = f"arc3,rad={_bend(graph, state, target, number):.3f}"
                ends = {"patchA": circles[state], "patchB": circles[target], "shrinkA": 0, "shrinkB": 1}
                start, end = graph.places[state], graph.places[target]
                arrow = FancyArrowPatch(start, end, connectionstyle=bend, **ends, **options)
            axes.add_patch(arrow)


def make_legend(mdp: tabular.FiniteMDP) -> list[tuple[str, Line2D]]:
    """The actions and the signs of rewards, as labels and what they stand beside."""
    entries = [
        (text.cut(name, 110, LEGEND_FONT), Line2D([], [], color=_line(a)[0], ls=_line(a)[1]))
        for a, name in enumerate(mdp.actions)
    ]
    if not mdp.reward_kind.by_state:
        pays = bool((mdp.expected_reward > 0).any())
        return [*entries, ("pays", Line2D([], [], color="gray", lw=3))] if pays else entries
    for color, name, shown in (("green", "above", mdp.reward > 0), ("red", "below", mdp.reward < 0)):
        if shown.any():
            ring = Line2D([], [], marker="o", ms=9, ls="", color="white", markeredgecolor=color, markeredgewidth=2.5)
            entries.append((f"reward {name} 0", ring))
    return entries


def draw_legend(axes: Axes, entries: Sequence[tuple[str, Line2D]], num_columns: int, least: float | None) -> None:
    """Draws a legend, and from which probability there are arrows, into axes that hold nothing else."""
    title = None if least is None else f"arrows of probability below {least:.2g} are left out"
    handles = [handle for _, handle in entries]
    legend = axes.legend(
        handles,
        ["."] * len(handles),  # names that begin with _ would be left out here
        ncols=num_columns,
        title=title,
        loc="upper center",
        frameon=False,
        fontsize=LEGEND_FONT,
        title_fontsize=LEGEND_FONT,
    )
    for shown, (label, _) in zip(legend.get_texts(), entries, strict=True):
        shown.set(text=label, parse_math=False)
    axes.axis("off")


def _fit(name: str, diameter: float) -> float:
    """The font size at which a name just fits a circle."""
    return diameter / float(np.hypot(*text.measure(name, 1.0)))


def _bend(graph: Graph, state: int, target: int, number: int) -> float:
    """The curvature of an arrow: more for each one beside it, and enough to tell two directions apart.

    It goes around circles on its way if it can.
    """
    gap = graph.radius / np.linalg.norm(graph.places[state] - graph.places[target])
    is_alone = not graph.arrows[target, :, state].any()
    usual = np.clip(0.3 * gap, 0.12 if len(graph.places) <= 8 else 0.03 if is_alone else 0.08, 0.25)
    bends = usual + gap * np.arange(4)
    bends = np.concatenate([bends, -bends]) if is_alone else bends
    bends = bends[np.abs(bends) <= max(usual, 0.5)]
    covered = [max(0.0, 1.3 * graph.radius - _clearance(graph, state, target, bend)) for bend in bends]
    bend = bends[np.argmin(covered)]
    return float(bend + np.sign(bend) * number * np.clip(0.6 * gap, 0.08, 0.3))


def _clearance(graph: Graph, state: int, target: int, bend: float) -> float:
    """The distance from a bent arrow to the middle of the nearest other state."""
    start, end = graph.places[state], graph.places[target]
    turned = (end - start)[::-1] * [1, -1]
    control = (start + end) / 2 + bend * turned
    share = np.linspace(0, 1, 25)[:, None]
    points = (1 - share) ** 2 * start + 2 * share * (1 - share) * control + share**2 * end
    others = np.delete(graph.places, [state, target], axis=0)
    return float(np.linalg.norm(points[:, None] - others, axis=2).min(initial=np.inf))


def _loop(graph: Graph, state: int, number: int) -> Path:
    """From a state to itself, on its emptiest side, with outwards as the favourite; one loop around the other."""
    place = graph.places[state]
    others = np.delete(graph.places, state, axis=0) - place
    near = np.linalg.norm(others, axis=1)
    angles = 2 * np.pi * np.arange(36) / 36
    turned = np.cos(angles[:, None] - np.arctan2(others[:, 1], others[:, 0]))
    crowding = (np.maximum(0, turned) ** 4 * (near.min(initial=np.inf) / near) ** 2).sum(axis=1)
    outward = angles[(crowding - 0.8 * (np.stack([np.cos(angles), np.sin(angles)], axis=1) @ place)).argmin()]
    spread = 0.3 + 0.22 * number
    ends = [(1.03, -spread), (_control(number), -1.35 * spread), (_control(number), 1.35 * spread), (1.06, spread)]
    points = [
        place + graph.radius * radius * np.array([np.cos(outward + side), np.sin(outward + side)])
        for radius, side in ends
    ]
    return Path(points, [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4])


def _control(number: int) -> float:
    """How far out a loop's Bezier points are, in radii."""
    return 2.6 + 0.65 * number


def _loop_height(num_loops: int) -> float:
    """How far the outermost loop reaches, in radii."""
    return 0.25 + 0.75 * _control(num_loops - 1)


def _fills(blocks: Sequence[int]) -> list[str]:
    sizes = np.bincount(blocks)
    shared = [block for block in dict.fromkeys(blocks) if sizes[block] > 1]
    colors = dict(zip(shared, itertools.cycle(_BLOCK_COLORS), strict=False))
    return [colors.get(block, "white") for block in blocks]


def _line(action: int) -> tuple[str, str]:
    """The colour and the style of an action's arrows."""
    return _COLORS[action % len(_COLORS)], ("-", "--", ":")[action // len(_COLORS) % 3]
