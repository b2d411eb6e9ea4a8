"""The picture of an analysed MDP, like thesis figures 2 and 3: the graph, and objectives by representation."""

import itertools
import os
from collections.abc import Sequence
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, FancyArrowPatch
from matplotlib.path import Path
from mi_repr import tabular

from support.figures import save_figure

_MOST_STATES_DRAWN = 12
_RADIUS = 0.17
_ACTION_COLORS = ("tab:blue", "tab:orange", "tab:purple", "tab:brown", "tab:pink", "tab:cyan")
_OBJECTIVE_COLORS = ("tab:green", "tab:blue", "tab:red", "tab:purple", "tab:orange", "tab:gray")
_BLOCK_COLORS = ("#ffd27f", "#b9d7ff", "#d9c2f0", "#c8e6c0", "#f5c6cb", "#dddddd")


class Picture(NamedTuple):
    """What the right half shows. `N` representations by rising I(Z;S), in nats.

    names: of the representations.
    information: `[N]`, I(Z;S).
    values: `[N]` by objective.
    maximal: `[N]` bool by objective.
    fitting: `[N]` bool, those that can express an optimal policy.
    """

    names: list[str]
    information: np.ndarray
    values: dict[str, np.ndarray]
    maximal: dict[str, np.ndarray]
    fitting: np.ndarray


def draw(
    mdp: tabular.FiniteMDP, verdicts: Sequence[tabular.Verdict], picture: Picture, title: str, path: os.PathLike[str]
) -> None:
    """Draws the graph, if it has few enough states, and the objectives by representation."""
    with_graph = mdp.num_states <= _MOST_STATES_DRAWN
    width = max(6.0, 2.5 + 0.5 * len(picture.names))
    if with_graph:
        figure, (left, right) = plt.subplots(
            1, 2, figsize=(5.5 + width, 5.6), width_ratios=(5.5, width), layout="constrained"
        )
        draw_graph(left, mdp, verdicts)
    else:
        figure, right = plt.subplots(figsize=(width + 1, 5), layout="constrained")
    draw_objectives(right, picture)
    figure.suptitle(title)
    save_figure(figure, path, dpi=130)


def draw_graph(axes: Axes, mdp: tabular.FiniteMDP, verdicts: Sequence[tabular.Verdict]) -> None:
    """States on a circle, an arrow for each action and possible next state, blocks of a counterexample filled alike."""
    positions = _place_states(mdp.transition)
    examples = [(v.objective, v.counterexample) for v in verdicts if v.counterexample is not None]
    objective, example = min(examples, key=lambda pair: pair[1].fails != "pi_weak", default=("", None))
    fills = ["white"] * mdp.num_states if example is None else _fills(example.labels)
    by_action = mdp.reward_convention == "state_action"
    for state, (x, y) in enumerate(positions):
        outline = "black" if by_action or mdp.reward[state] == 0 else "green" if mdp.reward[state] > 0 else "red"
        axes.add_patch(
            Circle(
                (x, y), _RADIUS, facecolor=fills[state], edgecolor=outline, lw=1 if outline == "black" else 3, zorder=3
            )
        )
        axes.text(x, y, mdp.states[state], ha="center", va="center", fontsize=9, zorder=4)
    for state, action, target in np.argwhere(mdp.transition > 0):
        pays = by_action and mdp.reward[state, action] > 0
        _draw_arrow(axes, positions, state, action, target, mdp.transition[state, action, target], 3.0 if pays else 1.4)
    handles = [Line2D([], [], color=_color(a), label=name) for a, name in enumerate(mdp.actions)]
    if by_action:
        handles.append(Line2D([], [], color="gray", lw=3, label="pays"))
    else:
        handles.append(_ring("green", "reward above 0"))
        if mdp.reward.min() < 0:
            handles.append(_ring("red", "reward below 0"))
    axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=4, frameon=False, fontsize=9)
    axes.set(xlim=(-1.5, 1.5), ylim=(-1.5, 1.5), aspect="equal")
    axes.axis("off")
    if example is not None:
        axes.set_title(f"filled alike: aliased by a maximiser of {_label(objective)}", fontsize=10)


def draw_objectives(axes: Axes, picture: Picture) -> None:
    """A line for each objective; maximisers large, the identity a star, insufficient maximisers diamonds."""
    x = np.arange(len(picture.names))
    for (name, nats), color in zip(picture.values.items(), itertools.cycle(_OBJECTIVE_COLORS), strict=False):
        bits = np.asarray(tabular.to_bits(nats))
        axes.plot(x, bits, "-o", color=color, ms=3.5, lw=1, alpha=0.8, label=_label(name))
        identity = np.array(picture.names) == "identity"
        failing = picture.maximal[name] & ~picture.fitting
        for chosen, marker, size in (
            (picture.maximal[name] & ~failing & ~identity, "o", 60),
            (identity, "*", 190),
            (failing, "D", 75),
        ):
            axes.scatter(
                x[chosen], bits[chosen], s=size, marker=marker, color=color, edgecolor="black", lw=0.8, zorder=3
            )
    handles, _ = axes.get_legend_handles_labels()
    for marker, size, text in (("o", 7, "maximal"), ("*", 12, "identity"), ("D", 7, "maximal, no optimal policy")):
        handles.append(Line2D([], [], marker=marker, ms=size, color="white", markeredgecolor="black", label=text))
    axes.legend(handles=handles, fontsize=8, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False)
    ticks = [
        f"{name}  {tabular.to_bits(nats):.2f}" for name, nats in zip(picture.names, picture.information, strict=True)
    ]
    axes.set_xticks(x, ticks, rotation=40, ha="right", rotation_mode="anchor", fontsize=8)
    axes.set(ylabel="bits", xlabel="aliased states, and I(Z;S) in bits")
    axes.grid(alpha=0.3)


def _place_states(transition: np.ndarray) -> np.ndarray:
    """`[S, 2]`, places on the unit circle; of few states in the order with the shortest arrows."""
    size = len(transition)
    angles = np.pi / 2 - 2 * np.pi * np.arange(size) / size + (np.pi / 4 if size == 4 else 0)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    if not 3 < size <= 8:
        return circle
    edges = (transition > 0).any(axis=1)
    distance = np.linalg.norm(circle[:, None] - circle[None], axis=2)
    orders = np.array([(0, *rest) for rest in itertools.permutations(range(1, size))])
    lengths = (distance[orders[:, :, None], orders[:, None, :]] * edges).sum(axis=(1, 2))
    return circle[orders[lengths.argmin()]]


def _draw_arrow(
    axes: Axes, positions: np.ndarray, state: int, action: int, target: int, probability: float, width: float
) -> None:
    color, start, end = _color(action), positions[state], positions[target]
    options = {"arrowstyle": "-|>", "mutation_scale": 13, "lw": width, "color": color, "alpha": 0.3 + 0.7 * probability}
    if state != target:
        bend = f"arc3,rad={0.13 + 0.15 * action}"
        shrink = 21
        axes.add_patch(FancyArrowPatch(start, end, connectionstyle=bend, shrinkA=shrink, shrinkB=shrink, **options))
        return
    outward, spread = np.arctan2(start[1], start[0]), 0.35 + 0.3 * action
    loop = [(_RADIUS + 0.03, spread), (0.55 + 0.2 * action, 1.2 * spread + 0.2)]
    corners = [(radius, outward + side) for radius, side in (*loop, *((r, -side) for r, side in reversed(loop)))]
    points = [start + radius * np.array([np.cos(angle), np.sin(angle)]) for radius, angle in corners]
    path = Path(points, [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4])
    axes.add_patch(FancyArrowPatch(path=path, fill=False, **options))


def _fills(labels: Sequence[int]) -> list[str]:
    sizes = np.bincount(labels)
    shared = [block for block in dict.fromkeys(labels) if sizes[block] > 1]
    colors = dict(zip(shared, itertools.cycle(_BLOCK_COLORS), strict=False))
    return [colors.get(block, "white") for block in labels]


def _ring(color: str, label: str) -> Line2D:
    return Line2D(
        [], [], marker="o", ms=10, ls="", color="white", markeredgecolor=color, markeredgewidth=2.5, label=label
    )


def _label(objective: str) -> str:
    names = {"reward": "I(R;Z)", "reward_action": "I(R;Z,A)"}
    return " + ".join(names.get(term, f"J_{term}") for term in objective.split("+"))


def _color(action: int) -> str:
    return _ACTION_COLORS[action % len(_ACTION_COLORS)]
