"""A finite Markov decision process with the policy that collects its data.

In the shape descriptions `S` denotes the states and `A` the actions.
"""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from mi_repr.tabular.model.chain import reachable, stationary_distribution
from mi_repr.tabular.model.fields import (
    Layout,
    check_allowed,
    check_finite,
    check_names,
    check_rows,
    check_shape,
    read_layout,
    to_array,
)
from mi_repr.tabular.model.inputs import Outcomes, read_discrete_dp, read_outcomes, read_start
from mi_repr.tabular.model.rewards import REWARD_KINDS, RewardConvention, RewardKind

_LAYOUT: Layout = "state_action_next"


@dataclasses.dataclass(frozen=True, eq=False)
class FiniteMDP:
    """What the analyser looks at. Checked, and copied to float64, when made.

    transition: `[S, A, S]`, p(s' given s, a), or `[A, S, S]` as in pymdptoolbox; an array, or a list of scipy's sparse
      matrices. What is kept is `[S, A, S]`.
    reward: `[S]`, or as `reward_convention` says.
    reward_convention: what a step from s by a to s' pays: "arrival" r(s'), "state" r(s); "state_action" r(s, a), of
      shape `[S, A]`; "transition" r(s, a, s'), of the shape and layout of `transition`; "random" a reward drawn from
      `reward_values` by the probabilities `reward: [S, A, R]`.
    policy: `[S, A]`, p(a given s) of the data. None means uniform; `behaviour` is the policy in use.
    discount: of the optimal values, in [0, 1).
    state_distribution: `[S]`, p(S_t) of the data. None means the stationary distribution of the policy; `occupancy` is
      the distribution in use.
    states: their names, by default s0, s1, ...
    actions: their names, by default a0, a1, ...
    allowed: `[S, A]` bool, which actions a state has; all by default. A reward of -inf, r(s, a) or r(s, a, s') for all
      s', says the same of its action, as in quantecon. What the other actions would do and pay is ignored, and their Q*
      is -inf.
    layout: the order of the axes of `transition`, "state_action_next" or "action_state_next". None means the one that
      the shape shows; with as many actions as states it must be said.
    reward_values: `[R]`, with "random" rewards only.

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
    layout: Layout | None = None
    reward_values: np.ndarray | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.reward_convention, str) or self.reward_convention not in REWARD_KINDS:
            raise ValueError(
                f"reward_convention must be one of {', '.join(REWARD_KINDS)}, got {self.reward_convention!r}"
            )
        is_number = isinstance(self.discount, int | float | np.number) and not isinstance(self.discount, bool)
        if not is_number or not 0 <= self.discount < 1:
            raise ValueError(f"discount must be a number, at least 0 and below 1, got {self.discount!r}")
        transition = to_array("transition", self.transition)
        layout = read_layout(transition, self.layout)
        action_first = layout == "action_state_next"
        transition = transition.swapaxes(0, 1) if action_first else transition
        num_states, num_actions = transition.shape[:2]
        states = check_names("states", self.states, "s", num_states)
        actions = check_names("actions", self.actions, "a", num_actions)
        if layout is None:
            check_rows("transition", transition, (states, actions, states))  # what is wrong in both is said first
            raise ValueError(
                f"transition has shape {list(transition.shape)}: layout must say whether that is [S, A, S], "
                "'state_action_next', or [A, S, S], 'action_state_next'"
            )
        checked: dict[str, Any] = {"layout": _LAYOUT, "states": states, "actions": actions}
        values = self._check_values()
        axes = tuple({"S": states, "A": actions, "R": tuple(map(str, values))}[axis] for axis in self.reward_kind.axes)
        reward = self._check_reward(axes, action_first)
        shape = num_states, num_actions
        allowed = np.ones(shape, bool) if self.allowed is None else check_allowed(self.allowed, shape)
        if not self.reward_kind.by_state:
            allowed &= ~np.all(reward.reshape(*shape, -1) == -np.inf, axis=2)
            reward[~allowed] = np.eye(max(len(values), 1))[0] if self.reward_kind.axes == "SAR" else 0
        for state in np.flatnonzero(~allowed.any(axis=1)):
            raise ValueError(f"state {states[state]} must have an action that is allowed")
        transition[~allowed] = np.eye(num_states)[np.nonzero(~allowed)[0]]
        check_finite("reward", reward, axes)
        checked |= {
            "allowed": allowed,
            "transition": check_rows("transition", transition, (states, actions, states)),
            "reward": check_rows("reward", reward, axes) if self.reward_kind.axes == "SAR" else reward,
        }
        if self.reward_values is not None:
            checked["reward_values"] = values
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

    def _check_values(self) -> np.ndarray:
        """`reward_values`, or none where rewards are not random."""
        if (self.reward_values is not None) != (self.reward_convention == "random"):
            raise ValueError(
                "reward_values must be there with reward_convention='random', and only then, got "
                f"{self.reward_values!r} with {self.reward_convention!r}"
            )
        if self.reward_values is None:
            return np.zeros(0)
        values = to_array("reward_values", self.reward_values)
        if values.ndim != 1 or not values.size:
            raise ValueError(f"reward_values must have shape [R], got {list(values.shape)}")
        check_finite("reward_values", values, (tuple(map(str, range(len(values)))),))
        return values

    def _check_reward(self, axes: tuple[tuple[str, ...], ...], action_first: bool) -> np.ndarray:
        """The reward, its states first."""
        name = f"reward by the convention {self.reward_convention!r}"
        if action_first and self.reward_convention == "transition":
            states, actions, _ = axes
            return check_shape(name, self.reward, (actions, states, states)).swapaxes(0, 1)
        return check_shape(name, self.reward, axes)

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
        return cls(np.eye(len(table))[table], reward, layout=_LAYOUT, **options)

    @classmethod
    def from_gymnasium(
        cls,
        table: Mapping[Any, Mapping[Any, Sequence[tuple[float, Any, float, bool]]]],
        *,
        start: np.ndarray | Sequence[float] | None = None,
        reward_convention: Literal["random", "arrival"] = "random",
        **options: Any,
    ) -> "FiniteMDP":
        """An MDP from a gymnasium environment's table, such as `gymnasium.make("FrozenLake-v1").unwrapped.P`.

        A terminal state leads to `start` whatever is done there, and pays nothing: so the data show one episode after
        another, and Q* is that of this endless task.

        Args:
          table: for each state and action, the outcomes (probability, next state, reward, whether it terminates).
          start: `[S]`, where episodes begin, `env.unwrapped.initial_state_distrib` for most; None where no step
            terminates.
          reward_convention: "random" for rewards of state and action, drawn by chance where outcomes pay differently;
            "arrival" for a table whose rewards belong to the next state, so that J_fwd's guarantee holds: then a
            restart pays what arriving at the start does.
          **options: other fields of `FiniteMDP`.

        Raises:
          ValueError: it is no such table, a step terminates and `start` is None, or rewards do not belong to the next
            state and should; the message names state and action.
        """
        outcomes = read_outcomes(table, start)
        if reward_convention == "arrival":
            return cls(outcomes.transition, outcomes.rewards_on_arrival(), "arrival", layout=_LAYOUT, **options)
        if reward_convention != "random":
            raise ValueError(f"reward_convention must be random or arrival here, got {reward_convention!r}")
        return cls._from_outcomes(outcomes, options)

    @classmethod
    def _from_outcomes(cls, outcomes: Outcomes, options: dict[str, Any]) -> "FiniteMDP":
        values, probabilities = outcomes.reward_values, outcomes.reward_probabilities
        if np.isin(probabilities, (0, 1)).all():
            return cls(outcomes.transition, probabilities @ values, "state_action", layout=_LAYOUT, **options)
        fields: dict[str, Any] = {"reward_values": values, "layout": _LAYOUT, **options}
        return cls(outcomes.transition, probabilities, "random", **fields)

    @classmethod
    def from_quantecon(cls, problem: Any, **options: Any) -> "FiniteMDP":
        """An MDP from quantecon's `DiscreteDP`, of state and action or of the pairs that there are.

        Args:
          problem: with `R`, `Q` and `beta`, and for pairs with `s_indices` and `a_indices`.
          **options: other fields of `FiniteMDP`.

        Raises:
          ValueError: it is no such problem, or what `FiniteMDP` raises.
        """
        transition, reward, allowed, discount = read_discrete_dp(problem)
        fields: dict[str, Any] = {"discount": discount, "allowed": allowed, "layout": _LAYOUT, **options}
        return cls(transition, reward, "state_action", **fields)

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
            reward=self.reward[np.ix_(kept, np.arange(self.num_actions), kept)]
            if self.reward_convention == "transition"
            else self.reward[kept],
            states=tuple(self.states[state] for state in kept),
            **{name: value if value is None else value[kept] for name, value in by_state.items()},
        )

    def with_restarts(
        self, start: np.ndarray | Sequence[float] | int, terminal: Sequence[int] | None = None
    ) -> "FiniteMDP":
        """The MDP whose terminal states lead to where episodes begin, so that the data show one after another.

        By the convention "arrival" a restart pays what arriving at the start does, by "transition" nothing.

        Args:
          start: `[S]`, where episodes begin, or the number of one state.
          terminal: numbers of the states that end an episode, by default all that no action leaves.

        Raises:
          ValueError: there is no terminal state, one is no number of a state, or `start` is no distribution.
        """
        first = read_start(start, self.num_states)
        stays = self.transition[np.arange(self.num_states), :, np.arange(self.num_states)] == 1
        ends = np.flatnonzero(stays.all(axis=1)) if terminal is None else np.asarray(terminal)
        if ends.ndim != 1 or not ends.size or ends.dtype.kind not in "iu":
            if terminal is None:
                raise ValueError("terminal must name the states that end an episode: no state holds by itself")
            raise ValueError(f"terminal must be numbers of states, got {terminal!r}")
        for state in ends[(ends < 0) | (ends >= self.num_states)]:
            raise ValueError(f"terminal must be from 0 to {self.num_states - 1}, got {state}")
        transition, reward = self.transition.copy(), self.reward.copy()
        transition[ends] = first
        if self.reward_convention == "transition":
            reward[ends] = 0
        return dataclasses.replace(self, transition=transition, reward=reward)

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

    @property
    def reward_kind(self) -> RewardKind:
        """What the reward convention means."""
        return REWARD_KINDS[self.reward_convention]

    @functools.cached_property
    def expected_reward(self) -> np.ndarray:
        """`[S, A]`, of a step, whatever the convention."""
        return self.reward_kind.expected(self.transition, self.reward, self._values)

    @functools.cached_property
    def reward_distribution(self) -> np.ndarray:
        """`[S, A, R]`, p(r_t given s_t, a_t) of the reward that belongs to S_t, over the different rewards."""
        return self.reward_kind.distribution(self.transition, self.reward, self._values)

    @property
    def _values(self) -> np.ndarray:
        return np.zeros(0) if self.reward_values is None else self.reward_values
