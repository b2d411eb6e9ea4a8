"""Optimal values to a hundred digits, so that equal ones are told from nearly equal ones.

Numbers are integers in units of 2^-400 of a reward that is no larger than optimal values go. The values of a policy
solve a linear system; a solution in float64 is corrected by what its exact remainder asks for, until nothing is left to
correct.

In the shape descriptions `S` denotes the states, `A` the actions and `N` the transitions of positive probability.
"""

import dataclasses
import functools
from fractions import Fraction
from typing import Any

import numpy as np

from mi_repr.tabular.information.rationals import to_fractions
from mi_repr.tabular.model.mdp import FiniteMDP

_BITS = 400
_EQUAL_BITS = 320  # of what is given as fractions: equal up to 2^-320
_MOST_TRANSITIONS = 40_000
_ROUNDS = 40
_FAR_ABOVE = 1e6
"""Rewards that are so many times the optimal values are those of actions that nobody should take."""


@dataclasses.dataclass(frozen=True)
class _System:
    """An MDP in integers.

    source: `[N]`, state times A plus action, rising; `target`: `[N]`, the next state; `weight`: `[N]`, probabilities.
    reward: `[S A]`, expected.
    discount: the discount.
    is_exact: whether all of it are fractions that were meant.
    """

    source: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    reward: np.ndarray
    discount: int
    is_exact: bool

    def look_ahead(self, value: np.ndarray) -> np.ndarray:
        """`[S A]`, the expected `value: [S]` of the next state, discounted."""
        total = np.zeros(len(self.reward), object)
        np.add.at(total, self.source, (self.weight * value[self.target]) >> _BITS)
        return (self.discount * total) >> _BITS


def compare_precisely(mdp: FiniteMDP, q: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """`[S, A]` int and `[S, A]` bool: equal numbers for equal Q* of an action, and which actions are optimal.

    Args:
      mdp: to look at.
      q: `[S, A]`, Q* in float64, -inf for actions that a state lacks.

    Returns:
      None where the MDP is too large.
    """
    if np.count_nonzero(mdp.transition) > _MOST_TRANSITIONS:
        return None
    system = _make_system(mdp, float(np.abs(q.max(axis=1)).max()))
    choices, rows = mdp.choices, np.arange(mdp.num_states)
    floor = -(1 << 4 * _BITS)
    policy = np.where(choices, q, -np.inf).argmax(axis=1)
    for _ in range(_ROUNDS):
        value = _evaluate(mdp, system, policy)
        precise = (system.reward + system.look_ahead(value)).reshape(choices.shape)
        tolerance = _tolerance(system, value, mdp.discount)
        masked = np.where(choices, precise, floor)
        best = masked.max(axis=1)
        improved = best > masked[rows, policy] + tolerance
        if not improved.any():
            return classify(masked, np.full(masked.shape, tolerance, object)), masked >= (best - tolerance)[:, None]
        policy = np.where(improved, [int(np.argmax(row)) for row in masked], policy)
    return None


def _tolerance(system: _System, value: np.ndarray, discount: float) -> int:
    if system.is_exact:
        return 1 << _BITS - _EQUAL_BITS
    largest = max(1, *(abs(each) for each in value))
    return int(Fraction(largest) * 8 / (Fraction(1 << 53) * (1 - Fraction(discount))))


def classify(values: np.ndarray, tolerances: np.ndarray) -> np.ndarray:
    """`[S, A]`, numbers that are equal in a column where values are; a chain of equal ones is one class.

    Args:
      values: `[S, A]`, floats or integers of any length.
      tolerances: `[S, A]`, how far another value may lie from each and count as equal.
    """
    classes = np.zeros(values.shape, np.int64)
    for action, column in enumerate(values.T):
        order = np.argsort(column, kind="stable")
        ordered, reach = column[order], tolerances[order, action]
        apart = ordered[1:] > ordered[:-1] + np.maximum(reach[1:], reach[:-1])
        classes[order[1:], action] = np.cumsum(apart)
    return classes


def _evaluate(mdp: FiniteMDP, system: _System, policy: np.ndarray) -> np.ndarray:
    """`[S]` object, the values of a policy `[S]` int."""
    size, num_actions = mdp.num_states, mdp.num_actions
    rows = np.arange(size)
    inverse = np.linalg.inv(np.eye(size) - mdp.discount * mdp.transition[rows, policy])
    chosen = rows * num_actions + policy
    value = np.zeros(size, object)
    for _ in range(_ROUNDS):
        rest = system.reward[chosen] + system.look_ahead(value)[chosen] - value
        largest = max(abs(each) for each in rest)
        if largest <= size:  # units of rounding
            break
        shift = max(largest.bit_length() - 60, 0)
        correction = inverse @ np.array([each >> shift for each in rest], np.float64)
        # Parts of a unit count while the rest is small.
        value = value + np.array([int(each * 2.0**20) << shift >> 20 for each in correction], object)
    return value


def _make_system(mdp: FiniteMDP, value: float) -> _System:
    """The MDP in units of its largest reward, of those that an optimal `value` can be made of."""
    transition, exact = _to_integers(mdp.transition)
    state, action, target = np.nonzero(mdp.transition)
    source = state * mdp.num_actions + action
    weight = transition[state, action, target]
    kind = mdp.reward_kind
    paid = mdp.reward if mdp.reward_values is None else mdp.reward_values
    sizes = np.abs(paid)
    scale = float(sizes[sizes <= _FAR_ABOVE * value].max(initial=0.0) or sizes.max()) or 1.0
    values, values_exact = _to_integers(paid / scale)
    reward = np.zeros(mdp.num_states * mdp.num_actions, object)
    if kind.axes == "SAR":
        chances, chances_exact = _to_integers(mdp.reward)
        values_exact &= chances_exact
        reward = np.sum(chances * values, axis=2).ravel() >> _BITS
    elif kind.axes == "SAS":
        np.add.at(reward, source, weight * values[state, action, target] >> _BITS)
    elif kind.axes == "SA":
        reward = values.ravel()
    elif mdp.reward_convention == "arrival":
        np.add.at(reward, source, weight * values[target] >> _BITS)
    else:
        reward = np.repeat(values, mdp.num_actions)
    discount, discount_exact = _to_integers(np.array([mdp.discount]))
    sums = np.zeros(len(reward), object)
    np.add.at(sums, source, weight)
    exact &= values_exact and discount_exact and all(abs(each - (1 << _BITS)) <= mdp.num_states for each in sums)
    return _System(source, target, weight, reward, int(discount[0]), bool(exact))


def _to_integers(numbers: np.ndarray) -> tuple[np.ndarray, bool]:
    """The numbers in units of 2^-400, as objects, and whether they are fractions that were meant."""
    found = to_fractions(numbers)
    if found is not None:
        fractions, index = found
        return np.array([_round(each) for each in fractions], object)[index], True
    values, index = np.unique(numbers, return_inverse=True)
    return np.array([_round(Fraction(each)) for each in values.tolist()], object)[index.reshape(numbers.shape)], False


@functools.cache
def _round(value: Fraction) -> Any:
    return (value.numerator << _BITS) // value.denominator
