"""The names of objectives, and what each is a sum of.

| name | | source |
| --- | --- | --- |
| fwd | J_fwd = I(Z_{t+k}; Z_t, A_t) | thesis, equation 2 |
| state | J_state = I(Z_{t+k}; Z_t) | thesis, equation 3 |
| inv | J_inv = I(A_t; Z_{t+k} given Z_t) | thesis, equation 4 |
| reward | I(R_t; Z_t) | thesis, section 2.4.3 |
| reward_action | I(R_t; Z_t, A_t), for rewards that depend on the action | - |
| latent | -H(Z_{t+k} given Z_t, A_t), 0 where the representation is a deterministic MDP | Levine et al. (2024) |
| ac-state | J_inv of 1, 2, ... k steps: the multi-step inverse | Lamb et al. (2022) |
| acdf | ac-state and latent of one step | Levine et al. (2024) |

A_t is the first of k actions, the policy chooses the others. R_t is the reward that belongs to S_t: r(S_t) if rewards
are paid on arrival (it came with S_t) or by the state, what the step from S_t by A_t pays else. A plus sign adds
objectives: "inv+reward". "J_inv" is "inv", "AC-State" is "ac-state".
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from mi_repr.tabular.model.mdp import FiniteMDP

COMPONENTS = ("fwd", "state", "inv", "reward", "reward_action", "latent")
"""What a sum is made of: each of one step size."""

_SAME_POLICY = 1e-9

Term = tuple[str, int]
"""A component, and its number of steps."""


def _multi_step_inverse(k: int) -> list[Term]:
    return [("inv", steps) for steps in range(1, k + 1)]


_SUMS: dict[str, Callable[[int], list[Term]]] = {
    "ac-state": _multi_step_inverse,
    "acdf": lambda k: [*_multi_step_inverse(k), ("latent", 1)],
}
NAMES = (*COMPONENTS, *_SUMS)
_BY_SPELLING = {name.replace("-", "_"): name for name in NAMES}


class Objective(NamedTuple):
    """A sum of components.

    name: as it was asked for.
    terms: each component with its number of steps.
    """

    name: str
    terms: tuple[Term, ...]

    @property
    def by_steps(self) -> dict[int, tuple[str, ...]]:
        """The components by their number of steps."""
        steps = dict.fromkeys(number for _, number in self.terms)
        return {each: tuple(component for component, number in self.terms if number == each) for each in steps}

    def gains(self, mdp: FiniteMDP) -> str | None:
        """Why a representation can gain from aliasing, so that only values decide; None where it cannot."""
        if self.has("latent"):
            return "latent can gain from aliasing"
        if self.has("inv") and not has_state_independent_policy(mdp):
            return "the policy depends on the state, J_inv can gain from aliasing"
        return None

    def has(self, component: str) -> bool:
        """Whether a component is in it, of any number of steps."""
        return any(each == component for each, _ in self.terms)


def parse_objective(name: str, mdp: FiniteMDP, k: int = 1) -> Objective:
    """The terms of an objective such as "inv+reward".

    Args:
      name: see the module.
      mdp: that it is for.
      k: steps from Z_t to Z_{t+k}; the most of them for a multi-step objective.

    Raises:
      ValueError: a term is unknown, or not defined for the rewards of this MDP, or `k` is no number of steps.
    """
    if isinstance(k, bool) or not hasattr(k, "__index__") or k < 1:
        raise ValueError(f"k must be a whole number, at least 1, got {k!r}")
    if not isinstance(name, str):
        raise ValueError(f"objective must be a name such as 'fwd' or 'inv+reward', got {name!r}")
    terms: list[Term] = []
    for part in name.split("+"):
        term = _BY_SPELLING.get(part.strip().removeprefix("J_").lower().replace("-", "_"))
        if term is None:
            raise ValueError(f"objective {name!r}: {part.strip()!r} must be one of {', '.join(NAMES)}")
        terms += _SUMS[term](k) if term in _SUMS else [(term, k)]
    objective = Objective(name, tuple(terms))
    if objective.has("reward_action") and mdp.reward_kind.by_state:
        raise ValueError(
            f"objective {name!r}: reward_action needs rewards that depend on the action, got reward_convention="
            f"{mdp.reward_convention!r}"
        )
    return objective


def name_objectives(objectives: str | Sequence[str]) -> tuple[str, ...]:
    """Their names; one alone may stand for itself.

    Raises:
      ValueError: there is none.
    """
    if not isinstance(objectives, str) and not isinstance(objectives, Iterable):
        raise ValueError(f"objectives must be names, got {objectives!r}")
    names = (objectives,) if isinstance(objectives, str) else tuple(objectives)
    if not names:
        raise ValueError("objectives must name one at least")
    return names


def has_state_independent_policy(mdp: FiniteMDP) -> bool:
    """Whether all states share one distribution of actions: J_inv then never gains from aliasing."""
    return bool(np.ptp(mdp.behaviour, axis=0).max() <= _SAME_POLICY)
