"""Values of objectives by representation.

In the shape descriptions `N` denotes representations and `S` states.
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from mi_repr import tabular

from support.didactic import text

MARKERS = (("o", 7, "maximal"), ("*", 12, "identity"), ("D", 7, "maximal, no optimal policy"))
"""Shape, size and meaning."""
_COLORS = ("tab:green", "tab:blue", "tab:red", "tab:purple", "tab:orange", "tab:gray")
_LEGEND_FONT = 8.0
_MOST_UPRIGHT = 16


class Representations(NamedTuple):
    """What is shown of `N` representations by rising I(Z;S), in nats. They are called r1, r2, ... here and in tables.

    names: of each, or "" for one that is called by its blocks.
    labels: `[N, S]`, the block of each state.
    information: `[N]`, I(Z;S).
    values: `[N]` by objective.
    maximal: `[N]` bool by objective.
    fitting: `[N]` bool, those that can express an optimal policy.
    """

    names: Sequence[str]
    labels: np.ndarray
    information: np.ndarray
    values: dict[str, np.ndarray]
    maximal: dict[str, np.ndarray]
    fitting: np.ndarray

    def find(self, labels: Sequence[int]) -> int | None:
        """The row of a partition, if it is shown."""
        same = np.equal.outer(labels, labels)
        return next(
            (row for row, found in enumerate(self.labels) if (np.equal.outer(found, found) == same).all()), None
        )

    def describe(self, states: Sequence[str]) -> list[str]:
        """The key of the numbers: a name, or what is aliased."""
        named = zip(self.names, self.labels, strict=True)
        return [f"r{row}  {name or format_blocks(found, states)}" for row, (name, found) in enumerate(named, 1)]


def format_blocks(labels: np.ndarray, states: Sequence[str]) -> str:
    """The blocks of two states and more."""
    blocks = [[states[int(i)] for i in np.flatnonzero(labels == block)] for block in np.unique(labels)]
    if len(blocks) == 1 and len(states) > 2:
        return "all aliased"
    return " ".join("{" + ",".join(block) + "}" for block in blocks if len(block) > 1) or "identity"


def format_objective(objective: str) -> str:
    """The name of an objective as the thesis writes it."""
    names = {"reward": "I(R;Z)", "reward_action": "I(R;Z,A)"}
    return " + ".join(names.get(term, f"J_{term}") for term in objective.split("+"))


def legend_shape(shown: Representations, width: float) -> tuple[int, int]:
    """Columns and rows of the legend in `width` points."""
    labels = [*map(format_objective, shown.values), *(label for _, _, label in MARKERS)]
    num_columns = min(3, text.count_columns(labels, width, _LEGEND_FONT))
    return num_columns, -(-len(labels) // num_columns)


def has_upright_ticks(shown: Representations) -> bool:
    """Whether each representation has its information below its number, and not beside it, turned."""
    return len(shown.names) <= _MOST_UPRIGHT


def draw_objectives(axes: Axes, shown: Representations, num_columns: int) -> None:
    """A line for each objective, in bits; maximisers large, the identity a star, insufficient maximisers diamonds.

    Where markers of several objectives fall together, the first ones are the larger.
    """
    x = np.arange(len(shown.names))
    identity = np.array([len(np.unique(labels)) == len(labels) for labels in shown.labels])
    for number, ((name, nats), color) in enumerate(zip(shown.values.items(), itertools.cycle(_COLORS), strict=False)):
        scale = 1 + 1.2 * (len(shown.values) - 1 - number)
        bits = np.asarray(tabular.to_bits(nats))
        axes.plot(x, bits, "-o", color=color, ms=3.5, lw=1, alpha=0.8, label=format_objective(name))
        failing = shown.maximal[name] & ~shown.fitting
        for chosen, marker, size in (
            (shown.maximal[name] & ~failing & ~identity, "o", 38),
            (identity, "*", 115),
            (failing & ~identity, "D", 45),
        ):
            axes.scatter(
                x[chosen], bits[chosen], s=scale * size, marker=marker, color=color, edgecolor="black", lw=0.6, zorder=3
            )
    handles, _ = axes.get_legend_handles_labels()
    for marker, size, label in MARKERS:
        handles.append(Line2D([], [], marker=marker, ms=size, color="white", markeredgecolor="black", label=label))
    axes.legend(
        handles=handles,
        fontsize=_LEGEND_FONT,
        ncols=num_columns,
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        frameon=False,
    )
    upright = has_upright_ticks(shown)
    separator = "\n" if upright else "  "
    ticks = [f"r{row}{separator}{bits:.2f}" for row, bits in enumerate(np.abs(tabular.to_bits(shown.information)), 1)]
    axes.set_xticks(x, ticks, rotation=0 if upright else 90, fontsize=8 if upright else 6.5)
    axes.tick_params(axis="y", labelsize=8)
    axes.set_ylabel("bits", fontsize=9)
    axes.set_xlabel(
        "representation, and below it I(Z;S) in bits" if upright else "representation, I(Z;S) in bits", fontsize=9
    )
    axes.margins(y=0.09)
    axes.grid(alpha=0.3)
