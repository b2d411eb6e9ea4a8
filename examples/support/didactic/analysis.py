"""An MDP analysed for `didactic_mdps.py`: a table, verdicts and what the picture shows."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from mi_repr import tabular
from mi_repr.tabular import report

from support.didactic.objectives import Representations, format_blocks, format_objective


class Analysed(NamedTuple):
    """What is printed and drawn.

    table: some representations.
    verdicts: one for each objective.
    shown: what the picture shows beside the graph.
    notes: lines on endogenous states.
    """

    table: str
    verdicts: list[tabular.Verdict]
    shown: Representations
    notes: list[str]


def analyse_all(
    mdp: tabular.FiniteMDP,
    objectives: Sequence[str],
    k: int,
    *,
    max_states: int,
    num_rows: int,
    endogenous: np.ndarray | None = None,
) -> Analysed:
    """Analyses all partitions, of which some are shown, and what they keep of endogenous states, if these are known."""
    analysis = tabular.analyse(mdp, objectives, k=k, max_states=max_states)
    rows = report.representative_rows(analysis, num_rows)
    shown = Representations(
        names=[""] * len(rows),
        labels=analysis.labels[rows],
        information=analysis.information[rows],
        values={name: values[rows] for name, values in analysis.values.items()},
        maximal={name: maximal[rows] for name, maximal in analysis.maximal.items()},
        fitting=analysis.sufficient["pi_weak"][rows],
    )
    heading = f"{len(rows)} of {len(analysis.labels)} representations, values in bits, * maximal"
    judged = {} if endogenous is None else tabular.judge_endogenous(analysis, endogenous)
    notes = [tabular.format_endogenous(verdict, mdp) for verdict in judged.values()]
    return Analysed(f"{heading}\n{report.format_table(analysis, rows)}", list(analysis.verdicts.values()), shown, notes)


def analyse_named(mdp: tabular.FiniteMDP, objectives: Sequence[str], k: int, name: str) -> Analysed:
    """Analyses an MDP with too many partitions from some of them, see `choose_representations`, and from merges."""
    verdicts = [tabular.analyse_pairs(mdp, objective, k=k) for objective in objectives]
    chosen = choose_representations(mdp, k, name)
    for verdict in verdicts:
        if verdict.counterexample is not None:
            chosen[f"a maximiser of {format_objective(verdict.objective)}"] = np.array(verdict.counterexample.labels)
    chosen = _name_once(chosen)
    measured = [tabular.measure(mdp, labels, objectives, k) for labels in chosen.values()]
    order = np.argsort([values["I(Z;S)"] for values in measured], kind="stable")
    labels = np.stack(list(chosen.values()))[order]
    columns = {column: np.array([measured[i][column] for i in order]) for column in ("I(Z;S)", *objectives)}
    notions = [tabular.sufficient_notions(mdp, blocks) for blocks in labels]
    shown = Representations(
        names=[list(chosen)[i] for i in order],
        labels=labels,
        information=columns.pop("I(Z;S)"),
        values=columns,
        maximal={
            objective: np.array([tabular.maximises(mdp, blocks, objective, k=k) for blocks in labels])
            for objective in objectives
        },
        fitting=np.array(["pi_weak" in held for held in notions]),
    )
    table = report.format_values(
        shown.names, shown.information, shown.values, shown.maximal, list(map(report.format_notions, notions))
    )
    heading = f"{mdp.num_states} states have too many partitions to try all; some of them, values in bits, * maximal"
    return Analysed(f"{heading}\n{table}", verdicts, shown, [])


def choose_representations(mdp: tabular.FiniteMDP, k: int, name: str) -> dict[str, np.ndarray]:
    """Representations worth a row where all are too many; `name` is that of a built-in MDP."""
    chosen = {"all aliased": np.zeros(mdp.num_states, int), "bisimulation": tabular.coarsest_bisimulation(mdp)}
    for objective in ("fwd", "state"):
        try:
            chosen[f"coarsest J_{objective}"] = tabular.coarsest_maximiser(mdp, objective, k=k)
        except ValueError as error:
            print(f"no row for the coarsest J_{objective}: {error}")
    if name == "mini_catcher_grip":
        chosen.update(tabular.mini_catcher_grip_representations())
    return {**chosen, "identity": np.arange(mdp.num_states)}


def print_costs(mdp: tabular.FiniteMDP, verdicts: Sequence[tabular.Verdict]) -> None:
    """Prints what the best policy on each counterexample earns beside the optimum."""
    examples = {verdict.counterexample.labels for verdict in verdicts if verdict.counterexample is not None}
    for labels in sorted(examples):
        cost = tabular.loss_of_optimality(mdp, labels)
        best = f"{cost.best:.4f}" if cost.exact else f"between {cost.best:.4f} and {cost.bound:.4f}"
        aliased = format_blocks(np.array(labels), mdp.states)
        print(
            f"With {aliased} the best deterministic memoryless policy earns {best}, "
            f"an optimal one {cost.optimum:.4f} (discounted by {mdp.discount}, from the states of the data)."
        )


def describe_within(mdp: tabular.FiniteMDP, objectives: Sequence[str], k: int, bits: Sequence[float]) -> list[str]:
    """Lines on what is lost by representations so many bits below the maximum, for monotone objectives.

    Raises:
      ValueError: a number of bits is negative, or an objective can gain from aliasing.
    """
    lines = []
    for below in bits:
        if not 0 <= below < np.inf:
            raise ValueError(f"within must be bits, at least 0, got {below:g}")
    for objective in objectives:
        for below in bits:
            within = tabular.loss_within(mdp, objective, below * np.log(2), k=k)
            opening = f"{objective}, up to {below:g} bits below the maximum: "
            if within.states is None:
                lines.append(f"{opening}no two states can be aliased.")
                continue
            pair = ",".join(mdp.states[state] for state in within.states)
            mean = "" if within.mean_q_error is None else f", on average by at most {within.mean_q_error:.3g}"
            lines.append(
                f"{opening}Q* of aliased states differs by up to {within.q_gap:.3g} ({pair}){mean}; a policy of the "
                f"blocks loses at most {within.return_loss:.3g}."
            )
    return lines


def _name_once(representations: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Each partition once, by all of its names."""
    names: dict[bytes, list[str]] = {}
    for name, labels in representations.items():
        names.setdefault(np.equal.outer(labels, labels).tobytes(), []).append(name)
    return {", ".join(equal): representations[equal[0]] for equal in names.values()}
