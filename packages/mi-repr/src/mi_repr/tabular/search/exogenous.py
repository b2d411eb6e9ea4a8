"""Whether an objective finds the part of the state that actions move, where the rest is noise.

An Ex-BMDP (Efroni et al., 2022) is an MDP whose state is a pair: an endogenous state, which the actions move and always
to one place, and exogenous noise, which moves by itself, whatever is done. What a representation should keep is the
endogenous state and nothing else. A maximiser holds it if no block mixes two endogenous states. Levine, Stone and Zhang
(2024) ask for the smallest encoder among those that lose nothing: this is the endogenous state, or it is not.

In the shape descriptions `S` denotes the states, `A` the actions and `N` the maximisers.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from mi_repr.tabular.control.verdict import format_partition
from mi_repr.tabular.information.conditions import explain_unshown
from mi_repr.tabular.model.mdp import FiniteMDP
from mi_repr.tabular.search.analysis import Analysis


@dataclasses.dataclass(frozen=True)
class EndogenousVerdict:
    """What maximising an objective keeps of an endogenous state.

    objective: its name.
    k: steps, or the most of them.
    num_maximisers: partitions that reach the maximum.
    holds: no maximiser mixes two endogenous states.
    recovers: the smallest maximiser is the endogenous state, and no other is as small.
    smallest: the block of each state in a maximiser with the fewest blocks.
    num_smallest: maximisers that have so few.
    mixed: two states of different endogenous states that the smallest maximiser aliases, or else any other; or None.
    """

    objective: str
    k: int
    num_maximisers: int
    holds: bool
    recovers: bool
    smallest: tuple[int, ...]
    num_smallest: int
    mixed: tuple[int, int] | None


def judge_endogenous(analysis: Analysis, endogenous: Sequence[int] | np.ndarray) -> dict[str, EndogenousVerdict]:
    """Whether the maximisers of each objective of an analysis hold the endogenous state, and the smallest is no more.

    Args:
      analysis: of all partitions.
      endogenous: `[S]`, the endogenous state of each state.

    Raises:
      ValueError: `endogenous` is no partition of the states, or the data do not show all of them.
    """
    if reason := explain_unshown(analysis.mdp):
        raise ValueError(f"endogenous states cannot be judged: {reason}")
    truth = np.unique(analysis.labels[analysis.row(endogenous)], return_inverse=True)[1]
    apart = truth[:, None] != truth
    verdicts = {}
    for name, maximal in analysis.maximal.items():
        labels = analysis.labels[maximal]
        mixes = np.array([(apart & (row[:, None] == row)).any() for row in labels])
        small = labels.max(axis=1) == labels[0].max()  # they are in the order of their number of blocks
        mixed = next((row for row in (*labels[small & mixes], *labels[mixes])), None)
        pair = None if mixed is None else tuple(map(int, np.argwhere(apart & (mixed[:, None] == mixed))[0]))
        verdicts[name] = EndogenousVerdict(
            name,
            analysis.k,
            len(labels),
            holds=not mixes.any(),
            recovers=bool(small.sum() == 1 and (labels[0] == truth).all()),
            smallest=tuple(map(int, labels[0])),
            num_smallest=int(small.sum()),
            mixed=None if pair is None else (pair[0], pair[1]),
        )
    return verdicts


def format_endogenous(verdict: EndogenousVerdict, mdp: FiniteMDP) -> str:
    """The verdict in a sentence or two, with what shows it."""
    opening = f"{verdict.objective}, k = {verdict.k}: "
    smallest = format_partition(verdict.smallest, mdp.states)
    if verdict.recovers:
        return f"{opening}the smallest maximiser is the endogenous state."
    if verdict.mixed is not None:
        one, other = (mdp.states[state] for state in verdict.mixed)
        return (
            f"{opening}NOT the endogenous state: a maximiser mixes {one} and {other}, and nothing that the objective "
            f"looks at tells them apart. The smallest is {smallest}."
        )
    return f"{opening}the endogenous state is kept, and noise with it: the smallest maximiser is {smallest}."
