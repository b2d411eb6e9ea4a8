"""Two rooms of gymnasium's FrozenLake as tasks that differ in where the goal is: a family with discrete actions.

    uv run examples/train_pearl.py --import=families.rooms --benchmark=rooms-v0 \
        --override=max_context_episodes=3 --override=kl_coef=1e-4

The goal is not seen; each step tells whether it came nearer. A wall of holes, where an episode ends, has one gap, in
which it begins. This is what a family of one's own looks like: copy it and change it.
"""

from typing import Any

import gymnasium
import metarl_envs
import numpy as np

ROOMS = ("FFFFHFFFF", "FFFFHFFFF", "FFFFSFFFF", "FFFFHFFFF", "FFFFHFFFF")
START, LEAST_DISTANCE, HORIZON = (2, 4), 3, 12
NUM_TEST = 6


class RoomsEnv(gymnasium.Wrapper):
    """Plays one goal.

    Observations: `[2]` row and column, from -1 to 1. Actions: 0 left, 1 down, 2 right, 3 up. Reward: a fifth for a step
    towards the goal, minus a fifth for one away from it, and 1 more at the goal, where the episode ends.

    goal: its row and column.
    """

    def __init__(self, goal: tuple[int, int]) -> None:
        rows = [list(row) for row in ROOMS]
        rows[goal[0]][goal[1]] = "G"
        lake = ["".join(row) for row in rows]
        super().__init__(gymnasium.make("FrozenLake-v1", desc=lake, is_slippery=False, max_episode_steps=HORIZON))
        self.observation_space = gymnasium.spaces.Box(-1, 1, (2,), np.float32)
        self._goal, self._distance = np.asarray(goal), 0

    def reset(self, **options: Any) -> tuple[np.ndarray, dict[str, Any]]:
        """Begins in the gap."""
        cell, _ = self.env.reset(**options)
        place = _find(cell)
        self._distance = abs(place - self._goal).sum()
        return _look(place), {}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Goes to the next cell, or stays where the edge is."""
        cell, reward, terminated, truncated, _ = self.env.step(int(action))
        place, before = _find(cell), self._distance
        self._distance = abs(place - self._goal).sum()
        return _look(place), float(reward) + (before - self._distance) / 5, terminated, truncated, {}


def _find(cell: int) -> np.ndarray:
    return np.asarray(divmod(cell, len(ROOMS[0])))


def _look(place: np.ndarray) -> np.ndarray:
    return (place / (2, 4) - 1).astype(np.float32)


def make_benchmark() -> metarl_envs.Benchmark:
    """All goals at least three steps from the start: six drawn for tests, the others to train on."""
    cells = [(row, column) for row, line in enumerate(ROOMS) for column, kind in enumerate(line) if kind == "F"]
    goals = [cell for cell in cells if abs(cell[0] - START[0]) + abs(cell[1] - START[1]) >= LEAST_DISTANCE]
    goals = [goals[i] for i in np.random.default_rng(0).permutation(len(goals))]
    family = metarl_envs.from_gymnasium(RoomsEnv, goals, signals=[])
    return metarl_envs.Benchmark("rooms-v0", family, goals[NUM_TEST:], goals[:NUM_TEST])


metarl_envs.register_benchmark("rooms-v0", make_benchmark)
