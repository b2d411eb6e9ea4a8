"""Locomotion as a `gymnasium.vector.VectorEnv`: all robots are stepped by one call into MuJoCo.

In the shape descriptions, `N` denotes the number of tasks, which is the number of environments.
"""

from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from metarl_envs.infos import same_step_infos
from metarl_envs.locomotion.render import FrameRenderer, check_render_mode
from metarl_envs.locomotion.rules import Rules
from metarl_envs.locomotion.simulation import Simulation
from metarl_envs.locomotion.spaces import make_spaces
from metarl_envs.locomotion.tasks import DynamicsTask
from metarl_envs.tasks import Tasks, num_tasks


class LocomotionVectorEnv(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """Plays `N` tasks, environment `i` task `i`, with autoreset in the same step.

    Environment `i` plays exactly what a `LocomotionEnv` seeded with `seed + i` plays, to the bit. Rewards, observations
    and terminations are those of `rules`; infos are laid out as in gymnasium's `SyncVectorEnv`.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 (declared so by gymnasium)
        "autoreset_mode": AutoresetMode.SAME_STEP,
        "render_modes": ["rgb_array"],
    }

    def __init__(
        self,
        rules: Rules,
        tasks: Tasks,
        horizon: int,
        seed: int | None = None,
        render_mode: str | None = None,
        num_threads: int = 1,
    ) -> None:
        """Makes the environments.

        Args:
          rules: what is played.
          tasks: `N` tasks.
          horizon: steps after which an episode is truncated.
          seed: for the first `reset` if it brings none; None draws one from the operating system.
          render_mode: None or "rgb_array".
          num_threads: that step the simulations; results do not depend on it.

        Raises:
          ImportError: MuJoCo is not installed.
          ValueError: `horizon` or `num_threads` is below 1.
        """
        self._renderer = FrameRenderer(rules.robot)  # first: gymnasium closes what could not be made, too
        if horizon < 1:
            raise ValueError(f"horizon={horizon} must be at least 1")
        check_render_mode(render_mode, self.metadata["render_modes"])
        self.rules, self.horizon, self.render_mode = rules, horizon, render_mode
        self.num_envs = num_tasks(tasks)
        self.single_observation_space, self.single_action_space = make_spaces(rules)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._simulation = Simulation(rules, tasks, num_threads)
        self._first_seed = seed
        self._rngs: list[np.random.Generator] = []
        self._steps = np.zeros(self.num_envs, np.int64)
        self.metadata = self.metadata | {"render_fps": round(1 / rules.robot.step_seconds)}

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

    def read_dynamics(self) -> DynamicsTask:
        """The multipliers of masses, inertias, damping and friction that MuJoCo runs with, `[N, ...]`."""
        return self._simulation.read_dynamics()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begins an episode everywhere.

        Args:
          seed: environment `i` is seeded with `seed + i`; None goes on with the generators at hand.
          options: ignored.

        Returns:
          Observations `[N, Do]` and an empty info.
        """
        super().reset(seed=seed, options=options)
        if seed is not None or not self._rngs:
            seed = self._first_seed if seed is None else seed
            seeds = [None if seed is None else seed + i for i in range(self.num_envs)]
            self._rngs = [gymnasium.utils.seeding.np_random(s)[0] for s in seeds]
        self._steps[:] = 0
        self._simulation.reset(np.arange(self.num_envs), self._rngs)
        return self._simulation.observe(), {}

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Plays one step everywhere.

        Args:
          actions: `[N, Da]` in [-1, 1], which is the range of the actuators; clipped.

        Returns:
          Observations `[N, Do]`, of the next episode where one ended; rewards, terminated, truncated `[N]`; infos.

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
            self._simulation.reset(np.flatnonzero(ended), self._rngs)
            self._steps[ended] = 0
            obs = self._simulation.observe()
        return obs, reward, terminated, truncated, infos

    def render(self) -> tuple[np.ndarray, ...] | None:
        """One image per environment, uint8 `[H, W, 3]`; None without a render mode."""
        if self.render_mode is None:
            return None
        return tuple(self._renderer.draw(*self._simulation.materialise(i)) for i in range(self.num_envs))

    def close_extras(self, **kwargs: Any) -> None:
        """Frees what drawing needed."""
        del kwargs
        self._renderer.close()
