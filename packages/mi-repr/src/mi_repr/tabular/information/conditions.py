"""What thesis proposition 1 and the search for maximisers rest on, and which of it an MDP violates.

Proposition 1 (appendix A.1) says that maximising J_fwd for all k gives representations sufficient for Q*. J_fwd at
k = 1 is enough: equality in I(Z_{t+1}; Z_t, A_t) = I(S_{t+1}; S_t, A_t) means that aliased states have the same
p(s' given s, a), so the same Q* by one Bellman step if rewards are paid on arrival. (Lemma 2 of the appendix holds, but
not by the step "each term must be zero", since terms that are at most zero appear with both signs. It follows from
I(Y; X given Z) = 0, which is what the equality of informations says.) k > 1 without k = 1 is not enough.
"""

import dataclasses

import numpy as np

from mi_repr.tabular.information.objectives import has_state_independent_policy
from mi_repr.tabular.information.values import joint_distribution
from mi_repr.tabular.model.chain import recurrent_states
from mi_repr.tabular.model.mdp import FiniteMDP

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
    if unseen := _explain_unseen(mdp):
        found.append(Violation("support", unseen))
    elif (later <= 0).any():
        names = _some(mdp.states, later <= 0)
        found.append(Violation("support", f"no step of the data leads to {names}: nothing is said of what came before"))
    if untaken := _explain_untaken(mdp):
        found.append(Violation("policy_support", untaken))
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


def shown_states(mdp: FiniteMDP) -> np.ndarray:
    """`[S]` bool, the states that the data show, with every action that they have. Others are not judged."""
    return (mdp.occupancy > 0) & ~_untaken(mdp)


def explain_unshown(mdp: FiniteMDP) -> str | None:
    """Which states the data do not show, and what mends it; None where all are shown."""
    reasons = [reason for reason in (_explain_unseen(mdp), _explain_untaken(mdp)) if reason]
    return "; ".join(reasons) or None


def _untaken(mdp: FiniteMDP) -> np.ndarray:
    """`[S]` bool, the states in which the policy never takes some action that they have."""
    return np.any((mdp.behaviour <= 0) & mdp.choices, axis=1)


def _explain_unseen(mdp: FiniteMDP) -> str | None:
    unseen = mdp.occupancy <= 0
    if not unseen.any():
        return None
    names, seen = _some(mdp.states, unseen), np.flatnonzero(~unseen)
    stays = [mdp.chain[state, state] == 1 for state in seen]
    if mdp.state_distribution is None and all(stays):
        goal = mdp.states[seen[0]]
        return (
            f"the data never show {names}: they stay in {goal} for ever. with_restarts(start) lets {goal} lead back to "
            "the start; or give state_distribution"
        )
    where = "is never reached" if mdp.state_distribution is None else "cannot be reached"
    return f"the data never show {names}; restrict_to_reachable() leaves out what {where}, or give state_distribution"


def _explain_untaken(mdp: FiniteMDP) -> str | None:
    untaken = (mdp.behaviour <= 0) & mdp.choices & (mdp.occupancy > 0)[:, None]
    if not untaken.any():
        return None
    state, action = np.argwhere(untaken)[0]
    return (
        f"the policy never takes some action in {_some(mdp.states, np.any(untaken, axis=1))}, such as "
        f"{mdp.actions[action]} in {mdp.states[state]}; allowed says which actions a state lacks"
    )


def _some(names: tuple[str, ...], chosen: np.ndarray) -> str:
    listed = [names[index] for index in np.flatnonzero(chosen)]
    return ", ".join(listed[:6]) + (f" and {len(listed) - 6} more" if len(listed) > 6 else "")
