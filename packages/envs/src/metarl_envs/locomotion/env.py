"""Locomotion as a `gymnasium.Env`."""

from typing import Any

import numpy as np

from metarl_envs.adapters.simulated_env import SimulatedEnv
from metarl_envs.locomotion.rules import Rules
from metarl_envs.locomotion.simulation import Simulation
from metarl_envs.locomotion.spaces import make_spaces
from metarl_envs.mujoco.frames import FrameRenderer, Viewer, check_render_mode
from metarl_envs.tasks import Task


class LocomotionEnv(SimulatedEnv):
    """Plays one task; never truncates, `gymnasium.make` adds the time limit. Observations are float32."""

    metadata: dict[str, Any] = {"render_modes": ["rgb_array", "human"]}  # noqa: RUF012 (gymnasium's type)

    def __init__(self, rules: Rules, task: Task, render_mode: str | None = None) -> None:
        """Makes the environment; nothing is needed for drawing until it is drawn.

        Args:
          rules: what is played.
          task: one task of the kind that the rules want.
          render_mode: None, "rgb_array" or "human".

        Raises:
          ImportError: MuJoCo is not installed.
        """
        check_render_mode(render_mode, self.metadata["render_modes"])
        self.rules, self.render_mode = rules, render_mode
        self.metadata = self.metadata | {"render_fps": round(1 / rules.robot.step_seconds)}
        self._robot = Simulation(rules, [task])
        self._renderer = FrameRenderer(rules.robot)
        self._viewer: Viewer | None = None
        super().__init__(self._robot, make_spaces(rules))

    def render(self) -> np.ndarray | None:
        """The picture, uint8 `[H, W, 3]`; None without a render mode, and where a window shows it."""
        if self.render_mode != "rgb_array":
            return None
        return self._renderer.draw(self._robot.materialise(0)[1])

    def close(self) -> None:
        """Closes the window, frees what drawing needed."""
        self._renderer.close()
        if self._viewer is not None:
            self._viewer.close()

    def _show(self) -> None:
        if self.render_mode == "human":
            self._viewer = self._viewer or Viewer(self.rules.robot.step_seconds)
            self._viewer.show(*self._robot.materialise(0))
