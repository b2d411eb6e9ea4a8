"""A finite Markov decision process with the policy that collects its data.

In the shape descriptions `S` denotes the states and `A` the actions.
"""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np

from mi_repr.tabular.chain import reachable, stationary_distribution
from mi_repr.tabular.fields import check_allowed, check_finite, check_names, check_rows, check_shape, to_array
from mi_repr.tabular.inputs import read_outcomes

RewardConvention = Literal["arrival", "state", "state_action"]


@dataclasses.dataclass(frozen=True, eq=False)
class FiniteMDP:
    """What the analyser looks at. Checked, and copied to float64, when made.

    transition: `[S, A, S]`, p(s' given s, a).
    reward: `[S]`, or `[S, A]` if `reward_convention` is "state_action".
    reward_convention: what a step from s by a to s' pays: "arrival" r(s'), "state" r(s), "state_action" r(s, a).
    policy: `[S, A]`, p(a given s) of the data. None means uniform; `behaviour` is the policy in use.
    discount: of the optimal values, in [0, 1).
    state_distribution: `[S]`, p(S_t) of the data. None means the stationary distribution of the policy; `occupancy` is
      the distribution in use.
    states: their names, by default s0, s1, ...
    actions: their names, by default a0, a1, ...
    allowed: `[S, A]` bool, which actions a state has; all by default. A reward r(s, a) of -inf says the same of its
      action, as in quantecon. What the other actions would do and pay is ignored, and their Q* is -inf.

    Raises:
      ValueError: something is not a distribution, not finite, or of another shape; the message names the row.
    """

    transition: np.ndarray
    reward: np.ndarray
    reward_convention: RewardConvention = "arrival"
    policy: np.ndarray | None = None
    discount: float = 0.9
    state_distribution: np.ndarray | None = None
    states: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    allowed: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.reward_convention not in get_args(RewardConvention):
            raise ValueError(
                f"reward_convention must be one of {', '.join(get_args(RewardConvention))}, "
                f"got {self.reward_convention!r}"
            )
        is_number = isinstance(self.discount, int | float | np.number) and not isinstance(self.discount, bool)
        if not is_number or not 0 <= self.discount < 1:
            raise ValueError(f"discount must be a number, at least 0 and below 1, got {self.discount!r}")
        transition = to_array("transition", self.transition)
        if transition.ndim != 3 or transition.shape[0] != transition.shape[2] or not transition.size:
            raise ValueError(f"transition must have shape [S, A, S], got {list(transition.shape)}")
        num_states, num_actions = transition.shape[:2]
        states = check_names("states", self.states, "s", num_states)
        actions = check_names("actions", self.actions, "a", num_actions)
        reward_axes = (states, actions) if self.reward_convention == "state_action" else (states,)
        reward = check_shape(f"reward by the convention {self.reward_convention!r}", self.reward, reward_axes)
        allowed = np.ones((num_states, num_actions), bool) if self.allowed is None else check_allowed(self.allowed)
        if allowed.shape != (num_states, num_actions):
            raise ValueError(f"allowed must have shape {[num_states, num_actions]}, got {list(allowed.shape)}")
        if self.reward_convention == "state_action":
            allowed &= reward != -np.inf
            reward[~allowed] = 0
        for state in np.flatnonzero(~allowed.any(axis=1)):
            raise ValueError(f"state {states[state]} must have an action that is allowed")
        transition[~allowed] = np.eye(num_states)[np.nonzero(~allowed)[0]]
        check_finite("reward", reward, reward_axes)
        checked: dict[str, Any] = {
            "states": states,
            "actions": actions,
            "allowed": allowed,
            "reward": reward,
            "transition": check_rows("transition", transition, (states, actions, states)),
        }
        for name, value, axes in (
            ("policy", self.policy, (states, actions)),
            ("state_distribution", self.state_distribution, (states,)),
        ):
            if value is not None:
                checked[name] = check_rows(name, check_shape(name, value, axes), axes)
        if "policy" in checked:
            for state, action in np.argwhere((checked["policy"] > 0) & ~allowed):
                raise ValueError(f"policy[{states[state]}, {actions[action]}] must be 0: the state lacks that action")
        for name, value in checked.items():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)
            object.__setattr__(self, name, value)

    @classmethod
    def deterministic(
        cls, next_state: Sequence[Sequence[int]] | np.ndarray, reward: Any, **options: Any
    ) -> "FiniteMDP":
        """An MDP whose actions lead from s to `next_state[s][a]: [S, A]`; `options` are the other fields.

        Raises:
          ValueError: a next state is not the number of a state, or what `FiniteMDP` raises.
        """
        try:
            table = np.asarray(next_state)
        except ValueError:
            raise ValueError("next_state must be integers in rows of equal length") from None
        if table.ndim != 2 or not table.size or not np.issubdtype(table.dtype, np.integer):
            raise ValueError(f"next_state must be integers of shape [S, A], got {table.dtype} {list(table.shape)}")
        for state, action in np.argwhere((table < 0) | (table >= len(table))):
            raise ValueError(
                f"next_state[{state}, {action}] must be from 0 to {len(table) - 1}, got {table[state, action]}"
            )
        return cls(np.eye(len(table))[table], reward, **options)

    @classmethod
    def from_gymnasium(
        cls,
        table: Mapping[Any, Mapping[Any, Sequence[tuple[float, Any, float, bool]]]],
        *,
        start: np.ndarray | Sequence[float] | None = None,
        **options: Any,
    ) -> "FiniteMDP":
        """An MDP from a gymnasium environment's table, such as `gymnasium.make("FrozenLake-v1").unwrapped.P`.

        Rewards become expected ones of state and action. A terminal state leads to `start` whatever is done there, and
        pays nothing: so the data show one episode after another, and Q* is that of this endless task.

        Args:
          table: for each state and action, the outcomes (probability, next state, reward, whether it terminates).
          start: `[S]`, where episodes begin, `env.unwrapped.initial_state_distrib` for most; None where no step
            terminates.
          **options: other fields of `FiniteMDP`.

        Raises:
          ValueError: it is no such table, or a step terminates and `start` is None; the message names state and action.
        """
        transition, reward = read_outcomes(table, start)
        return cls(transition, reward, "state_action", **options)

    def restrict_to_reachable(self) -> "FiniteMDP":
        """The MDP of the states that the data show, those of positive `occupancy`, and of all that can follow them.

        Raises:
          ValueError: `occupancy` is not defined.
        """
        reached = reachable(self.transition.sum(axis=1) > 0, self.occupancy > 0)
        kept = np.flatnonzero(reached)
        by_state = {"policy": self.policy, "state_distribution": self.state_distribution, "allowed": self.allowed}
        return dataclasses.replace(
            self,
            transition=self.transition[np.ix_(kept, np.arange(self.num_actions), kept)],
            reward=self.reward[kept],
            states=tuple(self.states[state] for state in kept),
            **{name: value if value is None else value[kept] for name, value in by_state.items()},
        )

    @property
    def num_states(self) -> int:
        """`S`."""
        return self.transition.shape[0]

    @property
    def num_actions(self) -> int:
        """`A`."""
        return self.transition.shape[1]

    @functools.cached_property
    def behaviour(self) -> np.ndarray:
        """`[S, A]`, the policy that collects the data; by default uniform over the actions that a state has."""
        if self.policy is not None:
            return self.policy
        return self.choices / self.choices.sum(axis=1, keepdims=True)

    @functools.cached_property
    def choices(self) -> np.ndarray:
        """`[S, A]` bool, the actions that each state has."""
        return np.ones((self.num_states, self.num_actions), bool) if self.allowed is None else self.allowed

    @functools.cached_property
    def chain(self) -> np.ndarray:
        """`[S, S]`, p(s' given s) under the behaviour policy."""
        return np.einsum("sa,sat->st", self.behaviour, self.transition)

    @functools.cached_property
    def occupancy(self) -> np.ndarray:
        """`[S]`, the distribution of S_t.

        Raises:
          ValueError: none was given and the policy has several stationary distributions.
        """
        if self.state_distribution is not None:
            return self.state_distribution
        try:
            return stationary_distribution(self.chain)
        except ValueError as error:
            raise ValueError(f"{error}; state_distribution must say which states the data come from") from None

    @functools.cached_property
    def expected_reward(self) -> np.ndarray:
        """`[S, A]`, of a step, whatever the convention."""
        if self.reward_convention == "arrival":
            return self.transition @ self.reward
        if self.reward_convention == "state":
            return np.repeat(self.reward[:, None], self.num_actions, axis=1)
        return self.reward
