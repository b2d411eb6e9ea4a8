r"""Which representations lose nothing of an objective: decided by conditional probabilities, not by nats.

An objective is an information, and an information falls with the square of a difference of probabilities and in
proportion to how rare a state is. So two values in nats that look equal may belong to representations that are not.
What decides instead is whether the conditional probabilities that the information rests on are equal among aliased
states. These are ratios of sums of products of what the MDP says, so they have nearly full relative accuracy however
rare a state is, and for every k.

Let Z be a partition of the states, S' = S_{t+k}, Z' = Z_{t+k}, and let a state count only where the data show it.

- J_fwd. I(Z'; Z, A) <= I(S'; Z, A) <= I(S'; S, A). The second is an equality if and only if S' does not depend on S
  given Z and A: rows p(s' given s, a) are equal in a block, for each a. In the same way I(Z'; Z, A) <= I(Z'; S, A) <=
  I(S'; S, A), where the second is an equality if and only if rows p(s, a given s') are equal in a block. If both hold,
  then p(z, a given s') are equal in a block too, which makes the first inequality an equality. So Z is maximal if and
  only if its blocks have equal rows forward and backward.
- J_state: the same with the actions summed out.
- I(R; Z) <= I(R; S), with equality if and only if p(r given s) are equal in a block. I(R; Z, A): p(r given s, a) are.
- J_inv = H(A given Z) - H(A given Z, Z'). Where the policy is the same in all states, H(A given Z) = H(A) for every Z,
  and H(A given Z, Z') >= H(A given S, S'), with equality if and only if p(a given s, s') is the same for all (s, s') of
  positive probability in a cell (z, z').
- A sum: no term is larger than it is for the states themselves, so the sum is maximal if and only if each term is.

Where the policy depends on the state, J_inv can gain from aliasing: then only the values decide, see `analyse`.

In the shape descriptions `S` denotes the states, `M` the blocks of a partition, `C` the conditions on blocks and `D`
those on cells.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mi_repr.tabular.information.residues import PRIMES, divide, fingerprints
from mi_repr.tabular.information.values import Joint
from mi_repr.tabular.model.groups import group_rows

UNSEEN = -1
"""What is not shown by the data, and so forbids nothing."""
_ROUNDING = 1e-14
"""Of a sum of few positive numbers, and a quotient of two, as a share of itself."""

ANYTHING = np.iinfo(np.int64).max
"""Above every number that is shown."""


class Conditions(NamedTuple):
    """What aliasing must keep apart: two numbers of a row are in conflict if they differ and neither is `UNSEEN`.

    blocks: `[C, M]` int, what a block shows, one row for each kind of conditional probability.
    cells: `[D, M, M]` int, what a step from one block to another shows.
    """

    blocks: np.ndarray
    cells: np.ndarray

    def merged(self, labels: Sequence[int] | np.ndarray) -> "Conditions":
        """Those of the blocks of a partition `labels: [M]` that loses nothing, numbered from 0."""
        member = np.asarray(labels)[None] == np.arange(np.max(labels) + 1)[:, None]
        blocks = np.where(member[None], self.blocks[:, None], UNSEEN).max(axis=2)
        cells = np.where(member[None, :, :, None], self.cells[:, None], UNSEEN).max(axis=2)
        return Conditions(blocks, np.where(member[None, None], cells[:, :, None], UNSEEN).max(axis=3))

    def is_lossless(self, labels: Sequence[int] | np.ndarray) -> bool:
        """Whether a partition `labels: [M]` of the blocks loses nothing."""
        labels = np.asarray(labels)
        blocks = [np.flatnonzero(labels == block) for block in np.unique(labels)]
        if any(has_conflict(self.blocks[:, block], 1).any() for block in blocks):
            return False
        cells = (self.cells[:, one][:, :, other] for one in blocks for other in blocks)
        return not any(has_conflict(cell, (1, 2)).any() for cell in cells)

    def pairs(self) -> np.ndarray:
        """`[M, M]` bool, whether two blocks can become one and nothing is lost."""
        num_blocks = self.blocks.shape[1]
        free = np.ones((num_blocks, num_blocks), bool)
        for shown in self.blocks:
            free &= ~_conflict(shown[:, None], shown)
        for cells in self.cells:
            for rows in (cells, cells.T):  # the two blocks and a third one
                for block, row in enumerate(rows):
                    free[block] &= ~_conflict(row, rows).any(axis=1)
            stays = np.diagonal(cells)
            corners = np.broadcast_arrays(stays[:, None], cells, cells.T, stays[None])
            free &= ~has_conflict(np.stack(corners), 0)
        return free


def find_conditions(joint: Joint, term: str, tolerance: float | None = None) -> Conditions:
    """What keeps two states apart for one term of an objective; see the module for why.

    Args:
      joint: of the data.
      term: "fwd", "state", "inv", "reward" or "reward_action"; "inv" where the policy is the same in all states.
      tolerance: where the joint has no residues, two conditional probabilities are equal if they differ by at most this
        share of the larger one; by default what the sums that they are made of can be off by.
    """
    steps, rewards = joint.steps, joint.rewards
    tolerance = _ROUNDING * len(steps) ** 0.5 if tolerance is None else tolerance
    blocks, cells = np.zeros((0, len(steps)), int), np.zeros((0, len(steps), len(steps)), int)
    if term == "inv":
        exact = [np.moveaxis(each, 1, 2) for each in joint.residues]
        cells = _classes(np.moveaxis(steps, 1, 2), exact, tolerance)[None]
    elif term == "fwd":
        backward = _transposed(steps.reshape(-1, len(steps)), [each.reshape(-1, len(steps)) for each in joint.residues])
        blocks = np.concatenate([_by_action(steps, joint.residues, tolerance), _classes(*backward, tolerance)[None]])
    elif term == "state":
        moves = steps.sum(axis=1), [np.sum(each, axis=1) % prime for each, prime in _with_primes(joint)]
        blocks = np.stack([_classes(*moves, tolerance), _classes(*_transposed(*moves), tolerance)])
    elif term == "reward":
        blocks = _classes(rewards.sum(axis=1), (), tolerance)[None]
    else:
        blocks = _by_action(rewards, (), tolerance)
    return Conditions(blocks, cells)


def join(conditions: Sequence[Conditions]) -> Conditions:
    """Those of a sum of terms."""
    blocks, cells = zip(*conditions, strict=True)
    return Conditions(np.concatenate(blocks), np.concatenate(cells))


def has_conflict(shown: np.ndarray, axis: int | tuple[int, ...]) -> np.ndarray:
    """Whether two of the numbers along an axis, or some, are in conflict."""
    lowest = np.where(shown == UNSEEN, ANYTHING, shown).min(axis=axis)
    return shown.max(axis=axis) > lowest


def _conflict(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return (one != other) & (one != UNSEEN) & (other != UNSEEN)


def _with_primes(joint: Joint) -> list[tuple[np.ndarray, int]]:
    return list(zip(joint.residues, PRIMES, strict=False))


def _transposed(joint: np.ndarray, residues: Sequence[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]]:
    return joint.T, [each.T for each in residues]


def _classes(joint: np.ndarray, residues: Sequence[np.ndarray], tolerance: float) -> np.ndarray:
    """`[...]` int, the same for equal conditional distributions over the last axis of `joint: [..., D]`.

    Args:
      joint: probabilities.
      residues: the same in exact arithmetic, or nothing: then the tolerance decides.
      tolerance: see `find_conditions`.
    """
    flat = joint.reshape(-1, joint.shape[-1])
    seen = flat.sum(axis=1) > 0
    classes = np.full(len(flat), UNSEEN)
    if seen.any() and residues:
        exact = [each.reshape(flat.shape)[seen] for each in residues]
        shares = [divide(each, each.sum(axis=1, keepdims=True) % p, p) for each, p in zip(exact, PRIMES, strict=True)]
        prints = [fingerprints(each, prime) for each, prime in zip(shares, PRIMES, strict=True)]
        classes[seen] = np.unique(np.concatenate(prints, axis=1), axis=0, return_inverse=True)[1].ravel()
    elif seen.any():
        classes[seen] = group_rows(flat[seen] / flat[seen].sum(axis=1, keepdims=True), tolerance)
    return classes.reshape(joint.shape[:-1])


def _by_action(joint: np.ndarray, residues: Sequence[np.ndarray], tolerance: float) -> np.ndarray:
    """`[A, S]` int of `joint: [S, A, D]`, a row of classes for each action."""
    actions = range(joint.shape[1])
    return np.stack([_classes(joint[:, a], [each[:, a] for each in residues], tolerance) for a in actions])
