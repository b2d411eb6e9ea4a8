"""Pictures of many simulations of one model.

In the shape descriptions, `N` denotes the simulations, `H` and `W` the height and width of a camera's picture, `C` the
cameras.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from metarl_envs.forks import note_use, refuse_after_fork
from metarl_envs.mujoco.rendering.backends import Drawer, candidates, open_drawer
from metarl_envs.mujoco.rendering.options import RenderOptions


class BatchRenderer:
    """Draws simulations from one camera or several, side by side in one picture.

    Opens its backend at the first picture. Not for several threads at once.
    """

    def __init__(
        self, model: Any, cameras: Sequence[str], options: RenderOptions | None = None, backend: str | None = None
    ) -> None:
        """Names what is drawn.

        Args:
          model: MuJoCo's, which all simulations share but for what does not show.
          cameras: names of the model's cameras, from left to right.
          options: sizes and quality; by default 64 x 64 without shadows, reflections and multisampling.
          backend: one of `BACKENDS`; None chooses by what is installed, see `candidates`.

        Raises:
          ValueError: no such camera or backend.
        """
        if not cameras:
            raise ValueError("cameras must name at least one")
        known = [model.camera(i).name for i in range(model.ncam)]
        for name in cameras:
            if name not in known:
                raise ValueError(f"no camera {name!r}; the model has {', '.join(known) or 'none'}")
        candidates(backend)
        self._model, self._backend = model, backend
        self._options = RenderOptions() if options is None else options
        self._cameras = tuple(known.index(name) for name in cameras)
        self._opened: tuple[str, Drawer] | None = None
        self._data: Any = None

    def __getstate__(self) -> dict[str, Any]:
        """What `copy` and `pickle` take; the copy opens a backend of its own."""
        return self.__dict__ | {"_opened": None, "_data": None}

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of one picture: `(H, C W, 3)`."""
        return self._options.height, self._options.width * len(self._cameras), 3

    @property
    def backend(self) -> str:
        """The name of the backend, opened if it was not; raises as `draw` does."""
        return self._open()[0]

    def draw(self, states: Sequence[Any]) -> np.ndarray:
        """Draws states.

        Args:
          states: `N` times MuJoCo's data, positions computed.

        Returns:
          uint8 `[N, H, C W, 3]`.

        Raises:
          RuntimeError: nothing to draw with works; says what to install.
        """
        images = np.empty((len(states), *self.shape), np.uint8)
        self._open()[1].draw(states, images)
        return images

    def draw_batch(self, batch: Any, indices: np.ndarray | None = None) -> np.ndarray:
        """Draws simulations of a `mujoco.batch.Batch`, whose model must look like this renderer's.

        Args:
          batch: whose states are drawn; not changed.
          indices: `[N]`, of the simulations; None for all.

        Returns:
          uint8 `[N, H, C W, 3]`.

        Raises:
          RuntimeError: nothing to draw with works; says what to install.
        """
        indices = np.arange(batch.nsim) if indices is None else indices
        images = np.empty((len(indices), *self.shape), np.uint8)
        self._open()[1].draw(self._states(batch, indices), images)
        return images

    def close(self) -> None:
        """Frees what drawing needed; drawing again opens it anew."""
        if self._opened is not None:
            self._opened[1].close()
            self._opened = None

    def _open(self) -> tuple[str, Drawer]:
        refuse_after_fork("drawing")
        note_use("drawing")
        if self._opened is None:
            self._opened = open_drawer(self._model, self._cameras, self._options, self._backend)
        return self._opened

    def _states(self, batch: Any, indices: np.ndarray) -> Iterator[Any]:
        """Each simulation's state in turn, in one and the same data: only what is drawn is computed."""
        import mujoco

        data = self._data = mujoco.MjData(self._model) if self._data is None else self._data
        for i in indices.tolist():
            batch.get_data(i, data)
            for compute in (mujoco.mj_kinematics, mujoco.mj_comPos, mujoco.mj_camlight, mujoco.mj_tendon):
                compute(self._model, data)
            yield data
