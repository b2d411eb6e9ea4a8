"""Which backend draws: a choice by what is installed, which an argument or an environment variable overrides.

A backend is tried by opening it. EGL is looked at through `ctypes` first, because PyOpenGL, once it has chosen EGL's
functions, cannot choose OSMesa's in the same process.
"""

import ctypes
import ctypes.util
import os
import sys
from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np

from metarl_envs.mujoco.rendering.opengl import OpenGLDrawer
from metarl_envs.mujoco.rendering.options import RenderOptions
from metarl_envs.mujoco.rendering.ray_tracer import RayTracer

BACKENDS = ("egl", "osmesa", "glfw", "cgl", "warp")
"""All backends: four ways to OpenGL, and mujoco-warp's ray tracer on the CPU, which needs none."""

ENVIRONMENT_VARIABLE = "METARL_ENVS_RENDERER"
"""Names the backend where no argument does; goes before MuJoCo's own `MUJOCO_GL`."""

_FIX = "apt install libegl1 libgl1-mesa-dri, or without OpenGL: pip install 'metarl-envs[warp]'"
_OPENED: set[str] = set()
"""Backends that have worked in this process: looking for libraries takes a tenth of a second."""

_MUJOCO_GL_OFF = ("disable", "disabled", "off", "false", "0")


class Drawer(Protocol):
    """What a backend does, for one model and its cameras."""

    def draw(self, states: Iterable[Any], images: np.ndarray) -> None:
        """Draws MuJoCo's data, positions computed, one after another into `images: [N, H, C W, 3]` uint8."""
        ...

    def close(self) -> None:
        """Frees what drawing needed."""
        ...


def candidates(backend: str | None = None) -> tuple[str, ...]:
    """The backends that are tried, in this order.

    Args:
      backend: one of `BACKENDS`, the only one tried; None or "auto" asks METARL_ENVS_RENDERER, then MUJOCO_GL, then
        takes EGL, a display where there is one, OSMesa, and the ray tracer.

    Raises:
      ValueError: there is no such backend.
    """
    source, name = "backend", backend
    if name in (None, "auto"):
        source, name = ENVIRONMENT_VARIABLE, os.environ.get(ENVIRONMENT_VARIABLE, "").lower()
    if name not in ("", "auto"):
        if name not in BACKENDS:
            raise ValueError(f"{source}={name!r} must be auto or one of {', '.join(BACKENDS)}")
        return (name,)
    chosen = os.environ.get("MUJOCO_GL", "").lower()
    if chosen in _MUJOCO_GL_OFF:
        return ("warp",)
    if chosen:  # MuJoCo takes several words for what it does by default, a window's context
        return (chosen if chosen in BACKENDS else "glfw",)
    if sys.platform != "linux":
        return ("glfw", "warp")
    return ("egl", *(("glfw",) if "DISPLAY" in os.environ else ()), "osmesa", "warp")


def open_drawer(
    model: Any, cameras: tuple[int, ...], options: RenderOptions, backend: str | None = None
) -> tuple[str, Drawer]:
    """Opens the first backend that works.

    Args:
      model: MuJoCo's.
      cameras: their ids.
      options: what is drawn.
      backend: as for `candidates`.

    Returns:
      The backend's name, and what draws.

    Raises:
      RuntimeError: none works; says why, and what to install.
      ValueError: there is no such backend.
    """
    problems = []
    for name in candidates(backend):
        if problem := _missing(name):
            problems.append(f"{name}: {problem}")
            continue
        try:
            drawer = _open(name, model, cameras, options)
        except Exception as error:
            problems.append(f"{name}: {str(error).partition(chr(10))[0] or type(error).__name__}")
        else:
            _OPENED.add(name)
            return name, drawer
    raise RuntimeError(f"no OpenGL library to draw with, nor another way ({'; '.join(problems)}); {_FIX}")


def _open(name: str, model: Any, cameras: tuple[int, ...], options: RenderOptions) -> Drawer:
    return RayTracer(model, cameras, options) if name == "warp" else OpenGLDrawer(name, model, cameras, options)


def _missing(name: str) -> str | None:
    """What a backend lacks, found without touching PyOpenGL; None where nothing is known to be missing."""
    if name in _OPENED:
        return None
    if name == "osmesa" and ctypes.util.find_library("OSMesa") is None:
        return "libOSMesa is not installed"
    return _missing_from_egl() if name == "egl" else None


def _missing_from_egl() -> str | None:
    library = ctypes.util.find_library("EGL")
    if library is None:
        return "libEGL is not installed"
    egl = ctypes.CDLL(library)
    egl.eglGetProcAddress.restype = ctypes.c_void_p
    address = egl.eglGetProcAddress(b"eglQueryDevicesEXT")
    if not address:
        return "libEGL cannot list devices"
    count = ctypes.c_int()
    query = ctypes.CFUNCTYPE(ctypes.c_uint, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(address)
    found = query(0, None, ctypes.addressof(count))
    return None if found and count.value else "EGL has no driver"
