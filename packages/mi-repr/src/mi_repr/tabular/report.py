"""Analyses and verdicts as text.

In the shape descriptions `N` denotes representations.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from mi_repr.tabular.control.verdict import NOTIONS, Counterexample, Notion, Verdict, format_partition
from mi_repr.tabular.information.values import to_bits
from mi_repr.tabular.model.mdp import FiniteMDP
from mi_repr.tabular.search.analysis import Analysis


def representative_rows(analysis: Analysis, limit: int = 12) -> np.ndarray:
    """`[N]` int, rows of an analysis to show, by rising I(Z;S); all if there are at most `limit`.

    The identity, the counterexamples and each objective's coarsest maximiser come first, then rows spread over I(Z;S).
    """
    by_information = np.argsort(analysis.information, kind="stable")
    if len(by_information) <= limit:
        return by_information
    chosen = [len(analysis.labels) - 1]
    for name, verdict in analysis.verdicts.items():
        if verdict.counterexample is not None:
            chosen.append(analysis.row(verdict.counterexample.labels))
        maximal = np.flatnonzero(analysis.maximal[name])
        chosen.append(int(maximal[analysis.information[maximal].argmin()]))
    spread = np.linspace(0, len(by_information) - 1, limit).round().astype(int)
    chosen += by_information[spread].tolist()
    kept = np.array(list(dict.fromkeys(chosen))[:limit])
    return kept[np.argsort(analysis.information[kept], kind="stable")]


def format_table(analysis: Analysis, rows: Sequence[int] | np.ndarray) -> str:
    """A line for each of some rows: its values in bits, * where maximal, and what it is sufficient for."""
    return format_values(
        [format_partition(analysis.labels[row], analysis.mdp.states) for row in rows],
        analysis.information[rows],
        {name: values[rows] for name, values in analysis.values.items()},
        {name: maximal[rows] for name, maximal in analysis.maximal.items()},
        [format_notions([notion for notion in NOTIONS if analysis.sufficient[notion][row]]) for row in rows],
    )


def format_values(
    names: Sequence[str],
    information: np.ndarray,
    values: Mapping[str, np.ndarray],
    maximal: Mapping[str, np.ndarray],
    remarks: Sequence[str],
) -> str:
    """The lines of a table of representations r1, r2, ...: `[N]` of each column, nats that are shown in bits.

    Names come last: partitions of many states are long.
    """
    number = max(2, len(f"r{len(names)}"))
    columns = {name: max(8, len(name)) for name in values}
    width = max(len("sufficient for"), *map(len, remarks))
    titles = [" " * number, "  I(Z;S)", *(f"{name:>{columns[name]}} " for name in values)]
    lines = ["  ".join([*titles, f"{'sufficient for':<{width}}", "representation"])]
    for row, name in enumerate(names):
        cells = [f"{f'r{row + 1}':<{number}}", f"{abs(to_bits(information[row])):8.4f}"]
        for objective, column in values.items():
            star = "*" if maximal[objective][row] else " "
            cells.append(f"{abs(to_bits(column[row])):{columns[objective]}.4f}{star}")
        lines.append("  ".join([*cells, f"{remarks[row]:<{width}}", name]))
    return "\n".join(lines)


def format_verdict(verdict: Verdict, mdp: FiniteMDP) -> str:
    """The verdict in a few sentences, with its margin and the counterexample."""
    if verdict.num_maximisers == 0:
        return f"{verdict.objective}: no representation maximises it at every k, so nothing is guaranteed."
    of_all = "" if verdict.num_maximisers is None else f" ({verdict.num_maximisers} representations)"
    opening = f"{verdict.objective}: maximum {abs(to_bits(verdict.maximum)):.4f} bits{of_all}, "
    if verdict.withheld is not None and verdict.counterexample is None:
        return f"{opening}no verdict: {verdict.withheld}."
    holding = [notion for notion in NOTIONS if getattr(verdict, notion)]
    opening += f"sufficient for {format_notions(holding)}" if holding else "NOT sufficient"
    if verdict.pi_weak is None and verdict.withheld is None:
        opening += "; whether an optimal policy can always be expressed was not decided"
    opening += f". {format_margin(verdict)}."
    if verdict.every_reward and verdict.q:
        opening += " That holds for every reward of the next state."
    elif verdict.every_reward:
        opening += " For rewards of the next state it is sufficient, whatever they are."
    if verdict.counterexample is None:
        return opening
    return f"{opening}\n  {_format_counterexample(verdict.counterexample, mdp)}"


def _format_counterexample(example: Counterexample, mdp: FiniteMDP) -> str:
    lacking = {
        "pi_weak": "no action is optimal in all",
        "pi_strict": "optimal actions differ between those",
        "q": "Q* differs between those",
    }
    actions = "; ".join(
        f"{mdp.states[state]}: {', '.join(best)}" for state, best in zip(example.states, example.actions, strict=True)
    )
    aliased = ",".join(mdp.states[state] for state in example.states)
    shown = format_partition(example.labels, mdp.states) if mdp.num_states <= 12 else f"that aliases only {{{aliased}}}"
    fault = f"{lacking[example.fails]} of {aliased} (optimal are {actions})"
    return f"The maximiser {shown} is not sufficient for {NOTIONS[example.fails]}: {fault}."


def format_margin(verdict: Verdict) -> str:
    """How far the next representation lies below the maximum, in bits; where that is not known, what decided."""
    if verdict.margin is None:
        return "Decided by structure"
    bits = to_bits(verdict.margin)
    return f"The next lies {bits:.4f} bits below" if bits >= 1e-3 else f"The next lies {bits:.1e} bits below"


def format_notions(holding: Sequence[Notion]) -> str:
    """The strictest of the notions of sufficiency that hold, in words."""
    return next((description for notion, description in NOTIONS.items() if notion in holding), "-")
