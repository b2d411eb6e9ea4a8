"""Families of tasks of simulated robots, and the benchmarks made of them.

In the shape descriptions, `N` denotes the number of tasks.
"""

import functools
from typing import Any

import jax
import numpy as np
from gymnasium.vector import AutoresetMode

from metarl_envs.arguments import check_count
from metarl_envs.forks import refuse_after_fork
from metarl_envs.mujoco.env import RobotEnv
from metarl_envs.mujoco.rendering import candidates
from metarl_envs.mujoco.scenario import Scenario, make_spaces
from metarl_envs.mujoco.stacking import stack_tasks
from metarl_envs.mujoco.vector_env import RobotVectorEnv
from metarl_envs.registry import Recipe
from metarl_envs.tasks import Benchmark, Task, TaskFamily, Tasks, take_tasks

SEED = 1337
"""That of the reference codes of PEARL and MELD, whose task sets follow from it."""


class SimulatedFamily(TaskFamily):
    """Tasks of one scenario; needs the extra `mujoco` once an environment is made.

    Attributes:
      scenario: what is played.
      terminates: whether an episode can end before the horizon, but for a simulation that diverges.
    """

    def __init__(
        self,
        scenario: Scenario,
        horizon: int | None = None,
        *,
        num_threads: int = 1,
        side: int = 64,
        backend: str | None = None,
    ) -> None:
        """Makes the family.

        Args:
          scenario: a robot and what it is asked to do.
          horizon: steps of an episode; None takes the scenario's.
          num_threads: that step the environments of `make_vec`.
          side: of a camera's picture, px, where pictures are observed.
          backend: what draws, as for `metarl_envs.mujoco.rendering.BatchRenderer`.

        Raises:
          ValueError: an option is out of range; there is no such backend.
        """
        for name, value in (("horizon", horizon), ("num_threads", num_threads), ("side", side)):
            if value is not None:
                check_count(name, value)
        if backend is not None:
            candidates(backend)
        self.scenario, self.terminates = scenario, scenario.terminates
        self.horizon = scenario.horizon if horizon is None else horizon
        self.observation_space, self.action_space = make_spaces(scenario, side)
        self._drawing: dict[str, Any] = {"side": side, "backend": backend}
        self._num_threads = num_threads

    @functools.cached_property
    def signals(self) -> tuple[str, ...]:
        """Sorted names of what a step reports."""
        return self.scenario.signals

    def sample_tasks(self, key: jax.Array, n: int) -> Tasks:
        """Draws `n` tasks, arrays `[N, ...]`; the key is consumed."""
        refuse_after_fork()
        seed = np.asarray(jax.random.key_data(key), np.uint32).ravel()
        return self.scenario.draw_tasks(np.random.RandomState(seed), check_count("n", n))

    def make_vec(self, tasks: Tasks, seed: int | None = None) -> RobotVectorEnv:
        """See `TaskFamily.make_vec`; the seed is that of the first `reset`. The environments can `render`."""
        options: dict[str, Any] = {"num_threads": self._num_threads, "autoreset_mode": AutoresetMode.DISABLED}
        return self.make_limited_vec(tasks, self.horizon, "rgb_array", seed=seed, **options)

    def check_tasks(self, tasks: Tasks) -> Tasks:
        """The tasks as one named tuple of arrays `[N, ...]`, if they are like those that are drawn.

        Raises:
          ValueError: they are others.
        """
        if isinstance(tasks, range):
            tasks = list(tasks)
        return stack_tasks(tasks, self.scenario.draw_tasks(np.random.RandomState(0), 1))

    def make_env(self, task: Task, render_mode: str | None = None) -> RobotEnv:
        """Plays one task, without a time limit."""
        return RobotEnv(self.scenario, task, render_mode, **self._drawing)

    def make_limited_vec(
        self, tasks: Tasks, horizon: int, render_mode: str | None = None, **options: Any
    ) -> RobotVectorEnv:
        """As `make_vec`, with another horizon, render mode and other options; by default in mode SAME_STEP."""
        return RobotVectorEnv(self.scenario, tasks, horizon, render_mode=render_mode, **self._drawing | options)


def drawn(scenario: Scenario, num_train: int, num_test: int) -> Recipe:
    """A benchmark of tasks drawn by NumPy's `RandomState`, whose stream NumPy has frozen: the same on every machine."""

    def make(name: str) -> Benchmark:
        tasks = scenario.draw_tasks(np.random.RandomState(SEED), num_train + num_test)
        train, test = np.arange(num_train), np.arange(num_train, num_train + num_test)
        return Benchmark(name, SimulatedFamily(scenario), take_tasks(tasks, train), take_tasks(tasks, test))

    return Recipe(make, scenario.horizon)


def fixed(scenario: Scenario, tasks: Tasks) -> Recipe:
    """A benchmark of tasks which are trained on and tested on."""
    return Recipe(lambda name: Benchmark(name, SimulatedFamily(scenario), tasks, tasks), scenario.horizon)
