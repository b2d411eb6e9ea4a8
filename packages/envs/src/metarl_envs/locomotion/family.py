"""Families of locomotion tasks: a robot's rules, and how its tasks are drawn.

In the shape descriptions, `N` denotes the number of tasks.
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from gymnasium.vector import AutoresetMode

from metarl_envs.arguments import check_count
from metarl_envs.locomotion.env import LocomotionEnv
from metarl_envs.locomotion.rules import Rules
from metarl_envs.locomotion.spaces import make_spaces
from metarl_envs.locomotion.vector_env import LocomotionVectorEnv
from metarl_envs.tasks import Task, TaskFamily, Tasks

HORIZON = 200
"""Steps of an episode (thesis, section 5.2.3)."""

DrawTasks = Callable[[np.random.RandomState, int], Any]
"""`(random_state, n) -> tasks` with arrays `[n, ...]`."""


class LocomotionFamily(TaskFamily):
    """Tasks for one robot; needs the extra `mujoco` once an environment is made."""

    def __init__(self, rules: Rules, draw_tasks: DrawTasks, num_threads: int = 1) -> None:
        """Makes the family.

        Args:
          rules: what is observed and rewarded.
          draw_tasks: the distribution of tasks.
          num_threads: that step the environments of `make_vec`.
        """
        self.rules = rules
        self.horizon = HORIZON
        self.observation_space, self.action_space = make_spaces(rules)
        self.terminates = type(rules).terminated is not Rules.terminated
        self._draw_tasks = draw_tasks
        self._num_threads = num_threads

    def sample_tasks(self, key: jax.Array, n: int) -> Tasks:
        """Draws `n` tasks, arrays `[N, ...]`; the key is consumed."""
        n = check_count("n", n)
        seed = np.asarray(jax.random.key_data(key), np.uint32).ravel()
        return self._draw_tasks(np.random.RandomState(seed), n)

    def make_vec(self, tasks: Tasks, seed: int | None = None) -> LocomotionVectorEnv:
        """See `TaskFamily.make_vec`; the seed is that of the first `reset`. The environments can `render`."""
        return LocomotionVectorEnv(
            self.rules,
            tasks,
            HORIZON,
            seed,
            render_mode="rgb_array",
            num_threads=self._num_threads,
            autoreset_mode=AutoresetMode.DISABLED,
        )

    def make_env(self, task: Task, render_mode: str | None = None) -> LocomotionEnv:
        """Plays one task, without a time limit."""
        return LocomotionEnv(self.rules, task, render_mode)

    def make_limited_vec(
        self, tasks: Tasks, horizon: int, render_mode: str | None = None, *, num_threads: int = 1
    ) -> LocomotionVectorEnv:
        """As `make_vec`, with another horizon, render mode and number of threads, and autoreset in the same step."""
        return LocomotionVectorEnv(self.rules, tasks, horizon, render_mode=render_mode, num_threads=num_threads)
