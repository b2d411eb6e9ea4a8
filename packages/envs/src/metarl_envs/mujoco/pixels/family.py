"""Families of tasks seen through cameras.

In the shape descriptions, `N` denotes the number of tasks.
"""

from typing import Any

import jax
import numpy as np

from metarl_envs.mujoco.pixels.env import PixelEnv
from metarl_envs.mujoco.pixels.simulation import Scenario, make_spaces
from metarl_envs.mujoco.pixels.vector_env import PixelVectorEnv
from metarl_envs.tasks import Benchmark, Task, TaskFamily, Tasks, take_tasks

_SEED = 1337


class PixelFamily(TaskFamily):
    """Tasks of one scenario; needs the extra `mujoco` once an environment is made."""

    def __init__(
        self, scenario: Scenario, horizon: int, *, side: int = 64, num_threads: int = 1, backend: str | None = None
    ) -> None:
        """Makes the family.

        Args:
          scenario: a robot, what it is asked to do, and the cameras.
          horizon: steps of an episode.
          side: of a camera's picture, px.
          num_threads: that step the environments of `make_vec`.
          backend: what draws, as for `metarl_envs.mujoco.rendering.BatchRenderer`.
        """
        self.scenario, self.horizon = scenario, horizon
        self.observation_space, self.action_space = make_spaces(scenario, side)
        self._options: dict[str, Any] = {"side": side, "backend": backend}
        self._num_threads = num_threads

    def sample_tasks(self, key: jax.Array, n: int) -> Tasks:
        """Draws `n` tasks, arrays `[N, ...]`; the key is consumed."""
        seed = np.asarray(jax.random.key_data(key), np.uint32).ravel()
        return self.scenario.draw_tasks(np.random.RandomState(seed), n)

    def make_vec(self, tasks: Tasks, seed: int | None = None) -> PixelVectorEnv:
        """See `TaskFamily.make_vec`; the seed is that of the first `reset`. The environments can `render`."""
        return PixelVectorEnv(
            self.scenario, tasks, self.horizon, seed, "rgb_array", num_threads=self._num_threads, **self._options
        )

    def make_env(self, task: Task, render_mode: str | None = None) -> PixelEnv:
        """Plays one task, without a time limit."""
        return PixelEnv(self.scenario, task, render_mode, **self._options)

    def make_limited_vec(
        self, tasks: Tasks, horizon: int, render_mode: str | None = None, *, num_threads: int = 1
    ) -> PixelVectorEnv:
        """As `make_vec`, with another horizon, render mode and number of threads."""
        return PixelVectorEnv(
            self.scenario, tasks, horizon, render_mode=render_mode, num_threads=num_threads, **self._options
        )


def draw_benchmark(name: str, family: PixelFamily, *, num_train: int, num_test: int) -> Benchmark:
    """Fixed tasks, drawn by NumPy's `RandomState(1337)`, whose stream NumPy has frozen: the same on every machine."""
    tasks = family.scenario.draw_tasks(np.random.RandomState(_SEED), num_train + num_test)
    train, test = np.arange(num_train), np.arange(num_train, num_train + num_test)
    return Benchmark(name, family, take_tasks(tasks, train), take_tasks(tasks, test))
