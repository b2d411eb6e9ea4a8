"""Drawing with mujoco-warp's ray tracer on the CPU: needs no OpenGL library at all (extra `warp`).

In the shape descriptions, `H` and `W` denote the height and width of a camera's picture, `C` the cameras.

What MuJoCo computes is copied over; mujoco-warp simulates nothing. The first picture of a kind of model compiles a
kernel, which takes some ten seconds and is kept on disk.
"""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from metarl_envs.mujoco.rendering.options import RenderOptions

_COPIED = ("geom_xpos", "geom_xmat", "cam_xpos", "cam_xmat", "light_xpos", "light_xdir")


class RayTracer:
    """Draws one model from some of its cameras; without mirrors."""

    def __init__(self, model: Any, cameras: tuple[int, ...], options: RenderOptions) -> None:
        """Copies the model.

        Args:
          model: MuJoCo's.
          cameras: their ids.
          options: what is drawn.

        Raises:
          ImportError: mujoco-warp is not installed.
        """
        try:
            import mujoco
            import mujoco_warp
            import warp
        except ImportError as error:
            raise ImportError("mujoco-warp is not installed") from error

        warp.config.log_level = max(warp.config.log_level, warp.LOG_WARNING)  # it greets otherwise
        self._warp: Any = warp
        self._mujoco_warp: Any = mujoco_warp
        with warp.ScopedDevice("cpu"):
            self._model = mujoco_warp.put_model(model)
            self._data = mujoco_warp.make_data(model, nworld=1)
            self._context = mujoco_warp.create_render_context(
                model,
                nworld=1,
                cam_res=(options.width, options.height),
                render_rgb=True,
                render_depth=False,
                render_seg=False,
                use_shadows=options.shadows,
                enabled_geom_groups=list(options.geom_groups),
                cam_active=list(cameras),
                render_skybox=bool((model.tex_type == mujoco.mjtTexture.mjTEXTURE_SKYBOX).any()),
                samples_per_pixel=max(1, math.isqrt(options.multisamples)),
            )
            shape = (1, options.height, options.width)
            self._pictures = [warp.zeros(shape, dtype=warp.vec3) for _ in cameras]

    def draw(self, states: Iterable[Any], images: np.ndarray) -> None:
        """See `Drawer`."""
        copied = {name: getattr(self._data, name).numpy() for name in _COPIED}  # views of the same memory
        width = images.shape[2] // len(self._pictures)
        with self._warp.ScopedDevice("cpu"):
            for image, data in zip(images, states, strict=True):
                for name, array in copied.items():
                    array[0] = getattr(data, name).reshape(array.shape[1:])
                self._mujoco_warp.refit_bvh(self._model, self._data, self._context)
                self._mujoco_warp.render(self._model, self._data, self._context)
                for place, picture in enumerate(self._pictures):
                    self._mujoco_warp.get_rgb(self._context, place, picture)
                    image[:, place * width : (place + 1) * width] = np.clip(picture.numpy()[0] * 255 + 0.5, 0, 255)

    def close(self) -> None:
        """There is nothing to close."""
