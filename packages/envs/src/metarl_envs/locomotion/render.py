"""Drawing robots with MuJoCo's OpenGL renderer, in a picture or in a window.

In the shape descriptions, `H` and `W` denote the height and the width of a picture.
"""

import os
import sys
from typing import Any

import numpy as np

from metarl_envs.locomotion.robots import Robot, import_mujoco

HEIGHT, WIDTH = 240, 320
"""Pixels of a picture."""

_CAMERA = "track"
_NO_OPENGL = (
    "no OpenGL library to draw with; on Debian or Ubuntu: apt install libosmesa6, then MUJOCO_GL=osmesa; "
    "with a GPU's driver installed: MUJOCO_GL=egl"
)


class FrameRenderer:
    """Draws one robot at a time from the camera that follows it; opens a context when it first draws.

    `MUJOCO_GL` chooses the backend: egl, osmesa or glfw. Where it is not set and there is no display, EGL is tried and
    then OSMesa. Shadows and reflections, which cost most in software, are left out.
    """

    def __init__(self, robot: Robot) -> None:
        """Opens nothing yet."""
        self._robot = robot
        self._renderer: Any = None

    def draw(self, model: Any, data: Any) -> np.ndarray:
        """A picture, uint8 `[H, W, 3]`.

        Raises:
          RuntimeError: no OpenGL library works.
        """
        mujoco = import_mujoco()
        if self._renderer is None:
            self._renderer = _open_renderer(mujoco, self._robot.model)
        self._renderer.update_scene(data, camera=_CAMERA)
        for flag in (mujoco.mjtRndFlag.mjRND_SHADOW, mujoco.mjtRndFlag.mjRND_REFLECTION):
            self._renderer.scene.flags[flag] = False
        return self._renderer.render()

    def close(self) -> None:
        """Frees the context."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None


class Viewer:
    """A window that shows one robot as it moves; needs a display."""

    def __init__(self) -> None:
        """Opens the window at the first picture."""
        self._viewer: Any = None

    def show(self, model: Any, data: Any) -> None:
        """Shows the robot as `data` has it."""
        mujoco = import_mujoco()
        if self._viewer is None:
            from gymnasium.envs.mujoco.mujoco_rendering import WindowViewer

            self._model, self._data = model, mujoco.MjData(model)
            self._viewer = WindowViewer(self._model, self._data)
            self._viewer.cam.fixedcamid = self._model.camera(_CAMERA).id
            self._viewer.cam.type = mujoco.mjtCamera.mjCAMERA_FIXED
        self._data.qpos[:], self._data.qvel[:] = data.qpos, data.qvel
        mujoco.mj_forward(self._model, self._data)
        self._viewer.render()

    def close(self) -> None:
        """Closes the window."""
        if self._viewer is not None:
            self._viewer.close()
            self._viewer = None


def _open_renderer(mujoco: Any, model: Any) -> Any:
    """A renderer on the first backend that works."""
    chosen = os.environ.get("MUJOCO_GL")
    has_display = sys.platform != "linux" or "DISPLAY" in os.environ
    for backend in [chosen] if chosen or has_display else ["egl", "osmesa"]:
        if backend:
            os.environ["MUJOCO_GL"] = backend
        try:
            return mujoco.Renderer(model, HEIGHT, WIDTH)
        except Exception as error:  # noqa: BLE001 (every backend has its own)
            failure = error
    if not chosen:
        os.environ.pop("MUJOCO_GL", None)
    raise RuntimeError(_NO_OPENGL) from failure
