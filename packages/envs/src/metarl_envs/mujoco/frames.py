"""Drawing robots, in a picture or in a window.

In the shape descriptions, `H` and `W` denote the height and the width of a picture.
"""

import os
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from metarl_envs.locomotion.robots import Robot
from metarl_envs.mujoco.library import import_mujoco
from metarl_envs.mujoco.rendering import BatchRenderer, RenderOptions

HEIGHT, WIDTH = 240, 320
"""Pixels of a picture."""

_CAMERA = "track"


class FrameRenderer:
    """Draws one robot at a time from the camera that follows it; opens a context when it first draws.

    `metarl_envs.mujoco.rendering` chooses how. Shadows and reflections, which cost most in software, are left out.
    """

    def __init__(self, robot: Robot) -> None:
        """Opens nothing yet."""
        self._robot = robot
        self._renderer: BatchRenderer | None = None

    def draw(self, data: Any) -> np.ndarray:
        """A picture, uint8 `[H, W, 3]`.

        Args:
          data: the state to draw, with positions computed; masses and the like may differ from the robot's.

        Raises:
          RuntimeError: nothing to draw with works.
        """
        if self._renderer is None:
            self._renderer = BatchRenderer(self._robot.model, [_CAMERA], RenderOptions(HEIGHT, WIDTH, multisamples=4))
        return self._renderer.draw([data])[0]

    def close(self) -> None:
        """Frees the context."""
        if self._renderer is not None:
            self._renderer.close()


class Viewer:
    """A window that shows one robot as it moves; needs a display."""

    def __init__(self, step_seconds: float) -> None:
        """Opens the window at the first picture; each picture stays for `step_seconds`."""
        self._step_seconds, self._next_time = step_seconds, 0.0
        self._window: Any = None
        self._data: Any = None
        self._threads: list[threading.Thread] = []

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
            self._window.cam.fixedcamid = model.camera(_CAMERA).id
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
