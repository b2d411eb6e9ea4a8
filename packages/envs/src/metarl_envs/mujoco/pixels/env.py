"""A task seen through cameras as a `gymnasium.Env`.

In the shape descriptions, `C` denotes the cameras, `S` the side of a camera's picture.
"""

from typing import Any

import numpy as np

from metarl_envs.adapters.simulated_env import SimulatedEnv
from metarl_envs.mujoco.frames import check_render_mode
from metarl_envs.mujoco.pixels.simulation import PixelSimulation, Scenario, make_spaces
from metarl_envs.tasks import Task


class PixelEnv(SimulatedEnv):
    """Plays one task; never truncates, `gymnasium.make` adds the time limit. Observations are uint8 `[S, C S, 3]`."""

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"]}  # noqa: RUF012 (gymnasium's type)

    def __init__(
        self,
        scenario: Scenario,
        task: Task,
        render_mode: str | None = None,
        *,
        side: int = 64,
        backend: str | None = None,
    ) -> None:
        """Makes the environment.

        Args:
          scenario: what is played.
          task: one task of the kind that the scenario wants.
          render_mode: None or "rgb_array".
          side: of a camera's picture, px.
          backend: what draws, as for `metarl_envs.mujoco.rendering.BatchRenderer`.

        Raises:
          ImportError: MuJoCo is not installed.
        """
        check_render_mode(render_mode, self.metadata["render_modes"])
        self.scenario, self.render_mode = scenario, render_mode
        self.metadata = self.metadata | {"render_fps": round(1 / scenario.step_seconds)}
        self._pixels = PixelSimulation(scenario, [task], side, backend=backend)
        super().__init__(self._pixels, make_spaces(scenario, side))

    def render(self) -> np.ndarray | None:
        """A larger picture, uint8 `[H, W, 3]`, which shows the goal; None without a render mode."""
        return None if self.render_mode is None else self._pixels.frame(0)

    def close(self) -> None:
        """Frees what drawing needed."""
        self._pixels.close()
