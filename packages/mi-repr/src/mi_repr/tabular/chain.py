"""Finite Markov chains: which states recur, and how often each is visited in the long run.

In the shape descriptions `S` denotes the states.
"""

import numpy as np


def recurrent_states(chain: np.ndarray) -> np.ndarray | None:
    """The only closed class of `chain: [S, S]` as `[S]` bool, or None where there are several.

    A chain with one closed class has exactly one stationary distribution, periodic or not, and it is positive on that
    class. The chain is irreducible if the class holds every state.
    """
    edges = chain > 0
    state = 0
    while True:
        later, earlier = _reachable(edges, state), _reachable(edges.T, state)
        if earlier.all():
            return later
        beyond = np.flatnonzero(later & ~earlier)
        if not beyond.size:  # it recurs, and some state never gets there
            return None
        state = int(beyond[0])


def stationary_distribution(chain: np.ndarray) -> np.ndarray:
    """The unique solution `mu: [S]` of `mu chain = mu`, from a linear system: powers of a periodic chain never settle.

    Raises:
      ValueError: there are several solutions.
    """
    recurrent = recurrent_states(chain)
    if recurrent is None:
        raise ValueError("the chain has several closed classes, so several stationary distributions")
    inner = chain[np.ix_(recurrent, recurrent)]
    system = inner.T - np.eye(len(inner))
    system[-1] = 1.0  # one of the equations follows from the others; the sum takes its place
    solution = np.maximum(np.linalg.solve(system, np.eye(len(inner))[-1]), 0)
    mu = np.zeros(len(chain))
    mu[recurrent] = solution / solution.sum()
    return mu


def _reachable(edges: np.ndarray, start: int) -> np.ndarray:
    """`[S]` bool, what can be reached from a state in any number of steps, none included."""
    reached = np.zeros(len(edges), bool)
    reached[start] = True
    frontier = reached
    while frontier.any():
        frontier = edges[frontier].any(axis=0) & ~reached
        reached = reached | frontier
    return reached
