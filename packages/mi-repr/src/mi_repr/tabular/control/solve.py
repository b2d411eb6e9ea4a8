"""Optimal values of a finite MDP, and which of them are equal.

In the shape descriptions `S` denotes the states and `A` the actions.
"""

from typing import NamedTuple

import numpy as np

from mi_repr.tabular.control.precise import classify, compare_precisely
from mi_repr.tabular.model.mdp import FiniteMDP

TOLERANCE = 1e-11
"""Values closer than this count as equal, relative to the optimal ones: the unit of rewards, and actions however bad,
make no difference."""
_ROUNDING = 1e-12
"""What a linear solve leaves of the largest optimal value, and a sum of a large number."""


def optimal_q(mdp: FiniteMDP, allowed: np.ndarray | None = None) -> np.ndarray:
    """Q*: `[S, A]` by policy iteration, exact up to the rounding of a linear solve.

    Q*(s, a) = r(s, a) + discount * sum over s' of p(s' given s, a) max over a' of Q*(s', a').

    Args:
      mdp: its behaviour policy plays no part.
      allowed: `[S, A]` bool, at least one action that it has for each state: the maximum runs over these actions only,
        so this is the best that a restricted policy can do. None means all. Actions that a state lacks have -inf.
    """
    reward = mdp.expected_reward
    choices = mdp.choices if allowed is None else mdp.choices & allowed
    rows = np.arange(mdp.num_states)
    action = np.where(choices, reward, -np.inf).argmax(axis=1)
    while True:
        system = np.eye(mdp.num_states) - mdp.discount * mdp.transition[rows, action]
        value = np.linalg.solve(system, reward[rows, action])
        q = reward + mdp.discount * mdp.transition @ value
        masked = np.where(choices, q, -np.inf)
        tie = TOLERANCE / 100 * np.abs(value).max()  # which must not cycle
        better = masked.max(axis=1) > masked[rows, action] + tie
        if not better.any():
            return np.where(mdp.choices, q, -np.inf)
        action = np.where(better, masked.argmax(axis=1), action)


def optimal_actions(q: np.ndarray) -> np.ndarray:
    """`[S, A]` bool, the actions whose value `q: [S, A]` is the state's largest."""
    return q >= (q - _tolerances(q)).max(axis=1, keepdims=True)


class Compared(NamedTuple):
    """Which optimal values are equal: all that sufficiency rests on.

    classes: `[S, A]` int; two states have the same Q* of an action if their numbers in its column are the same.
    optimal: `[S, A]` bool, the optimal actions of each state.
    """

    classes: np.ndarray
    optimal: np.ndarray


def compare_values(mdp: FiniteMDP) -> Compared:
    """Compares Q*: exactly where the MDP is made of fractions, else up to what rounding its numbers can change.

    MDPs of very many transitions are compared in float64, see `TOLERANCE`.
    """
    q = optimal_q(mdp)
    precise = compare_precisely(mdp, q)
    if precise is not None:
        return Compared(*precise)
    return Compared(classify(q, _tolerances(q)), optimal_actions(q))


def _tolerances(q: np.ndarray) -> np.ndarray:
    """`[S, A]`, how far another value may lie from each of `q: [S, A]` and count as equal; q may be -inf."""
    best = np.abs(q.max(axis=1, keepdims=True))
    return TOLERANCE * best + _ROUNDING * best.max() + _ROUNDING / 100 * np.where(np.isfinite(q), np.abs(q), 0.0)
