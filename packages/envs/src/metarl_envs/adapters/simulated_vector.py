"""Simulations as a `gymnasium.vector.VectorEnv`.

In the shape descriptions, `N` denotes the number of tasks, which is the number of environments.
"""

from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from metarl_envs.adapters.infos import same_step_infos
from metarl_envs.adapters.simulated import Simulated
from metarl_envs.tasks import Tasks, num_tasks


class SimulatedVectorEnv(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """Plays `N` tasks, environment `i` task `i`, with autoreset in the same step.

    A subclass brings the simulations, and may draw. Infos are laid out as in gymnasium's `SyncVectorEnv`.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 (declared so by gymnasium)
        "autoreset_mode": AutoresetMode.SAME_STEP,
        "render_modes": ["rgb_array"],
    }

    def __init__(
        self,
        simulation: Simulated,
        spaces: tuple[gymnasium.Space[Any], gymnasium.Space[Any]],
        horizon: int,
        seed: int | None = None,
    ) -> None:
        """Makes the environments.

        Args:
          simulation: `N` simulations.
          spaces: observation and action space of one environment.
          horizon: steps after which an episode is truncated.
          seed: for the first `reset` if it brings none; None draws one from the operating system.

        Raises:
          ValueError: `horizon` is below 1.
        """
        if horizon < 1:
            raise ValueError(f"horizon={horizon} must be at least 1")
        self.horizon, self.num_envs = horizon, num_tasks(simulation.tasks)
        self.single_observation_space, self.single_action_space = spaces
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._simulation = simulation
        self._first_seed = seed
        self._rngs: list[np.random.Generator] = []
        self._steps = np.zeros(self.num_envs, np.int64)

    @property
    def tasks(self) -> Tasks:
        """The tasks being played, arrays `[N, ...]`."""
        return self._simulation.tasks

    def set_tasks(self, tasks: Tasks) -> None:
        """Plays other tasks from now on; an episode under way goes on where it is, in the new task.

        Raises:
          ValueError: their number is not `num_envs`.
        """
        self._simulation.set_tasks(tasks)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begins an episode everywhere.

        Args:
          seed: environment `i` is seeded with `seed + i`; None goes on with the generators at hand.
          options: ignored.

        Returns:
          Observations `[N, ...]` and an empty info.
        """
        super().reset(seed=seed, options=options)
        if seed is not None or not self._rngs:
            seed = self._first_seed if seed is None else seed
            seeds = [None if seed is None else seed + i for i in range(self.num_envs)]
            self._rngs = [gymnasium.utils.seeding.np_random(s)[0] for s in seeds]
        self._steps[:] = 0
        everywhere = np.arange(self.num_envs)
        self._simulation.reset(everywhere, self._rngs)
        return self._simulation.observe(everywhere), {}

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Plays one step everywhere.

        Args:
          actions: `[N, Da]` in [-1, 1], clipped.

        Returns:
          Observations `[N, ...]`, of the next episode where one ended; rewards, terminated, truncated `[N]`; infos.

        Raises:
          ValueError: the actions have another shape.
          gymnasium.error.ResetNeeded: there was no `reset`.
        """
        if not self._rngs:
            raise gymnasium.error.ResetNeeded("call reset before step")
        if np.shape(actions) != self.action_space.shape:
            raise ValueError(f"actions have shape {np.shape(actions)}, must be {self.action_space.shape}")
        obs, reward, terminated, signals = self._simulation.step(actions)
        self._steps += 1
        truncated = self._steps >= self.horizon
        ended = terminated | truncated
        infos = same_step_infos(signals, obs, ended)
        if ended.any():
            begun = np.flatnonzero(ended)
            self._simulation.reset(begun, self._rngs)
            self._steps[begun] = 0
            obs = obs.copy()  # the last observations are views of the other
            obs[begun] = self._simulation.observe(begun)
        return obs, reward, terminated, truncated, infos
