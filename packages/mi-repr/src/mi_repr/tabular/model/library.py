"""Built-in MDPs. The behaviour policy is uniform in all of them.

The thesis prints figures 2 and 3 as drawings only. Figure 2 agrees with all that its text says; figure 3 is a
reconstruction from the proof of proposition 3, in three versions.
"""

import itertools
from collections.abc import Callable
from typing import Literal

import numpy as np

from mi_repr.tabular.model.mdp import FiniteMDP
from mi_repr.tabular.model.noise import with_noise

GripSemantics = Literal["toggle", "set", "toggle_action"]
_MOVES = {"left": -1, "stay": 0, "right": 1}
_SIZE = 3


def figure2() -> FiniteMDP:
    """Thesis figure 2: J_state is not sufficient. Aliasing s0 and s3 maximises it; their optimal actions differ."""
    return FiniteMDP.deterministic([[1, 2], [0, 3], [0, 3], [2, 1]], [0, 0, 1, 0])


def xor() -> FiniteMDP:
    """The smallest counterexample to J_state: the next state is the exclusive or of state and action."""
    return FiniteMDP.deterministic([[0, 1], [1, 0]], [1, 0])


def figure3() -> FiniteMDP:
    """Thesis figure 3, reconstructed: a0 pays from s0, a1 pays from s1, and aliasing s0 and s1 maximises J_inv.

    The only version whose actions do exactly what the proof of proposition 3 says.
    """
    return FiniteMDP.deterministic([[2, 3], [4, 5], [1, 1], [1, 1], [0, 0], [0, 0]], [0, 0, 1, 0, 0, 1])


def figure3_readable() -> FiniteMDP:
    """Figure 3, reconstructed so that the action can be read from every pair of states: J_inv = H(A) = 1 bit.

    The strongest version: aliasing s0 and s1 maximises J_inv for every k, and its value is not zero.
    """
    return FiniteMDP.deterministic([[2, 3], [4, 5], [0, 5], [0, 4], [1, 2], [1, 3]], [0, 0, 1, 0, 0, 1])


def figure3_small() -> FiniteMDP:
    """Figure 3 in 4 states. `find_counterexample` finds none with fewer for inv+reward; J_inv alone fails with 3."""
    return FiniteMDP.deterministic([[1, 2], [0, 3], [0, 0], [1, 1]], [0, 0, 0, 1])


def contextual_bandit() -> FiniteMDP:
    """The next state is random and the reward is for naming the state: J_fwd = 0 for every representation.

    Rewards that depend on the action are outside proposition 1; fwd+reward_action is sufficient here.
    """
    return FiniteMDP(np.full((2, 2, 2), 0.5), np.eye(2), "state_action")


def state_dependent_policy() -> FiniteMDP:
    """A policy that depends on the state: aliasing s0 and s1 raises J_inv from 0.162 to 0.523 bit.

    The policy's preference tells s0 from s1 when the representation does not, and s' then tells the action.
    """
    policy = np.array([[0.9, 0.1], [0.1, 0.9], [0.5, 0.5]])
    return FiniteMDP.deterministic([[1, 1], [0, 2], [0, 0]], [0, 0, 1], policy=policy)


def mini_catcher_grip(semantics: GripSemantics = "toggle") -> FiniteMDP:
    """The games of thesis section 2.5 in 54 states: 3 columns, 3 rows, and a gripper that must be open to catch.

    A state "p0 f2 y1 open" is the paddle's column, the fruit's column and row, and the gripper. The fruit falls a row
    each step; from the lowest row, where arriving pays +1 for a catch and -1 for a miss, it goes to the top of a random
    column. The paddle moves by a column or stays.

    Args:
      semantics: how actions change the gripper. "toggle": each move with or without a toggle, 6 actions. "set": each
        move with opening or closing, 6 actions. "toggle_action": a toggle is a fourth move.

    Raises:
      ValueError: `semantics` is unknown.
    """
    columns, rows = range(_SIZE), range(_SIZE)
    places = list(itertools.product(columns, columns, rows, (True, False)))
    number = {place: index for index, place in enumerate(places)}
    actions = _grip_actions(semantics)
    transition = np.zeros((len(places), len(actions), len(places)))
    for (place, index), (a, (move, change)) in itertools.product(number.items(), enumerate(actions.values())):
        paddle, fruit, row, is_open = place
        paddle, is_open = min(max(paddle + move, 0), _SIZE - 1), change(is_open)
        for column in columns if row == _SIZE - 1 else (fruit,):
            chance = 1 / _SIZE if row == _SIZE - 1 else 1.0
            transition[index, a, number[paddle, column, (row + 1) % _SIZE, is_open]] = chance
    reward = [0 if row < _SIZE - 1 else (1 if is_open and p == f else -1) for p, f, row, is_open in places]
    names = tuple(f"p{p} f{f} y{row} {'open' if is_open else 'shut'}" for p, f, row, is_open in places)
    return FiniteMDP(transition, np.array(reward), states=names, actions=tuple(actions))


def mini_catcher_grip_representations() -> dict[str, np.ndarray]:
    """Representations of `mini_catcher_grip` that leave out one element of the state: `[54]` labels by name."""
    paddle, fruit, row, gripper = np.unravel_index(np.arange(2 * _SIZE**3), (_SIZE, _SIZE, _SIZE, 2))
    return {
        "identity": np.arange(2 * _SIZE**3),
        "no gripper": np.ravel_multi_index((paddle, fruit, row), (_SIZE, _SIZE, _SIZE)),
        "no fruit": np.ravel_multi_index((paddle, gripper), (_SIZE, 2)),
    }


def levine_control() -> FiniteMDP:
    """Five states that the single-step inverse mixes and the inverse of two steps tells apart (Levine et al., 2024)."""
    return _with_coin([[4, 0], [1, 4], [0, 1], [2, 1], [4, 3]])


def levine_periodic() -> FiniteMDP:
    """Two loops of three steps: the multi-step inverse fails for every number of steps (Levine et al., 2024)."""
    return _with_coin([[1, 3], [2, 2], [0, 0], [4, 4], [0, 0]])


def levine_single_loop() -> FiniteMDP:
    """A loop of five with a way of two for three: the multi-step inverse needs seven steps (Levine et al., 2024)."""
    return _with_coin([[1, 3], [2, 2], [3, 3], [4, 4], [0, 0]])


def levine_double_loop() -> FiniteMDP:
    """Two loops of five that cross, no noise: the multi-step inverse needs many steps (Levine et al., 2024)."""
    table = [[(state + 1) % 5 + state // 5 * 5] * 2 for state in range(10)]
    table[0][1], table[5][1] = 8, 3
    return FiniteMDP.deterministic(table, np.eye(10)[4])


def _with_coin(table: list[list[int]]) -> FiniteMDP:
    """The deterministic MDP beside noise that flips every fourth step; arriving in the last state pays 1."""
    mdp = FiniteMDP.deterministic(table, np.eye(len(table))[-1])
    return with_noise(mdp, np.array([[0.75, 0.25], [0.25, 0.75]]))


def _grip_actions(semantics: GripSemantics) -> dict[str, tuple[int, Callable[[bool], bool]]]:
    changes: dict[str, Callable[[bool], bool]]
    if semantics == "toggle_action":
        moves: dict[str, tuple[int, Callable[[bool], bool]]] = {
            name: (step, lambda is_open: is_open) for name, step in _MOVES.items()
        }
        return {**moves, "toggle": (0, lambda is_open: not is_open)}
    if semantics == "toggle":
        changes = {"keep": lambda is_open: is_open, "toggle": lambda is_open: not is_open}
    elif semantics == "set":
        changes = {"open": lambda is_open: True, "shut": lambda is_open: False}
    else:
        raise ValueError(f"semantics must be toggle, set or toggle_action, got {semantics!r}")
    return {f"{move} {name}": (step, change) for move, step in _MOVES.items() for name, change in changes.items()}


LIBRARY: dict[str, Callable[[], FiniteMDP]] = {
    "figure2": figure2,
    "xor": xor,
    "figure3": figure3,
    "figure3_readable": figure3_readable,
    "figure3_small": figure3_small,
    "contextual_bandit": contextual_bandit,
    "state_dependent_policy": state_dependent_policy,
    "mini_catcher_grip": mini_catcher_grip,
    "levine_control": levine_control,
    "levine_periodic": levine_periodic,
    "levine_single_loop": levine_single_loop,
    "levine_double_loop": levine_double_loop,
}

ENDOGENOUS: dict[str, np.ndarray] = {
    "levine_control": np.repeat(np.arange(5), 2),
    "levine_periodic": np.repeat(np.arange(5), 2),
    "levine_single_loop": np.repeat(np.arange(5), 2),
    "levine_double_loop": np.arange(10),
}
"""The endogenous state of each state, of the built-in MDPs that have noise beside it or are examples of it."""
