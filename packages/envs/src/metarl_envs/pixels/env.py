"""A task seen through cameras as a `gymnasium.Env`.

In the shape descriptions, `C` denotes the cameras, `S` the side of a camera's picture.
"""

from typing import Any

import gymnasium
import numpy as np

from metarl_envs.locomotion.render import check_render_mode
from metarl_envs.pixels.simulation import PixelSimulation, Scenario, make_spaces
from metarl_envs.tasks import Task

_ONLY = np.zeros(1, np.int64)


class PixelEnv(gymnasium.Env[np.ndarray, np.ndarray]):
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
          backend: what draws, as for `metarl_envs.rendering.BatchRenderer`.

        Raises:
          ImportError: MuJoCo is not installed.
        """
        check_render_mode(render_mode, self.metadata["render_modes"])
        self.scenario, self.render_mode = scenario, render_mode
        self.observation_space, self.action_space = make_spaces(scenario, side)
        self.metadata = self.metadata | {"render_fps": round(1 / scenario.step_seconds)}
        self._simulation = PixelSimulation(scenario, [task], side, backend=backend)
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
        """Begins an episode; `options` are ignored, the info is empty."""
        super().reset(seed=seed, options=options)
        self._simulation.reset(_ONLY, [self.np_random])
        self._ready = True
        return self._simulation.observe(_ONLY)[0], {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Plays one step; truncated is always False.

        Args:
          action: `[Da]` in [-1, 1], clipped.

        Raises:
          ValueError: the action has another shape.
          gymnasium.error.ResetNeeded: there was no `reset`.
        """
        if not self._ready:
            raise gymnasium.error.ResetNeeded("call reset before step")
        if np.shape(action) != self.action_space.shape:
            raise ValueError(f"the action has shape {np.shape(action)}, must be {self.action_space.shape}")
        obs, reward, terminated, signals = self._simulation.step(np.asarray(action)[None])
        info = {name: value[0].item() for name, value in signals.items()}
        return obs[0], float(reward[0]), bool(terminated[0]), False, info

    def render(self) -> np.ndarray | None:
        """A larger picture, uint8 `[H, W, 3]`, which shows the goal; None without a render mode."""
        return None if self.render_mode is None else self._simulation.frame(0)

    def close(self) -> None:
        """Frees what drawing needed."""
        self._simulation.close()
