"""MDPs beside noise that no action moves.

In the shape descriptions `S` denotes the states and `N` the states of the noise.
"""

import dataclasses
from typing import Any

import numpy as np

from mi_repr.tabular.model.chain import stationary_distribution
from mi_repr.tabular.model.fields import to_array
from mi_repr.tabular.model.mdp import FiniteMDP


def with_noise(mdp: FiniteMDP, noise: np.ndarray) -> FiniteMDP:
    """The MDP beside exogenous noise: state (s, n) is number s N + n and pays what s does.

    A distribution of the states is kept, with the stationary one of the noise.

    Args:
      mdp: whose states are the endogenous ones, with rewards of states or of states and actions.
      noise: `[N, N]`, the chain of the noise, which moves by itself.

    Raises:
      ValueError: `noise` is no chain, or rewards are of another kind.
    """
    chain = to_array("noise", noise)
    if chain.ndim != 2 or chain.shape[0] != chain.shape[1] or not np.allclose(chain.sum(axis=1), 1, atol=1e-5):
        raise ValueError(f"noise must be a chain, rows of [N, N] that sum to 1, got shape {list(chain.shape)}")
    if mdp.reward_kind.axes not in ("S", "SA"):
        raise ValueError(f"rewards must be of states or of states and actions, got {mdp.reward_convention!r}")
    size = mdp.num_states * len(chain)
    transition = np.einsum("sat,nm->snatm", mdp.transition, chain).reshape(size, mdp.num_actions, size)
    repeated: dict[str, Any] = {
        name: None if value is None else np.repeat(value, len(chain), axis=0)
        for name, value in (("reward", mdp.reward), ("policy", mdp.policy), ("allowed", mdp.allowed))
    }
    given = mdp.state_distribution
    distribution = None if given is None else np.outer(given, stationary_distribution(chain)).ravel()
    states = tuple(f"{state}/{number}" for state in mdp.states for number in range(len(chain)))
    return dataclasses.replace(mdp, transition=transition, states=states, state_distribution=distribution, **repeated)
