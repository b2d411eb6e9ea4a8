"""Simulations that are observed by cameras.

In the shape descriptions, `N` denotes the simulations, `C` the cameras, `S` the side of a camera's picture.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import gymnasium
import numpy as np

from metarl_envs.adapters.simulated import Outcome
from metarl_envs.mujoco.rendering import BatchRenderer, RenderOptions
from metarl_envs.tasks import Task, Tasks

_FRAME_SIDE = 240
_ALL_GROUPS = (0, 1, 2, 3)


class Physics(Protocol):
    """`N` simulations of one MuJoCo model; the observations of their steps are not used."""

    @property
    def batch(self) -> Any:
        """The `mujoco.batch.Batch` that holds the states."""
        ...

    @property
    def tasks(self) -> Tasks:
        """The tasks being played, arrays `[N, ...]`."""
        ...

    def set_tasks(self, tasks: Tasks) -> None:
        """Plays other tasks from now on."""
        ...

    def reset(self, indices: np.ndarray, rngs: Sequence[np.random.Generator]) -> None:
        """Begins an episode in the simulations `indices: [M]`; `rngs` has a generator for each of all `N`."""
        ...

    def step(self, actions: np.ndarray) -> Outcome:
        """Plays one step everywhere."""
        ...


class Scenario(Protocol):
    """A robot, what it is asked to do, and the cameras; known without MuJoCo but for `model` and `make_physics`."""

    @property
    def action_size(self) -> int:
        """Numbers in an action."""
        ...

    @property
    def cameras(self) -> tuple[str, ...]:
        """Whose pictures are observed, from left to right."""
        ...

    @property
    def model(self) -> Any:
        """MuJoCo's, as it is drawn."""
        ...

    @property
    def step_seconds(self) -> float:
        """Duration of a step of the environment, s."""
        ...

    def draw_tasks(self, rng: np.random.RandomState, n: int) -> Tasks:
        """Draws `n` independent tasks."""
        ...

    def make_physics(self, tasks: Tasks, num_threads: int) -> Physics:
        """Makes the simulations, simulation `i` in task `i`."""
        ...


class PixelSimulation:
    """A scenario's simulations, observed as uint8 `[N, S, C S, 3]`: the cameras' pictures side by side."""

    def __init__(
        self, scenario: Scenario, tasks: Tasks | list[Task], side: int, num_threads: int = 1, backend: str | None = None
    ) -> None:
        """Makes the simulations; opens what draws at the first picture.

        Args:
          scenario: what is simulated.
          tasks: `N` tasks.
          side: `S`, px.
          num_threads: that step the simulations.
          backend: what draws, as for `BatchRenderer`.
        """
        self._physics = scenario.make_physics(tasks, num_threads)
        self._eyes = BatchRenderer(scenario.model, scenario.cameras, RenderOptions(side, side), backend)
        frame = RenderOptions(_FRAME_SIDE, _FRAME_SIDE, multisamples=4, geom_groups=_ALL_GROUPS)
        self._film = BatchRenderer(scenario.model, scenario.cameras, frame, backend)

    @property
    def physics(self) -> Any:
        """What is simulated."""
        return self._physics

    @property
    def tasks(self) -> Tasks:
        """The tasks being played, arrays `[N, ...]`."""
        return self._physics.tasks

    def set_tasks(self, tasks: Tasks) -> None:
        """Plays other tasks from now on; the robots stay where they are."""
        self._physics.set_tasks(tasks)

    def reset(self, indices: np.ndarray, rngs: Sequence[np.random.Generator]) -> None:
        """Begins an episode in the simulations `indices: [M]`."""
        self._physics.reset(indices, rngs)

    def observe(self, indices: np.ndarray) -> np.ndarray:
        """The pictures of the simulations `indices: [M]`, uint8 `[M, S, C S, 3]`."""
        return self._eyes.draw_batch(self._physics.batch, indices)

    def step(self, actions: np.ndarray) -> Outcome:
        """Plays one step everywhere."""
        outcome = self._physics.step(actions)
        return outcome._replace(obs=self._eyes.draw_batch(self._physics.batch))

    def frame(self, index: int) -> np.ndarray:
        """A larger picture of one simulation, for people: it shows the goal where observations hide it."""
        return self._film.draw_batch(self._physics.batch, np.array([index]))[0]

    def close(self) -> None:
        """Frees what drawing needed."""
        self._eyes.close()
        self._film.close()


def make_spaces(scenario: Scenario, side: int) -> tuple[gymnasium.spaces.Box, gymnasium.spaces.Box]:
    """Observation and action space of one environment."""
    shape = (side, side * len(scenario.cameras), 3)
    actions = gymnasium.spaces.Box(-1.0, 1.0, (scenario.action_size,), np.float32)
    return gymnasium.spaces.Box(0, 255, shape, np.uint8), actions
