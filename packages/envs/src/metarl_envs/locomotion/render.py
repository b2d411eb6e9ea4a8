"""Drawing robots with MuJoCo's OpenGL renderer, in a picture or in a window.

In the shape descriptions, `H` and `W` denote the height and the width of a picture.
"""

import ctypes.util
import importlib
import os
import sys
import threading
import time
from collections.abc import Sequence
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
    if chosen in ("egl", "osmesa", "cgl"):
        return chosen
    if chosen:  # MuJoCo takes several words for what it does by default
        return "glfw"
    if sys.platform != "linux" or "DISPLAY" in os.environ:
        return "glfw"
    # Looked for, not tried: once PyOpenGL has chosen its platform, it cannot choose another.
    return "egl" if ctypes.util.find_library("EGL") else "osmesa"


def check_render_mode(render_mode: str | None, allowed: Sequence[str]) -> None:
    """Raises ValueError for a render mode that is not `allowed`."""
    if render_mode is not None and render_mode not in allowed:
        raise ValueError(f"render_mode={render_mode!r} must be None or one of {', '.join(allowed)}")
