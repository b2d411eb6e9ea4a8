"""Locomotion as a `gymnasium.vector.VectorEnv`: all robots are stepped by one call into MuJoCo.

In the shape descriptions, `N` denotes the number of tasks, which is the number of environments.
"""

from typing import Any

import numpy as np

from metarl_envs.adapters.simulated_vector import SimulatedVectorEnv
from metarl_envs.locomotion.rules import Rules
from metarl_envs.locomotion.simulation import Simulation
from metarl_envs.locomotion.spaces import make_spaces
from metarl_envs.locomotion.tasks import DynamicsTask
from metarl_envs.mujoco.frames import FrameRenderer, check_render_mode
from metarl_envs.tasks import Tasks


class LocomotionVectorEnv(SimulatedVectorEnv):
    """Plays `N` tasks, environment `i` task `i`, with autoreset in the same step.

    Environment `i` plays exactly what a `LocomotionEnv` seeded with `seed + i` plays, to the bit. Rewards, observations
    and terminations are those of `rules`; infos are laid out as in gymnasium's `SyncVectorEnv`.
    """

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
        check_render_mode(render_mode, self.metadata["render_modes"])
        self.rules, self.render_mode = rules, render_mode
        self._robots = Simulation(rules, tasks, num_threads)
        super().__init__(self._robots, make_spaces(rules), horizon, seed)
        self.metadata = self.metadata | {"render_fps": round(1 / rules.robot.step_seconds)}

    def read_dynamics(self) -> DynamicsTask:
        """The multipliers of masses, inertias, damping and friction that MuJoCo runs with, `[N, ...]`."""
        return self._robots.read_dynamics()

    def render(self) -> tuple[np.ndarray, ...] | None:
        """One image per environment, uint8 `[H, W, 3]`; None without a render mode."""
        if self.render_mode is None:
            return None
        return tuple(self._renderer.draw(self._robots.materialise(i)[1]) for i in range(self.num_envs))

    def close_extras(self, **kwargs: Any) -> None:
        """Frees what drawing needed."""
        del kwargs
        self._renderer.close()
