"""Which objectives are sufficient for control on a small MDP: thesis figures 2 and 3, for built-in MDPs or your own.

    uv run examples/didactic_mdps.py --mdp=figure3 --objectives=fwd,state,inv,inv+reward
    uv run examples/didactic_mdps.py --file=mine.json --output=mine.png

Prints a table of representations, a verdict for each objective with a counterexample and what it costs, and the
conditions of the theory that the MDP violates. The format of files is described in `mi_repr.tabular.files`.
"""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends what follows at once

import numpy as np
from absl import flags
from mi_repr import tabular
from mi_repr.tabular import report
from rlcore.experiment import main, output_path, user_errors
from support.didactic_pictures import Picture, draw

_MDP = flags.DEFINE_enum("mdp", "figure2", list(tabular.LIBRARY), "A built-in MDP.")
_FILE = flags.DEFINE_string("file", None, "A .json or .npz file with another MDP; then --mdp is not used.")
_OBJECTIVES = flags.DEFINE_list("objectives", ["fwd", "state", "inv"], "Names, also sums such as inv+reward.")
_K = flags.DEFINE_integer("k", 1, "Steps from Z_t to Z_{t+k}.", lower_bound=1)
_MAX_STATES = flags.DEFINE_integer("max_states", 11, "Try all partitions of so many states.", lower_bound=1)
_ROWS = flags.DEFINE_integer("rows", 12, "Representations to show.", lower_bound=2)
_OUTPUT = flags.DEFINE_string("output", "didactic.png", "Where the picture goes.")

_EQUAL = 1e-9


def analyse_all(mdp: tabular.FiniteMDP, title: str) -> tuple[str, list[tabular.Verdict], Picture]:
    """The table, the verdicts and the picture from all partitions."""
    analysis = tabular.analyse(mdp, _OBJECTIVES.value, k=_K.value, max_states=_MAX_STATES.value)
    rows = report.representative_rows(analysis, _ROWS.value)
    verdicts = list(analysis.verdicts.values())
    picture = Picture(
        title,
        names=[_short_name(analysis.labels[row], mdp.states) for row in rows],
        information=analysis.information[rows],
        values={name: values[rows] for name, values in analysis.values.items()},
        maximal={name: maximal[rows] for name, maximal in analysis.maximal.items()},
        fitting=analysis.sufficient["pi_weak"][rows],
    )
    heading = f"{len(rows)} of {len(analysis.labels)} representations, values in bits, * maximal"
    return f"{heading}\n{report.format_table(analysis, rows)}", verdicts, picture


def analyse_named(
    mdp: tabular.FiniteMDP, title: str, representations: dict[str, np.ndarray]
) -> tuple[str, list[tabular.Verdict], Picture]:
    """The table, the verdicts and the picture of an MDP with too many partitions, from some of them and from merges."""
    verdicts = [tabular.analyse_pairs(mdp, name, k=_K.value) for name in _OBJECTIVES.value]
    measured = [tabular.measure(mdp, labels, _OBJECTIVES.value, _K.value) for labels in representations.values()]
    order = np.argsort([values["I(Z;S)"] for values in measured], kind="stable")
    names, labels = np.array(list(representations))[order].tolist(), [list(representations.values())[i] for i in order]
    columns = {name: np.array([measured[i][name] for i in order]) for name in ("I(Z;S)", *_OBJECTIVES.value)}
    information = columns.pop("I(Z;S)")
    notions = [tabular.sufficient_notions(mdp, blocks) for blocks in labels]
    maximal = {v.objective: columns[v.objective] >= v.maximum - _EQUAL for v in verdicts}
    fitting = np.array(["pi_weak" in held for held in notions])
    table = report.format_values(names, information, columns, maximal, list(map(report.format_notions, notions)))
    heading = f"{mdp.num_states} states have too many partitions to try all; some of them, values in bits, * maximal"
    return f"{heading}\n{table}", verdicts, Picture(title, names, information, columns, maximal, fitting)


def choose_representations(mdp: tabular.FiniteMDP, name: str) -> dict[str, np.ndarray]:
    """Representations worth a row where all are too many."""
    chosen = {"all aliased": np.zeros(mdp.num_states, int), "bisimulation": tabular.coarsest_bisimulation(mdp)}
    for objective in ("fwd", "state"):
        try:
            chosen[f"coarsest J_{objective}"] = tabular.coarsest_maximiser(mdp, objective, k=_K.value)
        except ValueError as error:
            print(f"no row for the coarsest J_{objective}: {error}")
    if name == "mini_catcher_grip":
        chosen.update(tabular.mini_catcher_grip_representations())
    return {**chosen, "identity": np.arange(mdp.num_states)}


def print_costs(mdp: tabular.FiniteMDP, verdicts: list[tabular.Verdict]) -> None:
    """Prints what the best policy on each counterexample earns beside the optimum."""
    examples = {verdict.counterexample.labels for verdict in verdicts if verdict.counterexample is not None}
    for labels in sorted(examples):
        cost = tabular.loss_of_optimality(mdp, labels)
        best = f"{cost.best:.4f}" if cost.exact else f"between {cost.best:.4f} and {cost.bound:.4f}"
        print(
            f"With {_short_name(np.array(labels), mdp.states)} the best deterministic memoryless policy earns {best}, "
            f"an optimal one {cost.optimum:.4f} (discounted by {mdp.discount}, from the states of the data)."
        )


def run() -> None:
    """Analyses, prints and draws."""
    with user_errors():
        output = output_path("output", _OUTPUT.value)
        mdp = tabular.load_mdp(_FILE.value) if _FILE.value else tabular.LIBRARY[_MDP.value]()
        title = f"{_FILE.value or _MDP.value}, k = {_K.value}"
        violations = tabular.check_conditions(mdp, _K.value)
        if mdp.num_states <= _MAX_STATES.value:
            table, verdicts, picture = analyse_all(mdp, title)
        else:
            named = choose_representations(mdp, "" if _FILE.value else _MDP.value)
            table, verdicts, picture = analyse_named(mdp, title, named)
    print(f"{title}: {table}\n")
    for verdict in verdicts:
        print(report.format_verdict(verdict, mdp))
    print_costs(mdp, verdicts)
    for violation in violations:
        print(f"condition violated ({violation.condition}): {violation.message}")
    draw(mdp, verdicts, picture, output)
    print(output)


def _short_name(labels: np.ndarray, states: tuple[str, ...]) -> str:
    """The blocks of two states and more."""
    blocks = [[states[i] for i in np.flatnonzero(labels == block)] for block in np.unique(labels)]
    if len(blocks) == 1 and len(states) > 2:
        return "all aliased"
    return " ".join("{" + ",".join(block) + "}" for block in blocks if len(block) > 1) or "identity"


if __name__ == "__main__":
    main(run)
