"""The ways to say what a step pays, one record for each.

In the shape descriptions `S` denotes the states, `A` the actions and `R` the different rewards.
"""

import dataclasses
from collections.abc import Callable
from typing import Literal

import numpy as np

from mi_repr.tabular.model.groups import LAST_DIGITS, group_rows

RewardConvention = Literal["arrival", "state", "state_action", "transition", "random"]

Given = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""`(transition [S, A, S], reward, reward_values [R]) -> array`."""


@dataclasses.dataclass(frozen=True)
class RewardKind:
    """A convention for rewards.

    axes: of the array of rewards: "S", "SA", "SAS" or "SAR".
    expected: gives `[S, A]`, the expected reward of a step.
    distribution: gives `[S, A, R]`, p(r_t given s_t, a_t) of the reward that belongs to S_t.
    caveat: what is lost of the guarantee of J_fwd, or None.
    """

    axes: str
    expected: Given
    distribution: Given
    caveat: str | None = None

    @property
    def by_state(self) -> bool:
        """Whether the reward belongs to a state, whatever is done there."""
        return self.axes == "S"


def _expected_on_arrival(transition: np.ndarray, reward: np.ndarray, values: np.ndarray) -> np.ndarray:
    del values
    return transition @ reward


def _expected_of_state(transition: np.ndarray, reward: np.ndarray, values: np.ndarray) -> np.ndarray:
    del values
    return np.repeat(reward[:, None], transition.shape[1], axis=1)


def _expected_of_transition(transition: np.ndarray, reward: np.ndarray, values: np.ndarray) -> np.ndarray:
    del values
    return np.einsum("sat,sat->sa", transition, reward)


def _levels(reward: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`[...]` and `[R]` int: which of the different rewards each is, and all of them. Rounding makes no difference."""
    number = group_rows(reward.reshape(-1, 1), LAST_DIGITS).reshape(reward.shape)
    return number, np.arange(number.max() + 1)


def _distribution_of_state(transition: np.ndarray, reward: np.ndarray, values: np.ndarray) -> np.ndarray:
    del values
    number, levels = _levels(reward)
    is_level = (number[:, None] == levels).astype(np.float64)
    return np.repeat(is_level[:, None], transition.shape[1], axis=1)


def _distribution_of_action(transition: np.ndarray, reward: np.ndarray, values: np.ndarray) -> np.ndarray:
    del transition, values
    number, levels = _levels(reward)
    return (number[..., None] == levels).astype(np.float64)


def _distribution_of_transition(transition: np.ndarray, reward: np.ndarray, values: np.ndarray) -> np.ndarray:
    del values
    possible = transition > 0
    number, levels = _levels(np.where(possible, reward, reward[possible][0]))
    return np.stack([np.sum(transition * (number == level), axis=2) for level in levels], axis=2)


def _distribution_as_given(transition: np.ndarray, reward: np.ndarray, values: np.ndarray) -> np.ndarray:
    del transition
    number, levels = _levels(values)
    return reward @ (number[:, None] == levels).astype(np.float64)


_BY_ACTION = "rewards depend on the action: J_fwd guarantees nothing; consider fwd+reward_action"

REWARD_KINDS: dict[RewardConvention, RewardKind] = {
    "arrival": RewardKind("S", _expected_on_arrival, _distribution_of_state),
    "state": RewardKind(
        "S",
        _expected_of_state,
        _distribution_of_state,
        "rewards are paid by the state left: J_fwd guarantees the optimal actions, but not Q*",
    ),
    "state_action": RewardKind("SA", lambda transition, reward, values: reward, _distribution_of_action, _BY_ACTION),
    "transition": RewardKind("SAS", _expected_of_transition, _distribution_of_transition, _BY_ACTION),
    "random": RewardKind("SAR", lambda transition, reward, values: reward @ values, _distribution_as_given, _BY_ACTION),
}
"""By the name of the convention."""
