"""Drawing simulations: what is observed of them, films and a window for people.

In the shape descriptions, `H` and `W` denote the height and the width of a picture, `C` the cameras.
"""

import os
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from metarl_envs.mujoco.library import import_mujoco
from metarl_envs.mujoco.rendering import BatchRenderer, RenderOptions
from metarl_envs.mujoco.scenario import Scenario
from metarl_envs.mujoco.simulation import Simulation

_HEIGHT = 240
_WIDTH_BESIDE_PICTURES, _WIDTH = 240, 320
"""px of a camera's frame, where observations are square pictures and elsewhere."""

_GROUPS = (0, 1, 2, 3)
"""Of geoms, in frames; observations leave out the last, the marks of goals."""


class Cameras:
    """What draws a scenario: observations, where they are pictures, and frames for people.

    Opens nothing before it draws; `metarl_envs.mujoco.rendering` chooses how. Shadows and reflections, which cost most
    in software, are left out.

    Attributes:
      eyes: what draws the observations, None where they are no pictures.
    """

    def __init__(self, scenario: Scenario, side: int = 64, backend: str | None = None) -> None:
        """Names what is drawn.

        Args:
          scenario: whose cameras they are.
          side: of a camera's picture in an observation, px.
          backend: what draws, as for `BatchRenderer`.

        Raises:
          ImportError: MuJoCo is not installed.
          ValueError: there is no such backend.
        """
        self._scenario, self._backend = scenario, backend
        self.eyes = self._make_renderer(RenderOptions(side, side)) if scenario.pictures else None
        self._film: BatchRenderer | None = None

    def frame(self, simulation: Simulation, index: int) -> np.ndarray:
        """A picture of one simulation for people, uint8 `[H, C W, 3]`: it shows the goal where observations hide it.

        Raises:
          RuntimeError: nothing to draw with works; says what to install.
        """
        if self._film is None:
            width = _WIDTH if self.eyes is None else _WIDTH_BESIDE_PICTURES
            self._film = self._make_renderer(RenderOptions(_HEIGHT, width, multisamples=4, geom_groups=_GROUPS))
        return self._film.draw([simulation.materialise(index)[1]])[0]

    def close(self) -> None:
        """Frees what drawing needed."""
        for renderer in (self.eyes, self._film):
            if renderer is not None:
                renderer.close()

    def _make_renderer(self, options: RenderOptions) -> BatchRenderer:
        return BatchRenderer(self._scenario.model, self._scenario.cameras, options, self._backend)


class Viewer:
    """A window that shows one robot as it moves; needs a display."""

    def __init__(self, camera: str, step_seconds: float) -> None:
        """Opens the window at the first picture, seen by `camera`; each picture stays for `step_seconds`."""
        self._camera, self._step_seconds, self._next_time = camera, step_seconds, 0.0
        self._window: Any = None
        self._data: Any = None
        self._threads: list[threading.Thread] = []

    def __getstate__(self) -> dict[str, Any]:
        """What `copy` and `pickle` take; the copy opens a window of its own."""
        return self.__dict__ | {"_window": None, "_data": None, "_threads": []}

    def show(self, model: Any, data: Any) -> None:
        """Shows the robot as `data` has it.

        Raises:
          RuntimeError: there is no display.
        """
        mujoco = import_mujoco()
        if self._window is None:
            if sys.platform == "linux" and not (os.environ.keys() & {"DISPLAY", "WAYLAND_DISPLAY"}):
                raise RuntimeError("render_mode='human' needs a display; 'rgb_array' does not")
            import mujoco.viewer

            self._threads = threading.enumerate()
            self._data = mujoco.MjData(model)
            self._window = mujoco.viewer.launch_passive(model, self._data, show_left_ui=False, show_right_ui=False)
            self._window.cam.type = mujoco.mjtCamera.mjCAMERA_FIXED
            self._window.cam.fixedcamid = model.camera(self._camera).id
        with self._window.lock():
            mujoco.mj_copyData(self._data, model, data)
        self._window.sync()
        time.sleep(max(0.0, self._next_time - time.monotonic()))
        self._next_time = time.monotonic() + self._step_seconds

    def close(self) -> None:
        """Closes the window."""
        if self._window is not None:
            threads = [thread for thread in threading.enumerate() if thread not in self._threads]
            self._window.close()
            for thread in threads:  # MuJoCo's, which must not outlive the interpreter
                thread.join(timeout=5)
            self._window = None


def check_render_mode(render_mode: str | None, allowed: Sequence[str]) -> None:
    """Raises ValueError for a render mode that is not `allowed`."""
    if render_mode is not None and render_mode not in allowed:
        raise ValueError(f"render_mode={render_mode!r} must be None or one of {', '.join(allowed)}")
