"""Tasks seen through cameras as a `gymnasium.vector.VectorEnv`.

In the shape descriptions, `N` denotes the number of tasks, which is the number of environments.
"""

from typing import Any

import numpy as np

from metarl_envs.adapters.simulated_vector import SimulatedVectorEnv
from metarl_envs.mujoco.frames import check_render_mode
from metarl_envs.mujoco.pixels.simulation import PixelSimulation, Scenario, make_spaces
from metarl_envs.tasks import Tasks


class PixelVectorEnv(SimulatedVectorEnv):
    """Plays `N` tasks, environment `i` task `i`, with autoreset in the same step.

    Environment `i` plays exactly what a `PixelEnv` seeded with `seed + i` plays. Pictures are uint8 `[N, S, C S, 3]`.
    """

    def __init__(
        self,
        scenario: Scenario,
        tasks: Tasks,
        horizon: int,
        seed: int | None = None,
        render_mode: str | None = None,
        *,
        side: int = 64,
        num_threads: int = 1,
        backend: str | None = None,
    ) -> None:
        """Makes the environments.

        Args:
          scenario: what is played.
          tasks: `N` tasks.
          horizon: steps after which an episode is truncated.
          seed: for the first `reset` if it brings none; None draws one from the operating system.
          render_mode: None or "rgb_array".
          side: of a camera's picture, px.
          num_threads: that step the simulations; results do not depend on it.
          backend: what draws, as for `metarl_envs.mujoco.rendering.BatchRenderer`.

        Raises:
          ImportError: MuJoCo is not installed.
          ValueError: `horizon` or `num_threads` is below 1.
        """
        self._pixels: PixelSimulation | None = None  # first: gymnasium closes what could not be made, too
        check_render_mode(render_mode, self.metadata["render_modes"])
        self.scenario, self.render_mode = scenario, render_mode
        self._pixels = PixelSimulation(scenario, tasks, side, num_threads, backend)
        super().__init__(self._pixels, make_spaces(scenario, side), horizon, seed)
        self.metadata = self.metadata | {"render_fps": round(1 / scenario.step_seconds)}

    def render(self) -> tuple[np.ndarray, ...] | None:
        """One larger picture per environment, uint8 `[H, W, 3]`; None without a render mode."""
        if self.render_mode is None or self._pixels is None:
            return None
        return tuple(self._pixels.frame(i) for i in range(self.num_envs))

    def close_extras(self, **kwargs: Any) -> None:
        """Frees what drawing needed."""
        del kwargs
        if self._pixels is not None:
            self._pixels.close()
