"""Which objectives are sufficient for control on a small MDP: thesis figures 2 and 3, for built-in MDPs or your own.

    uv run examples/didactic_mdps.py --mdp=figure3 --objectives=fwd,state,inv,inv+reward
    uv run examples/didactic_mdps.py --mdp=levine_periodic --objectives=inv,ac-state,acdf --k=4
    uv run examples/didactic_mdps.py --file=mine.json --within=0.01,0.1 --output=mine.png

Prints a table of representations, a verdict for each objective with its margin, a counterexample and what it costs, and
the conditions of the theory that the MDP violates; where the endogenous state is known, whether it is found. The format
of files is described in `mi_repr.tabular.model.files`.
"""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends what follows at once

from pathlib import Path

import numpy as np
from absl import flags
from mi_repr import tabular
from mi_repr.tabular import report
from rlcore.experiment import main, output_path, user_errors
from support.didactic.analysis import analyse_all, analyse_named, describe_within, print_costs
from support.didactic.pictures import make_figure
from support.figures import save_figure

_MDP = flags.DEFINE_enum("mdp", "figure2", list(tabular.LIBRARY), "A built-in MDP.")
_FILE = flags.DEFINE_string("file", None, "A .json or .npz file with another MDP; then --mdp is not used.")
_REACHABLE = flags.DEFINE_bool("restrict_to_reachable", False, "Leave out states that the data never show.")
_OBJECTIVES = flags.DEFINE_list(
    "objectives", ["fwd", "state", "inv"], f"Of {', '.join(tabular.OBJECTIVES)}, also sums such as inv+reward."
)
_K = flags.DEFINE_integer("k", 1, "Steps from Z_t to Z_{t+k}; the most of them for ac-state and acdf.", lower_bound=1)
_WITHIN = flags.DEFINE_list("within", [], "Bits below the maximum; what is lost by representations so close is said.")
_ENDOGENOUS = flags.DEFINE_list(
    "endogenous", [], "The endogenous state of each state, such as 0,0,1,1; by default what a built-in MDP knows."
)
_MAX_STATES = flags.DEFINE_integer("max_states", 11, "Try all partitions of so many states.", lower_bound=1)
_ROWS = flags.DEFINE_integer("rows", 12, "Representations to show.", lower_bound=2)
_OUTPUT = flags.DEFINE_string(
    "output", None, "Where the picture goes, a .png, .pdf or .svg file. By default runs/didactic/<MDP or file>.png."
)


def read_numbers(option: str, texts: list[str], kind: type[int] | type[float]) -> list[float]:
    """The numbers of a list of an option.

    Raises:
      ValueError: one is none.
    """
    try:
        return [kind(text) for text in texts]
    except ValueError:
        raise ValueError(f"{option} must be numbers between commas, got {','.join(texts)}") from None


def find_endogenous(num_states: int, name: str) -> np.ndarray | None:
    """The endogenous state of each state: the option's, or that of the built-in MDP `name`, or None.

    Raises:
      ValueError: the option does not name one for each state.
    """
    if not _ENDOGENOUS.value:
        return tabular.ENDOGENOUS.get(name)
    numbers = np.array(read_numbers("endogenous", _ENDOGENOUS.value, int), int)
    if len(numbers) != num_states:
        raise ValueError(f"endogenous must name one for each of the {num_states} states, got {len(numbers)}")
    return numbers


def run() -> None:
    """Analyses, prints and draws."""
    objectives, k, max_states = _OBJECTIVES.value, _K.value, _MAX_STATES.value
    with user_errors():
        name = Path(_FILE.value).stem if _FILE.value else _MDP.value
        output = output_path("output", _OUTPUT.value or f"runs/didactic/{name}.png", (".png", ".pdf", ".svg"))
        mdp = tabular.load_mdp(_FILE.value) if _FILE.value else tabular.LIBRARY[_MDP.value]()
        mdp = mdp.restrict_to_reachable() if _REACHABLE.value else mdp
        title = f"{Path(_FILE.value).name if _FILE.value else name}, k = {k}"
        violations = tabular.check_conditions(mdp, k)
        endogenous = find_endogenous(mdp.num_states, "" if _FILE.value else name)
        within = describe_within(mdp, objectives, k, read_numbers("within", _WITHIN.value, float))
        if mdp.num_states <= max_states:
            analysed = analyse_all(
                mdp, objectives, k, max_states=max_states, num_rows=_ROWS.value, endogenous=endogenous
            )
        else:
            analysed = analyse_named(mdp, objectives, k, "" if _FILE.value else _MDP.value)
    print(f"{title}: {analysed.table}\n")
    for verdict in analysed.verdicts:
        print(report.format_verdict(verdict, mdp))
    print_costs(mdp, analysed.verdicts)
    for line in (*within, *analysed.notes):
        print(line)
    for violation in violations:
        print(f"condition violated ({violation.condition}): {violation.message}")
    save_figure(make_figure(mdp, analysed.verdicts, analysed.shown, title), output, dpi=130)
    print(f"picture: {output}")


if __name__ == "__main__":
    main(run)
