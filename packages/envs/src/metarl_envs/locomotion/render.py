"""Drawing robots with MuJoCo's OpenGL renderer, in a picture or in a window.

In the shape descriptions, `H` and `W` denote the height and the width of a picture.
"""

import ctypes.util
import importlib
import os
import sys
from typing import Any, NamedTuple

import numpy as np

from metarl_envs.locomotion.robots import Robot, import_mujoco

HEIGHT, WIDTH = 240, 320
"""Pixels of a picture."""

_CAMERA = "track"
_NO_OPENGL = (
    "no OpenGL library to draw with; on Debian or Ubuntu: apt install libegl1 libgl1-mesa-dri, or libosmesa6 and "
    "MUJOCO_GL=osmesa"
)


class FrameRenderer:
    """Draws one robot at a time from the camera that follows it; opens a context when it first draws.

    `MUJOCO_GL` chooses the backend: egl, osmesa or glfw. Where it is not set, it is glfw with a display, else EGL or
    OSMesa, whichever is installed. Shadows and reflections, which cost most in software, are left out.
    """

    def __init__(self, robot: Robot) -> None:
        """Opens nothing yet."""
        self._robot = robot
        self._opened: _Opened | None = None

    def draw(self, model: Any, data: Any) -> np.ndarray:
        """A picture, uint8 `[H, W, 3]`.

        Args:
          model: MuJoCo's, of the robot; masses and the like may differ.
          data: the state to draw, with positions computed.

        Raises:
          RuntimeError: no OpenGL library works.
        """
        mujoco = import_mujoco()
        opened = self._opened = self._opened or _open(mujoco, self._robot.model)
        opened.gl.make_current()
        mujoco.mjv_updateScene(
            model, data, opened.option, None, opened.camera, mujoco.mjtCatBit.mjCAT_ALL.value, opened.scene
        )
        viewport, image = mujoco.MjrRect(0, 0, WIDTH, HEIGHT), np.empty((HEIGHT, WIDTH, 3), np.uint8)
        mujoco.mjr_render(viewport, opened.scene, opened.context)
        mujoco.mjr_readPixels(image, None, viewport, opened.context)
        return image[::-1].copy()

    def close(self) -> None:
        """Frees the context."""
        if self._opened is not None:
            self._opened.context.free()
            self._opened.gl.free()
            self._opened = None


class _Opened(NamedTuple):
    """An OpenGL context and MuJoCo's own objects for drawing in it."""

    gl: Any
    context: Any
    scene: Any
    camera: Any
    option: Any


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


def _open(mujoco: Any, model: Any) -> _Opened:
    try:
        gl = importlib.import_module(f"mujoco.{_choose_backend()}").GLContext(WIDTH, HEIGHT)
        gl.make_current()
        context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100.value)
    except Exception as error:
        raise RuntimeError(_NO_OPENGL) from error
    mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, context)
    scene, camera = mujoco.MjvScene(model, maxgeom=1000), mujoco.MjvCamera()
    scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = False
    camera.type, camera.fixedcamid = mujoco.mjtCamera.mjCAMERA_FIXED, model.camera(_CAMERA).id
    return _Opened(gl, context, scene, camera, mujoco.MjvOption())


def _choose_backend() -> str:
    chosen = os.environ.get("MUJOCO_GL", "").lower()
    if chosen:
        return chosen
    if sys.platform != "linux" or "DISPLAY" in os.environ:
        return "glfw"
    # Looked for, not tried: once PyOpenGL has chosen its platform, it cannot choose another.
    return "egl" if ctypes.util.find_library("EGL") else "osmesa"
