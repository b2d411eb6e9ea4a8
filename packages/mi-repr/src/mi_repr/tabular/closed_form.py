"""The coarsest maximisers of J_fwd and J_state without a search, for thousands of states.

J_fwd of a representation reaches I(S_{t+k}; S_t, A_t) if and only if aliased states have equal rows
p(s_{t+k} given s_t, a) for every a (nothing is lost about what follows) and equal rows p(s_t, a given s_{t+k}) (nothing
is lost about what came before). Equal rows are an equivalence, so there is one coarsest maximiser, and the maximisers
are exactly its refinements. J_state is the same with the actions summed out.

In the shape descriptions `S` denotes the states.
"""

from typing import Literal

import numpy as np

from mi_repr.tabular.groups import group_rows
from mi_repr.tabular.information import joint_distribution
from mi_repr.tabular.mdp import FiniteMDP
from mi_repr.tabular.solve import TOLERANCE


def coarsest_maximiser(
    mdp: FiniteMDP, objective: Literal["fwd", "state"], *, k: int = 1, tolerance: float = TOLERANCE
) -> np.ndarray:
    """`[S]` int, the block of each state in the coarsest partition that maximises J_fwd or J_state.

    Args:
      mdp: whose data show every state, at t and at t+k, and for J_fwd every action in every state.
      objective: "fwd" or "state".
      k: steps from Z_t to Z_{t+k}.
      tolerance: conditional probabilities this close count as equal.

    Raises:
      ValueError: the objective is another one, or something is never seen: then equal rows are no equivalence.
    """
    if objective not in ("fwd", "state"):
        raise ValueError(f"objective must be fwd or state, got {objective!r}; for others see analyse_pairs")
    steps = joint_distribution(mdp, k).steps
    if objective == "state":
        steps = steps.sum(axis=1, keepdims=True)
    before, after = steps.sum(axis=2), steps.sum(axis=(0, 1))
    for seen, what in ((before.min(axis=1), "at t with every action"), (after, "at t+k")):
        for state in np.flatnonzero(seen <= 0):
            raise ValueError(f"the closed form needs every state {what}, but {mdp.states[state]} has probability 0")
    forward = (steps / before[:, :, None]).reshape(mdp.num_states, -1)
    backward = (steps / after).reshape(-1, mdp.num_states).T
    both = np.stack([group_rows(rows, tolerance) for rows in (forward, backward)], axis=1)
    return group_rows(both.astype(np.float64))
