"""Whether the maximisers of an objective are sufficient, and a counterexample if not.

In the shape descriptions `S` denotes the states and `A` the actions.
"""

import dataclasses
from collections.abc import Sequence
from typing import Literal

import numpy as np

from mi_repr.tabular.control.solve import Compared, compare_values
from mi_repr.tabular.information.values import check_representation
from mi_repr.tabular.model.groups import LAST_DIGITS, group_rows
from mi_repr.tabular.model.mdp import FiniteMDP

Notion = Literal["q", "pi_strict", "pi_weak"]
NOTIONS: dict[Notion, str] = {  # from the strictest to the weakest
    "q": "Q*",
    "pi_strict": "all optimal actions",
    "pi_weak": "an optimal policy",
}


@dataclasses.dataclass(frozen=True)
class Counterexample:
    """A representation that maximises an objective and is not sufficient.

    labels: the block of each state.
    fails: the weakest notion of sufficiency that it violates.
    states: aliased states that show it, two unless only three or more together share no optimal action.
    actions: the names of the optimal actions of each of these states.
    """

    labels: tuple[int, ...]
    fails: Notion
    states: tuple[int, ...]
    actions: tuple[tuple[str, ...], ...]


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What maximising an objective guarantees. None where it was not decided; False where nothing maximises.

    Only states that the data show are judged, see `shown_states`. Where some are not shown, nothing is said to hold.

    objective: its name.
    maximum: its largest value in nats.
    num_maximisers: representations that reach it, of those looked at.
    q: all maximisers are Q*-sufficient (thesis definition 3): aliased states have equal Q*.
    pi_strict: all are strictly pi*-sufficient (definition 2): aliased states have the same set of optimal actions.
    pi_weak: all can express an optimal policy: every block has an action that is optimal in all its states.
    counterexample: the finest maximiser among those that violate the weakest notion violated.
    every_reward: all are Q*-sufficient for every reward of the next state (proposition 1): actions lead from aliased
      states to the same distribution.
    margin: how far the next representation lies below the maximum, in nats. None where that was not looked for, or no
      representation lies below: what is maximal is decided by structure, see `mi_repr.tabular.information.lossless`.
    withheld: why nothing is said to hold; None where all states are shown.
    """

    objective: str
    maximum: float
    num_maximisers: int | None
    q: bool | None
    pi_strict: bool | None
    pi_weak: bool | None
    counterexample: Counterexample | None
    every_reward: bool | None = None
    margin: float | None = None
    withheld: str | None = None


def make_counterexample(
    labels: np.ndarray | Sequence[int],
    fails: Notion,
    compared: Compared,
    action_names: tuple[str, ...],
    shown: np.ndarray | None = None,
) -> Counterexample:
    """Finds the states that show why `labels: [S]` fail, given which values are equal, among those `shown: [S]` bool.

    Raises:
      ValueError: they do not fail.
    """
    labels, optimal = np.asarray(labels), compared.optimal
    for block in np.unique(labels):
        members = np.flatnonzero((labels == block) & (True if shown is None else shown))
        found = next((pair for pair in _pairs(members) if violates(fails, compared, pair)), None)
        if found is None and len(members) and violates(fails, compared, members):
            found = members
        if found is not None:
            names = tuple(tuple(action_names[a] for a in np.flatnonzero(optimal[state])) for state in found)
            return Counterexample(tuple(map(int, labels)), fails, tuple(map(int, found)), names)
    raise ValueError(f"the representation {labels.tolist()} is sufficient for {NOTIONS[fails]}")


def violates(notion: Notion, compared: Compared, rows: np.ndarray) -> bool:
    """Whether aliasing the states `rows` violates a notion."""
    classes, optimal = compared.classes[rows], compared.optimal[rows]
    if notion == "q":
        return bool((classes != classes[0]).any())
    if notion == "pi_strict":
        return bool((optimal != optimal[0]).any())
    return not optimal.all(axis=0).any()


def violating_pairs(compared: Compared) -> dict[Notion, np.ndarray]:
    """`[S, S]` bool by notion, from the weakest to the strictest: whether aliasing two states violates it."""
    classes, optimal = compared
    return {
        "pi_weak": ~np.any(optimal[:, None] & optimal, axis=2),
        "pi_strict": np.any(optimal[:, None] != optimal, axis=2),
        "q": np.any(classes[:, None] != classes, axis=2),
    }


def group_dynamics(mdp: FiniteMDP) -> np.ndarray:
    """`[S]` int, equal for states that have the same actions, which lead to the same distributions."""
    transition = np.where(mdp.choices[:, :, None], mdp.transition, 0.0).reshape(mdp.num_states, -1)
    return group_rows(np.concatenate([transition, mdp.choices], axis=1), LAST_DIGITS)


def sufficient_notions(mdp: FiniteMDP, representation: np.ndarray | Sequence[int]) -> tuple[Notion, ...]:
    """The notions of sufficiency that hold for a representation, deterministic or stochastic, the strictest first.

    A stochastic representation aliases states that have the same distribution over codes (thesis, section 2.2.2).

    Raises:
      ValueError: the representation is malformed.
    """
    codes = check_representation(representation, mdp.num_states)
    labels = codes if codes.ndim == 1 else group_rows(codes)
    compared = compare_values(mdp)
    blocks = [np.flatnonzero(labels == block) for block in np.unique(labels)]
    return tuple(notion for notion in NOTIONS if not any(violates(notion, compared, block) for block in blocks))


def _pairs(members: np.ndarray) -> np.ndarray:
    first, second = np.triu_indices(len(members), 1)
    return np.stack([members[first], members[second]], axis=1)


def format_partition(labels: np.ndarray | Sequence[int], names: tuple[str, ...]) -> str:
    """The blocks in braces, as in "{s0,s3} {s1} {s2}"."""
    blocks: dict[int, list[str]] = {}
    for name, label in zip(names, labels, strict=True):
        blocks.setdefault(int(label), []).append(name)
    return " ".join("{" + ",".join(block) + "}" for block in blocks.values())
