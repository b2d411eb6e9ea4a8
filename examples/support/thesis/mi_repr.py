"""Figures of representations by mutual information, thesis section 2.5 and appendix A.2."""

from collections.abc import Sequence
from functools import partial

from support.thesis.drawing import draw_experiments, draw_observations, draw_regressions
from support.thesis.records import Figure, Group, Need, share_experiment

_OBJECTIVES = ("fwd", "state", "inv", "end-to-end", "untrained")


def _experiment(game: str, objective: str, seed: int) -> Need:
    name = f"{game}-{objective}-{seed}"
    place = f"mi-repr/{name}"
    flags = (f"--game={game}", f"--objective={objective}", f"--seed={seed}", f"--run_dir={{runs}}/{place}")
    return Need(place, place, "train_mi_repr.py", flags, share_experiment, 0.05, f"mi-repr/experiments/{name}")


def _groups(games: Sequence[str], objectives: Sequence[str] = _OBJECTIVES) -> tuple[Group, ...]:
    return tuple(Group(f"{game}, {name}", partial(_experiment, game, name)) for game in games for name in objectives)


FIGURES = {
    "5": Figure(
        "Returns of agents on learned representations, and errors of probes",
        "2.5.2",
        (draw_experiments,),
        others=_groups(("catcher", "catcher-grip")),
    ),
    "30": Figure(
        "Policies of Q-functions fitted to Q*",
        "A.2.1",
        (draw_regressions,),
        others=_groups(("catcher", "catcher-grip"), ("fwd", "state", "inv", "untrained")),
        lacks=("a learned Q*: it is that of value iteration, exactly; train_mi_repr.py has --learned_q_star",),
    ),
    "31": Figure("Observations with distractors", "A.2.2", (draw_observations,)),
    "32": Figure(
        "The same as figure 5 with distractors",
        "A.2.2",
        (draw_experiments,),
        others=_groups(("catcher-distractors", "catcher-grip-distractors")),
    ),
}
