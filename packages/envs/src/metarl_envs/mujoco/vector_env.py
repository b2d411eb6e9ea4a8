"""Tasks of simulated robots as a `gymnasium.vector.VectorEnv`: all robots are stepped by one call into MuJoCo.

In the shape descriptions, `N` denotes the number of tasks, which is the number of environments, `S` the side of a
camera's picture, `C` the cameras.
"""

from typing import Any

import numpy as np

from metarl_envs.adapters.simulated_vector import SimulatedVectorEnv
from metarl_envs.mujoco.frames import Cameras, check_render_mode
from metarl_envs.mujoco.scenario import Scenario, make_spaces
from metarl_envs.mujoco.simulation import Simulation
from metarl_envs.tasks import Tasks


class RobotVectorEnv(SimulatedVectorEnv):
    """Plays `N` tasks, environment `i` task `i`.

    Environment `i` plays exactly what a `RobotEnv` seeded with `seed + i` plays, to the bit. Pictures are uint8
    `[N, S, C S, 3]`.
    """

    _cameras: Cameras | None = None  # gymnasium closes what could not be made, too

    def __init__(
        self,
        scenario: Scenario,
        tasks: Tasks,
        horizon: int,
        seed: int | None = None,
        render_mode: str | None = None,
        *,
        num_threads: int = 1,
        side: int = 64,
        backend: str | None = None,
        **options: Any,
    ) -> None:
        """Makes the environments.

        Args:
          scenario: what is played.
          tasks: `N` tasks.
          horizon: steps after which an episode is truncated.
          seed: for the first `reset` if it brings none; None draws one from the operating system.
          render_mode: None or "rgb_array".
          num_threads: that step the simulations; results do not depend on it.
          side: of a camera's picture, px.
          backend: what draws, as for `metarl_envs.mujoco.rendering.BatchRenderer`.
          **options: further ones of `SimulatedVectorEnv`.

        Raises:
          ImportError: MuJoCo is not installed.
          ValueError: `horizon` or `num_threads` is below 1; there is no such render mode or backend.
        """
        check_render_mode(render_mode, self.metadata["render_modes"])
        self.scenario, self.render_mode = scenario, render_mode
        cameras = self._cameras = Cameras(scenario, side, backend)
        self._robots = Simulation(scenario, tasks, num_threads, cameras.eyes)
        super().__init__(self._robots, make_spaces(scenario, side), horizon, seed, **options)
        self.metadata = self.metadata | {"render_fps": round(1 / scenario.step_seconds)}

    @property
    def simulation(self) -> Simulation:
        """What is simulated."""
        return self._robots

    def render(self) -> tuple[np.ndarray, ...] | None:
        """One picture for people per environment, uint8 `[H, W, 3]`; None without a render mode."""
        if self.render_mode is None or self._cameras is None:
            return None
        return tuple(self._cameras.frame(self._robots, i) for i in range(self.num_envs))

    def close_extras(self, **kwargs: Any) -> None:
        """Frees what drawing needed."""
        del kwargs
        if self._cameras is not None:
            self._cameras.close()
