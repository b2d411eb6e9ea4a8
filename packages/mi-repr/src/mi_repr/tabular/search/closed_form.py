"""The coarsest maximisers of J_fwd and J_state without a search, for thousands of states.

J_fwd of a representation reaches I(S_{t+k}; S_t, A_t) if and only if aliased states have equal rows
p(s_{t+k} given s_t, a) for every a (nothing is lost about what follows) and equal rows p(s_t, a given s_{t+k}) (nothing
is lost about what came before). Equal rows are an equivalence, so there is one coarsest maximiser, and the maximisers
are exactly its refinements. J_state is the same with the actions summed out.

In the shape descriptions `S` denotes the states.
"""

import numpy as np

from mi_repr.tabular.information.lossless import find_conditions
from mi_repr.tabular.information.objectives import parse_objective
from mi_repr.tabular.information.values import joint_distribution
from mi_repr.tabular.model.groups import group_rows
from mi_repr.tabular.model.mdp import FiniteMDP


def coarsest_maximiser(mdp: FiniteMDP, objective: str, *, k: int = 1, tolerance: float | None = None) -> np.ndarray:
    """`[S]` int, the block of each state in the coarsest partition that maximises J_fwd or J_state.

    Args:
      mdp: whose data show every state, at t and at t+k, and for J_fwd every action in every state.
      objective: "fwd" or "state".
      k: steps from Z_t to Z_{t+k}.
      tolerance: two conditional probabilities are equal if they differ by at most this share of the larger one; None
        means what rounding can change, and nothing where probabilities are fractions.

    Raises:
      ValueError: the objective is another one, or something is never seen: then equal rows are no equivalence.
    """
    terms = parse_objective(objective, mdp, k).terms
    if terms not in ((("fwd", k),), (("state", k),)):
        raise ValueError(f"objective must be fwd or state, got {objective!r}; for others see analyse_pairs")
    component, _ = terms[0]
    joint = joint_distribution(mdp, k, with_residues=True)
    steps = joint.steps if component == "fwd" else joint.steps.sum(axis=1, keepdims=True)
    before, after = steps.sum(axis=2), steps.sum(axis=(0, 1))
    for seen, what in ((before.min(axis=1), "at t with every action"), (after, "at t+k")):
        for state in np.flatnonzero(seen <= 0):
            raise ValueError(f"the closed form needs every state {what}, but {mdp.states[state]} has probability 0")
    return group_rows(find_conditions(joint, component, tolerance).blocks.T.astype(np.float64))
