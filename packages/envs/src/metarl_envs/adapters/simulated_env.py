"""A simulation of one task as a `gymnasium.Env`."""

from typing import Any

import gymnasium
import numpy as np

from metarl_envs.adapters.simulated import Simulated
from metarl_envs.arguments import check_action, check_seed, refuse_options
from metarl_envs.tasks import Task

_ONLY = np.zeros(1, np.int64)


class SimulatedEnv(gymnasium.Env[np.ndarray, np.ndarray]):
    """Plays one task; never truncates, `gymnasium.make` adds the time limit.

    A subclass brings the simulation, and may draw. Actions in [-1, 1] are the range of the actuators.
    """

    def __init__(
        self, simulation: Simulated, spaces: tuple[gymnasium.Space[np.ndarray], gymnasium.Space[np.ndarray]]
    ) -> None:
        """Makes the environment.

        Args:
          simulation: of one task.
          spaces: observation and action space.
        """
        self.observation_space, self.action_space = spaces
        self._simulation = simulation
        self._ready = False

    @property
    def task(self) -> Task:
        """The task being played."""
        return type(self._simulation.tasks)(*(leaf[0] for leaf in self._simulation.tasks))

    def set_task(self, task: Task) -> None:
        """Plays another task from now on; an episode under way goes on where it is."""
        self._simulation.set_tasks([task])

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begins an episode; there are no `options`, the info is empty.

        Raises:
          ValueError: the seed is no seed, or an option is given.
        """
        refuse_options(options)
        super().reset(seed=check_seed(seed), options=options)
        self._simulation.reset(_ONLY, [self.np_random])
        self._ready = True
        self._show()
        return self._simulation.observe(_ONLY)[0], {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Plays one step; truncated is always False.

        Args:
          action: `[Da]` in [-1, 1], clipped.

        Raises:
          ValueError: the action has another shape or dtype, or is NaN.
          gymnasium.error.ResetNeeded: there was no `reset`.
        """
        if not self._ready:
            raise gymnasium.error.ResetNeeded("call reset before step")
        action = check_action(self.action_space, action)
        obs, reward, terminated, signals = self._simulation.step(action[None])
        self._show()
        info = {name: value[0].item() for name, value in signals.items()}
        return obs[0], float(reward[0]), bool(terminated[0]), False, info

    def _show(self) -> None:
        """Called when the simulation has moved; for a window."""
