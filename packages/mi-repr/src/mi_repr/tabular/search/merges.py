"""Maximisers found by merging blocks from the identity on, where trying all partitions is too much.

An objective is monotone if no representation gains by aliasing: J_fwd, J_state and the rewards by the data processing
inequality, J_inv if in addition the policy is the same in all states. Then whatever refines a maximiser is one too. So
two states are aliased by some maximiser exactly if merging only these two loses nothing: S (S - 1) / 2 merges decide
Q*- and strict pi*-sufficiency, and a search that goes on merging finds every maximiser without trying the rest.

In the shape descriptions `S` denotes the states, `M` the blocks, `A` the actions and `R` the rewards.
"""

import collections
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mi_repr.tabular.control.solve import compare_values
from mi_repr.tabular.control.verdict import Verdict, group_dynamics, make_counterexample, violating_pairs
from mi_repr.tabular.information.conditions import explain_unshown, shown_states
from mi_repr.tabular.information.lossless import Conditions, find_conditions, join
from mi_repr.tabular.information.margins import Part, nearest_pair, pairs_tell
from mi_repr.tabular.information.objectives import Objective, parse_objective
from mi_repr.tabular.information.values import (
    Joint,
    check_representation,
    components,
    entropy_terms,
    joint_distribution,
)
from mi_repr.tabular.model.mdp import FiniteMDP


class Maximisers(NamedTuple):
    """What a merge search found.

    labels: `[N, S]` int, maximisers, the identity first.
    complete: whether these are all of them; False if the search met its limit.
    """

    labels: np.ndarray
    complete: bool


def analyse_pairs(mdp: FiniteMDP, objective: str, *, k: int = 1, tolerance: float | None = None) -> Verdict:
    """The verdict on an objective by merging two states at a time: exact, for hundreds of states.

    `num_maximisers` is not counted (None). `pi_weak` is None where no two aliasable states lack a common optimal action
    and blocks of three or more would have to be looked at.

    Args:
      mdp: to look at.
      objective: its name.
      k: steps from Z_t to Z_{t+k}.
      tolerance: None for what loses nothing, decided as in `mi_repr.tabular.information.lossless`; else what loses so
        many nats at most.

    Raises:
      ValueError: the objective is unknown or not monotone, or the state distribution is not defined.
    """
    check_tolerance(tolerance)
    parts, compared = monotone_parts(mdp, objective, k), compare_values(mdp)
    free, shown, withheld = _mergeable(parts, tolerance).pairs(), shown_states(mdp), explain_unshown(mdp)
    faded = None if tolerance is not None else explain_faded(mdp, parse_objective(objective, mdp, k), parts)
    if faded is not None:
        undecided = dict.fromkeys(("q", "pi_strict", "pi_weak", "counterexample"))
        return Verdict(objective, _value(parts), None, **undecided, withheld=faded)
    judged = np.triu(free & shown[:, None] & shown, 1)
    failing = {notion: np.argwhere(judged & violated) for notion, violated in violating_pairs(compared).items()}
    holds: dict[str, bool] = {notion: not len(found) for notion, found in failing.items()}
    dynamics = group_dynamics(mdp)
    holds["every_reward"] = not (judged & (dynamics[:, None] != dynamics)).any()
    counterexample = None
    for notion, found in failing.items():
        if len(found):
            labels = np.arange(mdp.num_states)
            labels[found[0, 1]] = found[0, 0]
            counterexample = make_counterexample(labels, notion, compared, mdp.actions, shown)
            break
    # Two sets of two actions that meet pairwise meet all together; larger sets need not.
    undecided = holds["pi_weak"] and not holds["pi_strict"] and mdp.num_actions > 2
    said = {notion: None if withheld and held else held for notion, held in holds.items()}
    return Verdict(
        objective,
        _value(parts),
        None,
        q=said["q"],
        pi_strict=said["pi_strict"],
        pi_weak=None if undecided else said["pi_weak"],
        counterexample=counterexample,
        every_reward=said["every_reward"],
        margin=nearest_pair(parts, ~free) if tolerance is None and pairs_tell(parts, free) else None,
        withheld=withheld,
    )


def search_maximisers(
    mdp: FiniteMDP, objective: str, *, k: int = 1, limit: int = 10_000, tolerance: float | None = None
) -> Maximisers:
    """All partitions that maximise an objective, breadth first from the identity, or the first `limit`.

    Args:
      mdp: to look at.
      objective: its name.
      k: steps from Z_t to Z_{t+k}.
      limit: how many to find.
      tolerance: see `analyse_pairs`.

    Raises:
      ValueError: the objective is unknown or not monotone, or `limit` is below 1.
    """
    if limit < 1:
        raise ValueError(f"limit must be at least 1, got {limit}")
    start = _mergeable(monotone_parts(mdp, objective, k), tolerance)
    identity = tuple(range(mdp.num_states))
    found = {identity: None}
    queue = collections.deque([identity])
    while queue:
        labels = queue.popleft()
        for i, j in np.argwhere(np.triu(start.merged(labels).pairs(), 1)):
            # The larger number moves to the smaller one's block, those above it close up: restricted growth again.
            merged = tuple(int(i if x == j else x - (x > j)) for x in labels)
            if merged in found:
                continue
            if len(found) == limit:
                return Maximisers(np.array(list(found)), complete=False)
            found[merged] = None
            queue.append(merged)
    return Maximisers(np.array(list(found)), complete=True)


def _mergeable(parts: Sequence[Part], tolerance: float | None) -> "Conditions | _Within":
    return _conditions(parts) if tolerance is None else _Within(parts, tolerance)


def check_tolerance(tolerance: float | None) -> None:
    """Refuses what is no number of nats.

    Raises:
      ValueError: it is negative or no number.
    """
    is_number = isinstance(tolerance, int | float | np.number) and not isinstance(tolerance, bool)
    if tolerance is not None and not (is_number and 0 <= tolerance < np.inf):
        raise ValueError(f"tolerance must be a number of nats, at least 0, or None, got {tolerance!r}")


def explain_faded(mdp: FiniteMDP, objective: Objective, parts: Sequence[Part]) -> str | None:
    """Why nothing can be said after so many steps; None where all can.

    Where probabilities are no fractions, rows that differ after one step may after many be equal, or differ by less
    than rounding: floating-point numbers do not tell.

    Args:
      mdp: to look at.
      objective: to judge.
      parts: its data.
    """
    steps = min(number for _, number in objective.terms)
    if steps == 1 or all(joint.residues for joint, _ in parts):
        return None
    at_once = mergeable_pairs([(joint_distribution(mdp, with_residues=True), each) for _, each in parts])
    faded = np.argwhere(np.triu(mergeable_pairs(parts) & ~at_once, 1))
    if not len(faded):
        return None
    one, other = (mdp.states[state] for state in faded[0])
    return (
        f"after {steps} steps what follows {one} and {other} differs by no more than rounding, if at all; a smaller "
        "k tells, and probabilities that are fractions do"
    )


def mergeable_pairs(parts: Sequence[Part]) -> np.ndarray:
    """`[S, S]` bool, whether two states can become one and nothing is lost."""
    return _conditions(parts).pairs()


def _conditions(parts: Sequence[Part]) -> Conditions:
    return join([find_conditions(joint, component) for joint, each in parts for component in each])


def maximises(mdp: FiniteMDP, labels: Sequence[int] | np.ndarray, objective: str, *, k: int = 1) -> bool:
    """Whether a partition of the states maximises an objective, for hundreds of states.

    Raises:
      ValueError: the objective is unknown or not monotone, or `labels` are no partition.
    """
    blocks = check_representation(labels, mdp.num_states)
    if blocks.ndim != 1:
        raise ValueError("labels must be a partition, got a stochastic representation")
    return _conditions(monotone_parts(mdp, objective, k)).is_lossless(blocks)


class _Within:
    """Which blocks can be merged and so many nats are lost at most, what was lost before included."""

    def __init__(self, parts: Sequence[Part], tolerance: float, lost: float = 0.0) -> None:
        self._parts, self._tolerance, self._lost = parts, tolerance, lost

    def pairs(self) -> np.ndarray:
        """`[M, M]` bool."""
        return self._lost + merge_losses(self._parts) <= self._tolerance

    def merged(self, labels: tuple[int, ...]) -> "_Within":
        """The same of a partition of the states."""
        merged = [(_merged(joint, labels), each) for joint, each in self._parts]
        return _Within(merged, self._tolerance, max(_value(self._parts) - _value(merged), 0.0))


def merge_losses(parts: Sequence[Part]) -> np.ndarray:
    """`[M, M]` in nats, what a sum of objectives loses when two of the blocks of its data become one.

    With f(p) = -p log p, merging changes an entropy only in the entries of the two blocks: by
    f(p_i + p_j) - f(p_i) - f(p_j), for pairs of blocks along both rows and columns.
    """
    size = len(parts[0][0].steps)
    return sum((_part_losses(joint, each) for joint, each in parts), np.zeros((size, size)))


def _part_losses(joint: Joint, terms: Sequence[str]) -> np.ndarray:
    steps, rewards = joint.steps, joint.rewards
    code = _row_gains(steps.sum(axis=(1, 2))[:, None])
    later = _row_gains(steps.sum(axis=(0, 1))[:, None])
    code_action = _row_gains(steps.sum(axis=2))
    pair, triple = _square_gains(steps.sum(axis=1, keepdims=True)), _square_gains(steps)
    gains = {
        "fwd": later + code_action - triple,
        "state": later + code - pair,
        "inv": code_action + pair - triple - code,
        "reward": code - _row_gains(rewards.sum(axis=1)),
        "reward_action": code_action - _row_gains(rewards.reshape(len(rewards), -1)),
    }
    return -sum((gains[term] for term in terms), np.zeros((len(steps), len(steps))))


def _row_gains(rows: np.ndarray) -> np.ndarray:
    """`[M, M]`, how the entropy of `rows: [M, D]` changes when two rows are added."""
    alone = entropy_terms(rows).sum(axis=1)
    together = np.stack([entropy_terms(rows + row).sum(axis=1) for row in rows])
    return together - alone[:, None] - alone[None, :]


def _square_gains(steps: np.ndarray) -> np.ndarray:
    """`[M, M]`, how the entropy of `steps: [M, A, M]` changes when two blocks are merged at both ends."""
    rows, columns = steps.reshape(len(steps), -1), np.moveaxis(steps, 2, 0).reshape(len(steps), -1)
    by_action = np.moveaxis(steps, 1, 0)  # [A, M, M]
    stays = np.diagonal(by_action, axis1=1, axis2=2)
    ii, ij, ji, jj = stays[:, :, None], by_action, by_action.swapaxes(1, 2), stays[:, None, :]
    f = entropy_terms
    # The four entries from i or j to i or j become one; rows and columns have each merged them in twos.
    corners = f(ii + ij + ji + jj) - f(ii + ij) - f(ji + jj) - f(ii + ji) - f(ij + jj) + f(ii) + f(ij) + f(ji) + f(jj)
    return _row_gains(rows) + _row_gains(columns) + corners.sum(axis=0)


def _merged(joint: Joint, labels: tuple[int, ...]) -> Joint:
    member = np.eye(max(labels) + 1)[list(labels)]
    steps = np.einsum("sm,sat,tn->man", member, joint.steps, member, optimize=True)
    return Joint(steps, np.einsum("sm,sar->mar", member, joint.rewards))


def _value(parts: Sequence[Part]) -> float:
    values = [(components(joint.steps, joint.rewards), each) for joint, each in parts]
    return float(sum(value[component] for value, each in values for component in each))


def monotone_parts(mdp: FiniteMDP, name: str, k: int) -> list[Part]:
    """The data of each number of steps of a monotone objective, and the components that look at them.

    Raises:
      ValueError: the objective is unknown, or can gain from aliasing.
    """
    objective = parse_objective(name, mdp, k)
    if reason := objective.gains(mdp):
        raise ValueError(
            f"objective {name!r}: {reason}, so merges do not find its maximum; only trying all partitions does"
        )
    return [(joint_distribution(mdp, steps, with_residues=True), each) for steps, each in objective.by_steps.items()]
