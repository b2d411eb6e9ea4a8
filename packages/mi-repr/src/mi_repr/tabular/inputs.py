"""Finite MDPs in the forms that other libraries have them.

In the shape descriptions `S` denotes the states and `A` the actions.
"""

import operator
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mi_repr.tabular.chain import reachable


def read_outcomes(
    table: Mapping[Any, Mapping[Any, Sequence[tuple[float, Any, float, bool]]]],
    start: np.ndarray | Sequence[float] | None,
) -> tuple[np.ndarray, np.ndarray]:
    """`[S, A, S]` and `[S, A]`, transition and reward, see `FiniteMDP.from_gymnasium`.

    Raises:
      ValueError: it is no such table, or a step terminates and `start` is None.
    """
    if not isinstance(table, Mapping) or not table:
        raise ValueError(f"table must be a dictionary by state, such as env.unwrapped.P, got a {type(table).__name__}")
    num_states = len(table)
    _check_keys("table", table, num_states)
    num_actions = len(_by_action(table[0], 0))
    transition, reward = np.zeros((num_states, num_actions, num_states)), np.zeros((num_states, num_actions))
    ends, goes_on = np.zeros((2, num_states, num_states), bool)
    for state in range(num_states):
        actions = _by_action(table[state], state)
        _check_keys(f"table[{state}]", actions, num_actions)
        for action in range(num_actions):
            for outcome in actions[action]:
                probability, later, paid, terminated = _read_outcome(outcome, num_states, f"table[{state}][{action}]")
                transition[state, action, later] += probability
                reward[state, action] += probability * paid
                if probability > 0:
                    (ends if terminated else goes_on)[state, later] = True
    if ends.any():
        first = _check_start(start, num_states)
        terminal = _find_terminal(ends, goes_on, first > 0)
        transition[terminal] = first
        reward[terminal] = 0
    return transition, reward


def _check_start(start: np.ndarray | Sequence[float] | None, num_states: int) -> np.ndarray:
    if start is None:
        raise ValueError("start must say where episodes begin, such as env.unwrapped.initial_state_distrib")
    first = np.asarray(start, np.float64)
    if first.shape != (num_states,):
        raise ValueError(f"start must have shape [{num_states}], got {list(first.shape)}")
    return first


def _find_terminal(ends: np.ndarray, goes_on: np.ndarray, first: np.ndarray) -> np.ndarray:
    """`[S]` bool, the states in which episodes end; what happens in states that no episode reaches plays no part."""
    played = reachable(goes_on, first)
    terminal = np.any(ends[played], axis=0)
    if not terminal.any():
        terminal = np.any(ends, axis=0)
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
    if not 0 <= values[1] < num_states:
        raise ValueError(f"{where} must lead to a state from 0 to {num_states - 1}, got {later!r}")
    return values
