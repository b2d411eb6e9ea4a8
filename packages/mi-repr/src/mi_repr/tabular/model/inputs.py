"""Finite MDPs in the forms that other libraries have them.

In the shape descriptions `S` denotes the states and `A` the actions.
"""

import operator
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from mi_repr.tabular.model.chain import reachable
from mi_repr.tabular.model.fields import to_array


class Outcomes(NamedTuple):
    """What a gymnasium table says.

    transition: `[S, A, S]`, terminal states lead to the start.
    reward_values: `[R]`, the different rewards.
    reward_probabilities: `[S, A, R]`, p(r given s, a).
    paid: for each next state the rewards that arriving there pays, and the first place in the table that says so.
    """

    transition: np.ndarray
    reward_values: np.ndarray
    reward_probabilities: np.ndarray
    paid: dict[int, dict[float, str]]

    def rewards_on_arrival(self) -> np.ndarray:
        """`[S]`, the reward of arriving at each state; 0 where no step leads.

        Raises:
          ValueError: arriving at some state pays more than one reward.
        """
        reward = np.zeros(len(self.transition))
        for state, places in self.paid.items():
            if len(places) > 1:
                (one, first), (other, second) = list(places.items())[:2]
                raise ValueError(
                    f"reward_convention='arrival' needs one reward for each next state, but arriving at {state} pays "
                    f"{one:g} by {first} and {other:g} by {second}"
                )
            reward[state] = next(iter(places))
        return reward


def read_outcomes(
    table: Mapping[Any, Mapping[Any, Sequence[tuple[float, Any, float, bool]]]],
    start: np.ndarray | Sequence[float] | None,
) -> Outcomes:
    """The outcomes of a table, see `FiniteMDP.from_gymnasium`.

    Raises:
      ValueError: it is no such table, or a step terminates and `start` is None.
    """
    if not isinstance(table, Mapping) or not table:
        raise ValueError(f"table must be a dictionary by state, such as env.unwrapped.P, got a {type(table).__name__}")
    num_states = len(table)
    _check_keys("table", table, num_states)
    num_actions = len(_by_action(table[0], 0))
    transition = np.zeros((num_states, num_actions, num_states))
    ends, goes_on = np.zeros((2, num_states, num_states), bool)
    rewards: list[tuple[int, int, int, float, float]] = []
    for state in range(num_states):
        actions = _by_action(table[state], state)
        _check_keys(f"table[{state}]", actions, num_actions)
        for action in range(num_actions):
            for outcome in actions[action]:
                probability, later, paid, terminated = _read_outcome(outcome, num_states, f"table[{state}][{action}]")
                transition[state, action, later] += probability
                if probability > 0:
                    rewards.append((state, action, later, paid, probability))
                    (ends if terminated else goes_on)[state, later] = True
    terminal = np.zeros(num_states, bool)
    if ends.any():
        if start is None:
            raise ValueError("start must say where episodes begin, such as env.unwrapped.initial_state_distrib")
        first = read_start(start, num_states)
        terminal = _find_terminal(ends, goes_on, first > 0)
        transition[terminal] = first
        rewards = [each for each in rewards if not terminal[each[0]]]
        rewards += [
            (int(state), action, -1, 0.0, 1.0) for state in np.flatnonzero(terminal) for action in range(num_actions)
        ]
    values = np.unique([paid for *_, paid, _ in rewards])
    probabilities = np.zeros((num_states, num_actions, len(values)))
    arrivals: dict[int, dict[float, str]] = {}
    for state, action, later, paid, probability in rewards:
        probabilities[state, action, np.searchsorted(values, paid)] += probability
        if later >= 0:
            arrivals.setdefault(later, {}).setdefault(paid, f"table[{state}][{action}]")
    return Outcomes(transition, values, probabilities, arrivals)


def read_start(start: np.ndarray | Sequence[float] | int, num_states: int) -> np.ndarray:
    """`[S]`, a distribution of first states; one number stands for a state.

    Raises:
      ValueError: it is none.
    """
    if isinstance(start, int | np.integer) and not isinstance(start, bool):
        if not 0 <= start < num_states:
            raise ValueError(f"start must be a state from 0 to {num_states - 1}, got {start}")
        return np.eye(num_states)[start]
    first = to_array("start", start)
    if first.shape != (num_states,):
        raise ValueError(f"start must have shape [{num_states}], got {list(first.shape)}")
    if not np.isfinite(first).all() or (first < 0).any() or abs(first.sum() - 1) > 1e-5:
        raise ValueError(f"start must be a distribution over the states, got {first.tolist()}")
    return first / first.sum()


def read_discrete_dp(problem: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, float]:
    """`[S, A, S]`, `[S, A]`, `[S, A]` bool or None, and a number: what quantecon's `DiscreteDP` says.

    Raises:
      ValueError: it is no such problem.
    """
    missing = [name for name in ("R", "Q", "beta") if not hasattr(problem, name)]
    if missing:
        raise ValueError(f"problem must be a DiscreteDP with R, Q and beta, got {type(problem).__name__}")
    to_dense = getattr(problem.Q, "toarray", lambda: np.asarray(problem.Q, np.float64))
    transition, reward = to_dense(), np.asarray(problem.R, np.float64)
    states = getattr(problem, "s_indices", None)
    if states is None:
        return transition, reward, None, float(problem.beta)
    actions = np.asarray(problem.a_indices)
    shape = transition.shape[1], int(actions.max()) + 1
    by_pair, rewards, allowed = np.zeros((*shape, shape[0])), np.zeros(shape), np.zeros(shape, bool)
    by_pair[states, actions], rewards[states, actions] = transition, reward
    allowed[states, actions] = True
    return by_pair, rewards, allowed, float(problem.beta)


def _find_terminal(ends: np.ndarray, goes_on: np.ndarray, first: np.ndarray) -> np.ndarray:
    """`[S]` bool, the states in which episodes end; what happens in states that no episode reaches plays no part."""
    played = reachable(goes_on, first)
    terminal = np.any(ends[played], axis=0)
    if not terminal.any():
        terminal = np.any(ends, axis=0)
    for state in np.flatnonzero(terminal & first):
        raise ValueError(
            f"state {state} must not both begin and end episodes: leave it out of start, or split it in two"
        )
    for state in np.flatnonzero(terminal & goes_on[played & ~terminal].any(axis=0)):
        raise ValueError(f"state {state} must always or never end an episode, but some steps that lead to it go on")
    return terminal


def _by_action(value: Any, state: int) -> Mapping[Any, Any]:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return dict(enumerate(value))
    if not isinstance(value, Mapping) or not value:
        raise ValueError(f"table[{state}] must be a dictionary by action, got {value!r}")
    return value


def _check_keys(name: str, found: Mapping[Any, Any], number: int) -> None:
    if set(found) != set(range(number)):
        raise ValueError(f"{name} must have the keys 0 to {number - 1}, got {sorted(found, key=str)[:8]}")


def _read_outcome(outcome: Any, num_states: int, where: str) -> tuple[float, int, float, bool]:
    try:
        probability, later, paid, terminated = outcome
        values = float(probability), operator.index(later), float(paid), bool(terminated)
    except (TypeError, ValueError):
        raise ValueError(f"{where} must list (probability, next state, reward, terminated), got {outcome!r}") from None
    if not np.isfinite(values[2]):
        raise ValueError(f"{where} must pay a finite reward, got {paid!r}; allowed says which actions a state lacks")
    if not 0 <= values[1] < num_states:
        raise ValueError(f"{where} must lead to a state from 0 to {num_states - 1}, got {later!r}")
    return values
