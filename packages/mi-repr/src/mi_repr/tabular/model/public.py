"""MDPs that others made: from textbooks and papers, to try the analyser on. The behaviour policy is uniform in all."""

import itertools

import numpy as np

from mi_repr.tabular.model.mdp import FiniteMDP


def river_swim(num_states: int = 6) -> FiniteMDP:
    """RiverSwim (Strehl and Littman, 2008): swimming right against the current is rarely rewarded, and well."""
    _check_sizes(num_states=num_states)
    transition = np.zeros((num_states, 2, num_states))
    for state in range(num_states):
        left, right = max(state - 1, 0), min(state + 1, num_states - 1)
        transition[state, 0, left] = 1
        transition[state, 1, left] += 0.05 if state else 0
        transition[state, 1, state] += 0.6 if state else 0.4
        transition[state, 1, right] += 0.35 if state else 0.6
    reward = np.zeros((num_states, 2))
    reward[0, 0], reward[-1, 1] = 5e-3, 1
    return FiniteMDP(transition, reward, "state_action", actions=("left", "right"), layout="state_action_next")


def combination_lock(num_levels: int = 10, num_actions: int = 10) -> FiniteMDP:
    """A lock as in HOMER (Misra et al., 2020): in each of two good states of a level one action is right.

    It leads to one of the good states of the next level by chance, any other to the bad state for good. The last level
    leads to the first.
    """
    _check_sizes(num_levels=num_levels, num_actions=num_actions)
    transition = np.zeros((3 * num_levels, num_actions, 3 * num_levels))
    for level, place, action in itertools.product(range(num_levels), range(3), range(num_actions)):
        row = transition[3 * level + place, action]
        if level == num_levels - 1:
            row[:3] = 1 / 3
        elif place < 2 and action == (3 * level + 5 * place) % num_actions:
            row[3 * level + 3 : 3 * level + 5] = 0.5
        else:
            row[3 * level + 5] = 1
    reward = np.zeros(3 * num_levels)
    reward[-3:-1] = 1
    states = tuple(f"{kind}{level}" for level in range(num_levels) for kind in "abx")
    return FiniteMDP(transition, reward, states=states, layout="state_action_next")


def recycling_robot() -> FiniteMDP:
    """The recycling robot (Sutton and Barto, 2018, example 3.3), which does not recharge while its battery is high."""
    transition = np.array([[[0.9, 0.1], [1, 0], [0, 1]], [[0.6, 0.4], [0, 1], [1, 0]]])
    reward = np.array([[2.0, 1.0, -np.inf], [-3.0, 1.0, 0.0]])
    return FiniteMDP(transition, reward, "state_action", states=("high", "low"), actions=("search", "wait", "recharge"))


def gridworld() -> FiniteMDP:
    """The gridworld of Sutton and Barto (2018), example 3.5: from A and B every action leads to A' and B', and pays."""
    size, (a, to_a), (b, to_b) = 5, ((0, 1), (4, 1)), ((0, 3), (2, 3))
    moves = {"north": (-1, 0), "south": (1, 0), "east": (0, 1), "west": (0, -1)}
    next_state, reward = np.zeros((25, 4), int), np.zeros((25, 4))
    for row, column in itertools.product(range(size), repeat=2):
        for action, (down, across) in enumerate(moves.values()):
            target, paid = (row + down, column + across), 0.0
            if not all(0 <= place < size for place in target):
                target, paid = (row, column), -1.0
            if (row, column) == a:
                target, paid = to_a, 10.0
            if (row, column) == b:
                target, paid = to_b, 5.0
            next_state[row * size + column, action] = target[0] * size + target[1]
            reward[row * size + column, action] = paid
    return FiniteMDP.deterministic(next_state, reward, reward_convention="state_action", actions=tuple(moves))


def windy_gridworld() -> FiniteMDP:
    """The windy gridworld of Sutton and Barto (2018), example 6.5; the goal leads back to the start."""
    wind, rows, goal = (0, 0, 0, 1, 1, 1, 2, 2, 1, 0), 7, (3, 7)
    moves = {"north": (-1, 0), "south": (1, 0), "east": (0, 1), "west": (0, -1)}
    number = {place: i for i, place in enumerate(itertools.product(range(rows), range(len(wind))))}
    next_state, reward = np.zeros((len(number), 4), int), np.full((len(number), 4), -1.0)
    for (row, column), state in number.items():
        for action, (down, across) in enumerate(moves.values()):
            lower = min(max(row + down - wind[column], 0), rows - 1)
            target = number[lower, min(max(column + across, 0), len(wind) - 1)]
            next_state[state, action] = number[3, 0] if (row, column) == goal else target
    reward[number[goal]] = 0
    states = tuple(f"r{row}c{column}" for row, column in number)
    return FiniteMDP.deterministic(
        next_state, reward, reward_convention="state_action", states=states, actions=tuple(moves)
    )


def garnet(num_states: int = 8, num_actions: int = 2, branching: int = 2, seed: int = 0) -> FiniteMDP:
    """A random MDP (Bhatnagar et al., 2009): each action leads to `branching` states by random chances."""
    _check_sizes(num_states=num_states, num_actions=num_actions, branching=branching)
    if branching > num_states:
        raise ValueError(f"branching must be at most num_states={num_states}, got {branching}")
    rng = np.random.default_rng(seed)
    transition = np.zeros((num_states, num_actions, num_states))
    for row in transition.reshape(-1, num_states):
        row[rng.choice(num_states, branching, replace=False)] = rng.dirichlet(np.ones(branching))
    return FiniteMDP(transition, rng.random(num_states), layout="state_action_next")


def _check_sizes(**sizes: int) -> None:
    for name, size in sizes.items():
        if not isinstance(size, int | np.integer) or isinstance(size, bool) or size < 1:
            raise ValueError(f"{name} must be a whole number, at least 1, got {size!r}")
