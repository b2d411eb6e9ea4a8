"""Which objectives are sufficient for control on MDPs of textbooks, papers and gymnasium: exactly, as a table.

    uv run examples/public_mdps.py
    uv run examples/public_mdps.py --mdps=taxi,lock --objectives=fwd,state

A cell says what the maximisers of an objective are sufficient for, and how many bits the next representation lies below
the maximum; without bits it was decided without them. Below, the examples of Levine et al. (2024): the first of some
numbers of steps with which an inverse model finds the endogenous state.
"""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends what follows at once

from collections.abc import Callable, Sequence

import gymnasium
from absl import flags
from mi_repr import tabular
from mi_repr.tabular.control.verdict import NOTIONS
from rlcore.experiment import main, user_errors


def from_gymnasium(name: str) -> tabular.FiniteMDP:
    """An environment's table, without the states that no episode reaches."""
    env = gymnasium.make(name).unwrapped
    table, start = env.get_wrapper_attr("P"), env.get_wrapper_attr("initial_state_distrib")
    return tabular.FiniteMDP.from_gymnasium(table, start=start).restrict_to_reachable()


MDPS: dict[str, tuple[str, Callable[[], tabular.FiniteMDP]]] = {
    "figure2": ("thesis, figure 2", tabular.figure2),
    "figure3": ("thesis, figure 3", tabular.figure3),
    "catcher": ("catcher with a gripper", tabular.mini_catcher_grip),
    "robot": ("recycling robot", tabular.recycling_robot),
    "gridworld": ("gridworld, Sutton and Barto 3.5", tabular.gridworld),
    "windy": ("windy gridworld, Sutton and Barto 6.5", lambda: tabular.windy_gridworld().restrict_to_reachable()),
    "river6": ("RiverSwim", tabular.river_swim),
    "river40": ("RiverSwim of 40 states", lambda: tabular.river_swim(40)),
    "lock": ("combination lock, 10 levels", tabular.combination_lock),
    "garnet": ("Garnet(8, 2, 2)", tabular.garnet),
    "lake": ("FrozenLake 4x4", lambda: from_gymnasium("FrozenLake-v1")),
    "cliff": ("CliffWalking", lambda: from_gymnasium("CliffWalking-v1")),
    "taxi": ("Taxi", lambda: from_gymnasium("Taxi-v4")),
}
"""By name: in words, and how it is made."""

_LEVINE_STEPS = (1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20)
_FEW = 8
"""States of which all partitions are tried."""


_MDPS = flags.DEFINE_list("mdps", list(MDPS), f"Of {', '.join(MDPS)}.")
_OBJECTIVES = flags.DEFINE_list("objectives", ["fwd", "fwd+reward_action", "state", "inv"], "Names, also sums.")
_LEVINE = flags.DEFINE_bool("levine", True, "Whether to look at the examples of Levine et al. too: half a minute.")


def describe(mdp: tabular.FiniteMDP, objective: str) -> str:
    """What the maximisers are sufficient for, and the margin."""
    if "reward_action" in objective and mdp.reward_kind.by_state:
        return ""
    if mdp.num_states <= _FEW:
        verdict = tabular.analyse(mdp, objective).verdicts[objective]
    else:
        verdict = tabular.analyse_pairs(mdp, objective)
    holding = [words for notion, words in NOTIONS.items() if getattr(verdict, notion)]
    said = "no verdict" if verdict.withheld and verdict.counterexample is None else (holding or ["**nothing**"])[0]
    return said if verdict.margin is None else f"{said}, {tabular.to_bits(verdict.margin):.2g}"


def print_rows(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table in Markdown."""
    for row in (titles, ["---"] * len(titles), *rows):
        print(f"| {' | '.join(row)} |", flush=True)


def find_steps(name: str, objective: str) -> str:
    """The first number of steps, of those tried, with which the smallest maximiser is the endogenous state."""
    for k in _LEVINE_STEPS:
        analysis = tabular.analyse(tabular.LIBRARY[name](), objective, k=k)
        if tabular.judge_endogenous(analysis, tabular.ENDOGENOUS[name])[objective].recovers:
            return str(k)
    return f"not up to {_LEVINE_STEPS[-1]}"


def run() -> None:
    """Prints both tables."""
    with user_errors():
        for option, values in (("mdps", _MDPS.value), ("objectives", _OBJECTIVES.value)):
            if not values:
                raise ValueError(f"{option} must name one at least")
        if unknown := [name for name in _MDPS.value if name not in MDPS]:
            raise ValueError(f"mdps must be of {', '.join(MDPS)}, got {unknown[0]!r}")
        for objective in _OBJECTIVES.value:
            if tabular.parse_objective(objective, tabular.river_swim()).has("latent"):
                raise ValueError(f"objectives must not gain from aliasing, got {objective!r}")
    rows = []
    for name in _MDPS.value:
        words, make = MDPS[name]
        mdp = make()
        rows.append([words, str(mdp.num_states), *(describe(mdp, objective) for objective in _OBJECTIVES.value)])
    print_rows(["MDP", "states", *_OBJECTIVES.value], rows)
    if _LEVINE.value:
        objectives = ("inv", "ac-state", "acdf")
        print()
        print_rows(
            [f"first k of {', '.join(map(str, _LEVINE_STEPS))} that finds the endogenous state", *objectives],
            [[name, *(find_steps(name, objective) for objective in objectives)] for name in tabular.ENDOGENOUS],
        )


if __name__ == "__main__":
    main(run)
