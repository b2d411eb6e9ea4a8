"""What thesis proposition 1 and the search for maximisers rest on, and which of it an MDP violates.

Proposition 1 (appendix A.1) says that maximising J_fwd for all k gives representations sufficient for Q*. J_fwd at
k = 1 is enough: equality in I(Z_{t+1}; Z_t, A_t) = I(S_{t+1}; S_t, A_t) means that aliased states have the same
p(s' given s, a), so the same Q* by one Bellman step if rewards are paid on arrival. (Lemma 2 of the appendix holds, but
not by the step "each term must be zero", since terms that are at most zero appear with both signs. It follows from
I(Y; X given Z) = 0, which is what the equality of informations says.) k > 1 without k = 1 is not enough.
"""

import dataclasses

import numpy as np

from mi_repr.tabular.chain import recurrent_states
from mi_repr.tabular.information import joint_distribution
from mi_repr.tabular.mdp import FiniteMDP

_EQUAL = 1e-9


@dataclasses.dataclass(frozen=True)
class Violation:
    """A condition that does not hold.

    condition: "support", "policy_support", "irreducible", "steady_state", "state_independent_policy", "reward" or "k".
    message: what is violated, where, and what follows.
    """

    condition: str
    message: str


def check_conditions(mdp: FiniteMDP, k: int = 1) -> tuple[Violation, ...]:
    """The conditions that an MDP and its data violate; nothing is fixed or ignored.

    Raises:
      ValueError: `k` is below 1, or the distribution of the states is not defined (`FiniteMDP.occupancy`).
    """
    found: list[Violation] = []
    later = joint_distribution(mdp, k).steps.sum(axis=(0, 1))
    unseen = (mdp.occupancy <= 0) | (later <= 0)
    if unseen.any():
        found.append(
            Violation(
                "support",
                f"the data never show {_some(mdp.states, unseen)}: the objectives say nothing about aliasing there",
            )
        )
    untaken = np.any((mdp.behaviour <= 0) & mdp.choices, axis=1)
    if untaken.any():
        found.append(Violation("policy_support", f"the policy never takes some action in {_some(mdp.states, untaken)}"))
    recurrent = recurrent_states(mdp.chain)
    if recurrent is None or not recurrent.all():
        detail = (
            "has several closed classes" if recurrent is None else f"leaves {_some(mdp.states, ~recurrent)} for good"
        )
        found.append(Violation("irreducible", f"the chain of the policy is reducible: it {detail}"))
    if np.abs(later - mdp.occupancy).max() > _EQUAL:
        found.append(Violation("steady_state", "the state distribution changes from t to t+k: it is not stationary"))
    if not has_state_independent_policy(mdp):
        found.append(
            Violation(
                "state_independent_policy",
                "the policy depends on the state: a coarser representation can have a higher J_inv than the identity, "
                "and the maximum is that over the representations tried",
            )
        )
    if mdp.reward_kind.caveat is not None:
        found.append(Violation("reward", mdp.reward_kind.caveat))
    if k > 1:
        found.append(Violation("k", f"the guarantee of J_fwd needs k = 1; k = {k} alone does not give it"))
    return tuple(found)


def has_state_independent_policy(mdp: FiniteMDP) -> bool:
    """Whether all states share one distribution of actions: J_inv then never gains from aliasing."""
    return bool(np.ptp(mdp.behaviour, axis=0).max() <= _EQUAL)


def _some(names: tuple[str, ...], chosen: np.ndarray) -> str:
    listed = [names[index] for index in np.flatnonzero(chosen)]
    return ", ".join(listed[:6]) + (f" and {len(listed) - 6} more" if len(listed) > 6 else "")
