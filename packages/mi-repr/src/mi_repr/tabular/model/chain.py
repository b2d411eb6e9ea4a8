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
        here = np.arange(len(chain)) == state
        later, earlier = reachable(edges, here), reachable(edges.T, here)
        if earlier.all():
            return later
        beyond = np.flatnonzero(later & ~earlier)
        if not beyond.size:  # it recurs, and some state never gets there
            return None
        state = int(beyond[0])


def stationary_distribution(chain: np.ndarray) -> np.ndarray:
    """The unique solution `mu: [S]` of `mu chain = mu`, each entry to nearly full relative accuracy, however small.

    States are eliminated one after the other (Grassmann, Taksar and Heyman, 1985): nothing is ever subtracted, so
    nothing cancels. The diagonal plays no part but for what it leaves to the others.

    Raises:
      ValueError: there are several solutions.
    """
    recurrent = recurrent_states(chain)
    if recurrent is None:
        raise ValueError("the chain has several closed classes, so several stationary distributions")
    inner = chain[np.ix_(recurrent, recurrent)].copy()
    for last in range(len(inner) - 1, 0, -1):
        inner[:last, last] /= inner[last, :last].sum()
        inner[:last, :last] += np.outer(inner[:last, last], inner[last, :last])
    solution = np.ones(len(inner))
    for state in range(1, len(inner)):
        solution[state] = solution[:state] @ inner[:state, state]
    mu = np.zeros(len(chain))
    mu[recurrent] = solution / solution.sum()
    return mu


def reachable(edges: np.ndarray, start: np.ndarray) -> np.ndarray:
    """`[S]` bool, what can be reached from the states `start: [S]` bool in any number of steps, none included."""
    reached = frontier = start
    while frontier.any():
        frontier = edges[frontier].any(axis=0) & ~reached
        reached = reached | frontier
    return reached
