"""Optimal values of a finite MDP.

In the shape descriptions `S` denotes the states and `A` the actions.
"""

import numpy as np

from mi_repr.tabular.mdp import FiniteMDP

TOLERANCE = 1e-9  # values closer than this, relative to the largest where that is above 1, count as equal


def optimal_q(mdp: FiniteMDP, allowed: np.ndarray | None = None) -> np.ndarray:
    """Q*: `[S, A]` by policy iteration, exact up to the rounding of a linear solve.

    Q*(s, a) = r(s, a) + discount * sum over s' of p(s' given s, a) max over a' of Q*(s', a').

    Args:
      mdp: its behaviour policy plays no part.
      allowed: `[S, A]` bool, at least one action for each state: the maximum runs over these actions only, so this is
        the best that a restricted policy can do. None means all.
    """
    reward = mdp.expected_reward
    choices = np.ones(reward.shape, bool) if allowed is None else allowed
    rows = np.arange(mdp.num_states)
    action = np.where(choices, reward, -np.inf).argmax(axis=1)
    while True:
        system = np.eye(mdp.num_states) - mdp.discount * mdp.transition[rows, action]
        value = np.linalg.solve(system, reward[rows, action])
        q = reward + mdp.discount * mdp.transition @ value
        masked = np.where(choices, q, -np.inf)
        better = masked.max(axis=1) > masked[rows, action] + absolute_tolerance(q) / 100  # a tie must not cycle
        if not better.any():
            return q
        action = np.where(better, masked.argmax(axis=1), action)


def optimal_actions(q: np.ndarray, tolerance: float = TOLERANCE) -> np.ndarray:
    """`[S, A]` bool, the actions whose value `q: [S, A]` is the state's largest."""
    return q >= q.max(axis=1, keepdims=True) - absolute_tolerance(q, tolerance)


def absolute_tolerance(q: np.ndarray, tolerance: float = TOLERANCE) -> float:
    """How far apart two values of `q` may lie and count as equal."""
    return tolerance * max(1.0, float(np.abs(q).max()))
