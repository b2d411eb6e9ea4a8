"""Drawing with MuJoCo's OpenGL renderer, off screen.

In the shape descriptions, `N` denotes the pictures, `H` and `W` the height and width of a camera's, `C` the cameras.
"""

import atexit
import importlib
import weakref
from collections.abc import Iterable
from typing import Any

import numpy as np

from metarl_envs.mujoco.rendering.options import RenderOptions

_MAX_GEOMS = 2000

_OPEN: list[tuple[Any, Any]] = []
"""OpenGL contexts, and MuJoCo's of each, that are not freed yet."""

_ABANDONED: list[tuple[Any, Any]] = []
"""Those of them that nobody draws with any more."""


class OpenGLDrawer:
    """Draws one model from some of its cameras."""

    def __init__(self, library: str, model: Any, cameras: tuple[int, ...], options: RenderOptions) -> None:
        """Opens a context; raises whatever goes wrong with it.

        Args:
          library: egl, osmesa, glfw or cgl.
          model: MuJoCo's; not changed.
          cameras: their ids.
          options: what is drawn.
        """
        import mujoco

        self._mujoco, self._model = mujoco, model
        height, width = options.height, options.width * len(cameras)
        self._gl = importlib.import_module(f"mujoco.{library}").GLContext(width, height)
        self._gl.make_current()
        try:
            self._context = _make_context(mujoco, model, height, width, options)
        except Exception:
            self._gl.free()
            raise
        self._abandon = weakref.finalize(self, _abandon, self._gl, self._context)
        _OPEN.append((self._gl, self._context))
        if len(_OPEN) == 1:  # after MuJoCo's own hook, which ends EGL: hooks run last in, first out
            atexit.unregister(_free_all)
            atexit.register(_free_all)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, self._context)
        self._scene = mujoco.MjvScene(model, maxgeom=_MAX_GEOMS)
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = options.shadows
        self._scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = options.reflections
        self._option = mujoco.MjvOption()
        self._option.geomgroup[:] = [group in options.geom_groups for group in range(len(self._option.geomgroup))]
        self._whole = mujoco.MjrRect(0, 0, width, height)
        self._views = []
        for place, camera_id in enumerate(cameras):
            camera = mujoco.MjvCamera()
            camera.type, camera.fixedcamid = mujoco.mjtCamera.mjCAMERA_FIXED, camera_id
            self._views.append((camera, mujoco.MjrRect(place * options.width, 0, options.width, height)))

    def draw(self, states: Iterable[Any], images: np.ndarray) -> None:
        """See `Drawer`: all cameras of a state side by side, then one transfer."""
        mujoco = self._mujoco
        everything = mujoco.mjtCatBit.mjCAT_ALL.value
        _free_abandoned()
        self._gl.make_current()
        upside_down = np.empty(images.shape[1:], np.uint8)
        for image, data in zip(images, states, strict=True):
            for camera, view in self._views:
                mujoco.mjv_updateScene(self._model, data, self._option, None, camera, everything, self._scene)
                mujoco.mjr_render(view, self._scene, self._context)
            mujoco.mjr_readPixels(upside_down, None, self._whole, self._context)
            image[:] = upside_down[::-1]

    def close(self) -> None:
        """Frees the context."""
        self._abandon()
        _free_abandoned()


def _make_context(mujoco: Any, model: Any, height: int, width: int, options: RenderOptions) -> Any:
    """MuJoCo's context, which takes its sizes from the model: they are put back afterwards."""
    quality, view = model.vis.quality, model.vis.global_
    kept = quality.offsamples, quality.shadowsize, view.offheight, view.offwidth
    quality.offsamples = options.multisamples
    quality.shadowsize = kept[1] if options.shadows else 0
    view.offheight, view.offwidth = height, width
    try:
        return mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_50.value)
    finally:
        quality.offsamples, quality.shadowsize, view.offheight, view.offwidth = kept


def _abandon(gl: Any, context: Any) -> None:
    """Frees a context later: a drawer may be collected while another one draws, which needs its own to stay current."""
    _ABANDONED.append((gl, context))


def _free_abandoned() -> None:
    while _ABANDONED:
        opened = _ABANDONED.pop()
        if opened in _OPEN:
            _OPEN.remove(opened)
            gl, context = opened
            gl.make_current()
            context.free()
            gl.free()


def _free_all() -> None:
    """At exit, while PyOpenGL still works."""
    _ABANDONED.extend(_OPEN)
    _free_abandoned()
