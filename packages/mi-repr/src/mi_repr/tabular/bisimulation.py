"""Bisimulation: the coarsest partition that is itself an MDP, to compare the objectives' maximisers with.

In the shape descriptions `S` denotes the states.
"""

import numpy as np

from mi_repr.tabular.groups import group_rows
from mi_repr.tabular.information import aggregate
from mi_repr.tabular.mdp import FiniteMDP


def coarsest_bisimulation(mdp: FiniteMDP, tolerance: float = 1e-12) -> np.ndarray:
    """`[S]` int, the block of each state in the coarsest bisimulation (Givan, Dean and Greig, 2003).

    States share a block if every action pays the same expected reward in them and leads to the same distribution over
    blocks. Blocks are split until this holds. The behaviour policy plays no part, and Q* is equal within a block.

    Args:
      mdp: of up to thousands of states.
      tolerance: two rewards or probabilities are equal if they differ by at most this share of the larger one.
    """
    labels = group_rows(np.concatenate([mdp.expected_reward, mdp.choices], axis=1), tolerance)
    while True:
        to_blocks = aggregate(mdp.transition, labels, 2).reshape(mdp.num_states, -1)
        rows = np.stack([labels, group_rows(to_blocks, tolerance)], axis=1)
        finer = group_rows(rows.astype(np.float64))
        if finer.max() == labels.max():
            return labels
        labels = finer
