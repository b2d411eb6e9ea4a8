"""What is simulated, asked for and observed: all that sets one family of simulated robots apart from another.

In the shape descriptions, `N` denotes the simulations, `M` those of a reset, `Da` the numbers in an action.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from gymnasium.spaces import Box

from metarl_envs.tasks import Tasks

Fields = dict[str, np.ndarray]
"""MuJoCo's own arrays by name, `[N, ...]` float64: `qpos`, `ctrl`, `mocap_pos`, `site_xpos` and so on."""

DrawTasks = Callable[[np.random.RandomState, int], Tasks]
"""`(random_state, n) -> tasks` with arrays `[n, ...]`."""

OBS_RANGE = 1e6
"""Bound of the space of vectors, which gymnasium wants finite: nothing observed comes near it."""


class Scenario(Protocol):
    """A robot, what stands around it, and what it is asked to do.

    Known without MuJoCo, but for `model`, `step_seconds` and the methods, `draw_tasks` excepted.
    """

    @property
    def horizon(self) -> int:
        """Steps of an episode."""
        ...

    @property
    def action_size(self) -> int:
        """`Da`; actions are in [-1, 1]."""
        ...

    @property
    def pictures(self) -> bool:
        """Whether the pictures of the cameras are observed, and not vectors."""
        ...

    @property
    def obs_size(self) -> int:
        """Numbers in an observation where it is a vector."""
        ...

    @property
    def cameras(self) -> tuple[str, ...]:
        """Whose pictures are observed or filmed, from left to right."""
        ...

    @property
    def signals(self) -> tuple[str, ...]:
        """Sorted names of what a step reports."""
        ...

    @property
    def terminates(self) -> bool:
        """Whether an episode can end before the horizon, but for a simulation that diverges."""
        ...

    @property
    def model(self) -> Any:
        """MuJoCo's; not to be changed."""
        ...

    @property
    def step_seconds(self) -> float:
        """Duration of a step of the environment, s."""
        ...

    @property
    def frame_skip(self) -> int:
        """Simulation steps for each step of the environment."""
        ...

    @property
    def settle_steps(self) -> int:
        """Simulation steps that a reset takes."""
        ...

    @property
    def keyframe(self) -> int:
        """Of the model, where episodes start; -1 for the model's defaults."""
        ...

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the `Fields` that the methods are given."""
        ...

    @property
    def stage(self) -> str:
        """How far MuJoCo computes what follows from the state after a step: "NONE", "POS" or "ACC" (see `mjtStage`)."""
        ...

    @property
    def draw_tasks(self) -> DrawTasks:
        """Draws `n` independent tasks; whatever is played must be like them, named tuples of the same shapes."""
        ...

    def change_model(self, batch: Any, tasks: Any) -> None:
        """Changes what the tasks change in the models of a `mujoco.batch.Batch`."""
        ...

    def arrange(self, fields: Fields, tasks: Any) -> None:
        """Moves what the tasks move, in all simulations."""
        ...

    def start(self, fields: Fields, indices: np.ndarray, rngs: Sequence[np.random.Generator]) -> None:
        """Places the robots `indices: [M]`; `rngs` has a generator for each of all `N`."""
        ...

    def command(self, fields: Fields, action: np.ndarray) -> Any:
        """Writes controls for `action: [N, Da]` in [-1, 1]; returns what `score` must know of the time before."""
        ...

    def score(self, fields: Fields, tasks: Any, before: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """The reward `[N]`, and signals `[N]` by name, of the step just made."""
        ...

    def terminated(self, fields: Fields) -> np.ndarray:
        """Whether an episode is over, `[N]` bool."""
        ...

    def observe(self, fields: Fields) -> np.ndarray:
        """What the agent sees where it is a vector, `[N, obs_size]`."""
        ...


def make_spaces(scenario: Scenario, side: int) -> tuple[Box, Box]:
    """Observation and action space of one environment; `side`, in px, is that of a camera's picture."""
    actions = Box(-1.0, 1.0, (scenario.action_size,), np.float32)
    if scenario.pictures:
        return Box(0, 255, (side, side * len(scenario.cameras), 3), np.uint8), actions
    return Box(-OBS_RANGE, OBS_RANGE, (scenario.obs_size,), np.float32), actions
