"""Which objectives are sufficient for control on a small MDP: thesis figures 2 and 3, for built-in MDPs or your own.

    uv run examples/didactic_mdps.py --mdp=figure3 --objectives=fwd,state,inv,inv+reward
    uv run examples/didactic_mdps.py --file=mine.json --output=mine.png

Prints a table of representations, a verdict for each objective with a counterexample and what it costs, and the
conditions of the theory that the MDP violates. The format of files is described in `mi_repr.tabular.files`.
"""

import signal
from pathlib import Path

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends what follows at once

from absl import flags
from mi_repr import tabular
from mi_repr.tabular import report
from rlcore.experiment import main, output_path, user_errors
from support.didactic.analysis import analyse_all, analyse_named, print_costs
from support.didactic.pictures import make_figure
from support.figures import save_figure

_MDP = flags.DEFINE_enum("mdp", "figure2", list(tabular.LIBRARY), "A built-in MDP.")
_FILE = flags.DEFINE_string("file", None, "A .json or .npz file with another MDP; then --mdp is not used.")
_OBJECTIVES = flags.DEFINE_list("objectives", ["fwd", "state", "inv"], "Names, also sums such as inv+reward.")
_K = flags.DEFINE_integer("k", 1, "Steps from Z_t to Z_{t+k}.", lower_bound=1)
_MAX_STATES = flags.DEFINE_integer("max_states", 11, "Try all partitions of so many states.", lower_bound=1)
_ROWS = flags.DEFINE_integer("rows", 12, "Representations to show.", lower_bound=2)
_OUTPUT = flags.DEFINE_string(
    "output", None, "Where the picture goes, a .png, .pdf or .svg file. By default runs/didactic/<MDP or file>.png."
)


def run() -> None:
    """Analyses, prints and draws."""
    objectives, k, max_states = _OBJECTIVES.value, _K.value, _MAX_STATES.value
    with user_errors():
        name = Path(_FILE.value).stem if _FILE.value else _MDP.value
        output = output_path("output", _OUTPUT.value or f"runs/didactic/{name}.png", (".png", ".pdf", ".svg"))
        mdp = tabular.load_mdp(_FILE.value) if _FILE.value else tabular.LIBRARY[_MDP.value]()
        title = f"{Path(_FILE.value).name if _FILE.value else name}, k = {k}"
        violations = tabular.check_conditions(mdp, k)
        if mdp.num_states <= max_states:
            analysed = analyse_all(mdp, objectives, k, max_states=max_states, num_rows=_ROWS.value)
        else:
            analysed = analyse_named(mdp, objectives, k, "" if _FILE.value else _MDP.value)
    table, verdicts, shown = analysed
    print(f"{title}: {table}\n")
    for verdict in verdicts:
        print(report.format_verdict(verdict, mdp))
    print_costs(mdp, verdicts)
    for violation in violations:
        print(f"condition violated ({violation.condition}): {violation.message}")
    save_figure(make_figure(mdp, verdicts, shown, title), output, dpi=130)
    print(f"picture: {output}")


if __name__ == "__main__":
    main(run)
