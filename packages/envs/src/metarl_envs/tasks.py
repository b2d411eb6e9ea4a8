"""What a family of tasks offers, and what a benchmark fixes.

In the shape descriptions, `N` denotes the number of tasks.

Tasks travel in one of two forms. JAX families use a pytree of arrays whose leaves are all `[N, ...]`. Families of other
environments may also use a Python list of `N` tasks of any type. `num_tasks`, `get_task` and `take_tasks` read both.
"""

import abc
import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from gymnasium import Space
from gymnasium.experimental.functional import FuncEnv
from gymnasium.vector import VectorEnv

Task = Any
"""One task: a pytree of arrays, or any object in a list of tasks."""

Tasks = Any
"""`N` tasks: a pytree of arrays `[N, ...]`, or a list of length `N`."""

AnyFuncEnv = FuncEnv[Any, Any, Any, Any, Any, Any, Any]
"""A gymnasium `FuncEnv` of any types."""


class TaskFamily(abc.ABC):
    """A distribution of tasks that share their spaces and their horizon.

    Attributes:
      horizon: steps after which an episode is truncated.
      observation_space: of one environment.
      action_space: of one environment.
    """

    horizon: int
    observation_space: Space[Any]
    action_space: Space[Any]

    @property
    def functional(self) -> AnyFuncEnv | None:
        """The pure JAX environment whose `params` is the task, to be mapped over tasks and scanned over time.

        None where a simulator computes the steps.
        """
        return None

    @abc.abstractmethod
    def sample_tasks(self, key: jax.Array, n: int) -> Tasks:
        """Draws `n` independent tasks; the key is consumed."""

    @abc.abstractmethod
    def make_vec(self, tasks: Tasks, seed: int | None = None) -> VectorEnv[Any, Any, Any]:
        """Makes a vector environment in which environment `i` plays task `i`.

        Its autoreset mode is DISABLED: `step` returns the last observations of episodes that end, and whoever steps
        then calls `reset(options={"reset_mask": ended})`, gymnasium's convention, to begin new ones there. It also has
        `set_tasks(tasks)`, for `N` other tasks; a `reset(seed=...)` of all environments must follow.

        An episode is truncated at the horizon; it terminates only where the task says so. The two are told apart, and
        both are true where they fall on one step.

        Args:
          tasks: `N` tasks.
          seed: fixes everything random that follows the first `reset`; None draws a seed from the operating system.
        """

    def ease(self, tasks: Tasks, difficulty: float | jax.Array) -> Tasks:
        """Makes tasks easier, for a curriculum.

        Args:
          tasks: `N` tasks.
          difficulty: scalar in [0, 1], may be traced: 0 the easiest version of the tasks, 1 the tasks themselves.

        Returns:
          Tasks of the same structure, shapes and dtypes. A family without a curriculum returns `tasks`.
        """
        del difficulty
        return tasks


@dataclasses.dataclass(frozen=True, eq=False)
class Benchmark:
    """A family with fixed tasks to train on and fixed tasks to test on.

    Attributes:
      name: for logs and file names.
      family: what the tasks belong to.
      train_tasks: `num_train_tasks` tasks.
      test_tasks: `num_test_tasks` tasks.
    """

    name: str
    family: TaskFamily
    train_tasks: Tasks
    test_tasks: Tasks

    def __post_init__(self) -> None:
        """Raises ValueError where a task set is empty."""
        for field in ("train_tasks", "test_tasks"):
            if num_tasks(getattr(self, field)) == 0:
                raise ValueError(f"Benchmark {self.name!r}: {field} is empty")

    @property
    def num_train_tasks(self) -> int:
        """How many tasks there are to train on."""
        return num_tasks(self.train_tasks)

    @property
    def num_test_tasks(self) -> int:
        """How many tasks there are to test on."""
        return num_tasks(self.test_tasks)


def num_tasks(tasks: Tasks) -> int:
    """Counts tasks.

    Raises:
      ValueError: the leaves of a pytree disagree about `N`, or one has no leading dimension.
    """
    if isinstance(tasks, list):
        return len(tasks)
    shapes = [np.shape(leaf) for leaf in jax.tree.leaves(tasks)]
    if not shapes or () in shapes or len({shape[0] for shape in shapes}) > 1:
        raise ValueError(f"tasks must be a list, or a pytree of arrays with one leading dimension; got shapes {shapes}")
    return shapes[0][0]


def get_task(tasks: Tasks, index: int) -> Task:
    """The task at `index`, without the leading dimension."""
    return tasks[index] if isinstance(tasks, list) else jax.tree.map(lambda leaf: leaf[index], tasks)


def take_tasks(tasks: Tasks, indices: Sequence[int] | np.ndarray | jax.Array) -> Tasks:
    """The tasks at `indices: [M]`, repeats allowed; indices into a pytree of JAX arrays may be traced."""
    if isinstance(tasks, list):
        return [tasks[int(index)] for index in indices]
    indices = indices if isinstance(indices, jax.Array) else np.asarray(indices, np.int32)
    return jax.tree.map(lambda leaf: leaf[indices], tasks)
