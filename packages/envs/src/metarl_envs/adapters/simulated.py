"""What a step of a simulator gave, and what a simulator must do to be a vector environment.

In the shape descriptions, `N` denotes the simulations, which is the number of tasks.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from metarl_envs.tasks import Tasks


class StepResult(NamedTuple):
    """What a step gave, before any reset.

    obs: `[N, ...]`. reward: `[N]` float64. terminated: `[N]` bool. signals: `[N]` by name.
    """

    obs: np.ndarray
    reward: np.ndarray
    terminated: np.ndarray
    signals: dict[str, np.ndarray]


class Simulated(Protocol):
    """`N` simulations side by side, simulation `i` in task `i`."""

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

    def observe(self, indices: np.ndarray) -> np.ndarray:
        """Observations `[M, ...]` of the simulations `indices: [M]`."""
        ...

    def step(self, actions: np.ndarray) -> StepResult:
        """Plays one step everywhere."""
        ...
