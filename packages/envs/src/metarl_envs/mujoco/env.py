"""A task of a simulated robot as a `gymnasium.Env`.

In the shape descriptions, `S` denotes the side of a camera's picture, `C` the cameras.
"""

from typing import Any

import numpy as np

from metarl_envs.adapters.simulated_env import SimulatedEnv
from metarl_envs.mujoco.frames import Cameras, Viewer, check_render_mode
from metarl_envs.mujoco.scenario import Scenario, make_spaces
from metarl_envs.mujoco.simulation import Simulation
from metarl_envs.tasks import Task


class RobotEnv(SimulatedEnv):
    """Plays one task; never truncates, `gymnasium.make` adds the time limit.

    Observations are float32 vectors, or pictures, uint8 `[S, C S, 3]`. There is a window for those who see vectors.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array", "human"]}  # noqa: RUF012 (gymnasium's type)

    def __init__(
        self,
        scenario: Scenario,
        task: Task,
        render_mode: str | None = None,
        *,
        side: int = 64,
        backend: str | None = None,
    ) -> None:
        """Makes the environment; nothing is needed for drawing until it is drawn.

        Args:
          scenario: what is played.
          task: one task of the kind that the scenario wants.
          render_mode: None, "rgb_array", or "human".
          side: `S`, px.
          backend: what draws, as for `metarl_envs.mujoco.rendering.BatchRenderer`.

        Raises:
          ImportError: MuJoCo is not installed.
          ValueError: there is no such render mode or backend.
        """
        modes = ["rgb_array"] if scenario.pictures else self.metadata["render_modes"]
        check_render_mode(render_mode, modes)
        self.scenario, self.render_mode = scenario, render_mode
        self.metadata = {"render_modes": modes, "render_fps": round(1 / scenario.step_seconds)}
        self._cameras = Cameras(scenario, side, backend)
        self._robot = Simulation(scenario, [task], eyes=self._cameras.eyes)
        self._viewer: Viewer | None = None
        super().__init__(self._robot, make_spaces(scenario, side))

    @property
    def simulation(self) -> Simulation:
        """What is simulated."""
        return self._robot

    def render(self) -> np.ndarray | None:
        """A picture for people, uint8 `[H, W, 3]`; None without a render mode, and where a window shows it."""
        return self._cameras.frame(self._robot, 0) if self.render_mode == "rgb_array" else None

    def close(self) -> None:
        """Closes the window, frees what drawing needed."""
        self._cameras.close()
        if self._viewer is not None:
            self._viewer.close()

    def _show(self) -> None:
        if self.render_mode == "human":
            self._viewer = self._viewer or Viewer(self.scenario.cameras[0], self.scenario.step_seconds)
            self._viewer.show(*self._robot.materialise(0))
