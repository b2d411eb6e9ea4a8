"""Locomotion as a `gymnasium.Env`."""

from typing import Any

import gymnasium
import numpy as np

from metarl_envs.locomotion.render import FrameRenderer, Viewer, check_render_mode
from metarl_envs.locomotion.rules import Rules
from metarl_envs.locomotion.simulation import Simulation
from metarl_envs.locomotion.spaces import make_spaces
from metarl_envs.tasks import Task


class LocomotionEnv(gymnasium.Env[np.ndarray, np.ndarray]):
    """Plays one task; never truncates, `gymnasium.make` adds the time limit.

    Observations are float32, actions in [-1, 1] are the range of the actuators.
    """

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
        self.observation_space, self.action_space = make_spaces(rules)
        self.metadata = self.metadata | {"render_fps": round(1 / rules.robot.step_seconds)}
        self._simulation = Simulation(rules, [task])
        self._ready = False
        self._renderer = FrameRenderer(rules.robot)
        self._viewer: Viewer | None = None

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
        self._simulation.reset(np.zeros(1, np.int64), [self.np_random])
        self._ready = True
        self._show()
        return self._simulation.observe(np.zeros(1, np.int64))[0], {}

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
        self._show()
        info = {name: float(value[0]) for name, value in signals.items()}
        return obs[0], float(reward[0]), bool(terminated[0]), False, info

    def render(self) -> np.ndarray | None:
        """The picture, uint8 `[H, W, 3]`; None without a render mode, and where a window shows it."""
        if self.render_mode != "rgb_array":
            return None
        return self._renderer.draw(self._simulation.materialise(0)[1])

    def close(self) -> None:
        """Closes the window, frees what drawing needed."""
        self._renderer.close()
        if self._viewer is not None:
            self._viewer.close()

    def _show(self) -> None:
        if self.render_mode == "human":
            self._viewer = self._viewer or Viewer(self.rules.robot.step_seconds)
            self._viewer.show(*self._simulation.materialise(0))
