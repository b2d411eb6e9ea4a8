"""What a family of tasks offers, and what a benchmark fixes.

In the shape descriptions, `N` denotes the number of tasks.

Tasks travel in one of two forms. JAX families use a pytree of arrays whose leaves are all `[N, ...]`. Families of other
environments may also use a Python list of `N` tasks of any type, or a `range`. `num_tasks`, `get_task` and `take_tasks`
read both.
"""

import abc
import copy
import dataclasses
import functools
from collections.abc import Iterator, Sequence, Set
from typing import Any

import jax
import numpy as np
from gymnasium import Space
from gymnasium.experimental.functional import FuncEnv
from gymnasium.vector import VectorEnv

from metarl_envs.arguments import check_difficulty
from metarl_envs.forks import refuse_after_fork
from metarl_envs.traits import probed_signals, traced_signals

Task = Any
"""One task: a pytree of arrays, or any object in a list of tasks."""

Tasks = Any
"""`N` tasks: a pytree of arrays `[N, ...]`, or a list or `range` of length `N`."""

AnyFuncEnv = FuncEnv[Any, Any, Any, Any, Any, Any, Any]
"""A gymnasium `FuncEnv` of any types."""


class TaskFamily(abc.ABC):
    """A distribution of tasks that share their spaces and their horizon.

    Attributes:
      horizon: steps after which an episode is truncated.
      observation_space: of one environment.
      action_space: of one environment.
      terminates: whether an episode can end before the horizon.
    """

    terminates: bool = True
    horizon: int
    observation_space: Space[Any]
    action_space: Space[Any]

    @property
    def functional(self) -> AnyFuncEnv | None:
        """The pure JAX environment whose `params` is the task, to be mapped over tasks and scanned over time.

        None where a simulator computes the steps.
        """
        return None

    @functools.cached_property
    def signals(self) -> tuple[str, ...]:
        """Sorted names of the numbers that a step reports in its info.

        Found at first use by tracing a pure JAX environment, otherwise by one step in one task; a subclass may state
        them instead.
        """
        refuse_after_fork()
        tasks = self.sample_tasks(jax.random.key(0), 1)
        if self.functional is not None:
            return traced_signals(self.functional, get_task(tasks, 0))
        return probed_signals(self.make_vec(tasks, seed=0))

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

    def check_tasks(self, tasks: Tasks) -> Tasks:
        """The tasks in the form in which they are played, if they are of this family.

        Args:
          tasks: `N` tasks.

        Raises:
          ValueError: they are others.
        """
        return tasks

    def ease(self, tasks: Tasks, difficulty: float | jax.Array) -> Tasks:
        """Makes tasks easier, for a curriculum.

        Args:
          tasks: `N` tasks.
          difficulty: scalar in [0, 1], may be traced: 0 the easiest version of the tasks, 1 the tasks themselves.

        Returns:
          Tasks of the same structure, shapes and dtypes. A family without a curriculum returns `tasks`.

        Raises:
          ValueError: the difficulty is none.
        """
        check_difficulty(difficulty)
        return tasks


def is_family(value: Any) -> bool:
    """Whether a value has what a `TaskFamily` has, and is no class."""
    needed = ("horizon", "observation_space", "action_space", "sample_tasks", "make_vec")
    return not isinstance(value, type) and all(hasattr(value, name) for name in needed)


@dataclasses.dataclass(frozen=True, eq=False)
class Benchmark:
    """A family with fixed tasks to train on and fixed tasks to test on, of which it keeps copies.

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
        """Raises ValueError where the name is no name, the family no family, or a task set is wrong or empty."""
        if not isinstance(self.name, str) or not self.name:
            raise ValueError(f"Benchmark: name={self.name!r} must be a string that is not empty")
        if not is_family(self.family):
            raise ValueError(f"Benchmark {self.name!r}: family must be a TaskFamily, got {self.family!r}")
        for field in ("train_tasks", "test_tasks"):
            tasks = getattr(self, field)
            try:
                count = num_tasks(tasks)
                if count and hasattr(self.family, "check_tasks"):
                    tasks = self.family.check_tasks(tasks)
            except ValueError as error:
                raise ValueError(f"Benchmark {self.name!r}: {field}: {error}") from None
            if count == 0:
                raise ValueError(f"Benchmark {self.name!r}: {field} is empty")
            object.__setattr__(self, field, copy_tasks(tasks))

    @property
    def num_train_tasks(self) -> int:
        """How many tasks there are to train on."""
        return num_tasks(self.train_tasks)

    @property
    def num_test_tasks(self) -> int:
        """How many tasks there are to test on."""
        return num_tasks(self.test_tasks)

    def take_train_tasks(self, ids: np.ndarray) -> Tasks:
        """The train tasks `ids: [M]`."""
        return take_tasks(self.train_tasks, ids)

    def take_test_tasks(self, ids: np.ndarray) -> Tasks:
        """The test tasks `ids: [M]`."""
        return take_tasks(self.test_tasks, ids)

    def identity(self) -> dict[str, str | int]:
        """What tells it from another benchmark of its name.

        `name`; a digest of each task set, `train_tasks` and `test_tasks`; of the family `horizon`, `observation_space`
        and `action_space` in short. What the environments do in a step is not part of it.
        """
        from metarl_envs.fingerprint import describe_space, fingerprint  # which imports this module

        digests = {field: fingerprint(getattr(self, field)) for field in ("train_tasks", "test_tasks")}
        spaces = {field: describe_space(getattr(self.family, field)) for field in ("observation_space", "action_space")}
        return {"name": self.name, **digests, "horizon": self.family.horizon, **spaces}


def num_tasks(tasks: Tasks) -> int:
    """Counts tasks.

    Raises:
      ValueError: they are neither a list nor a pytree of arrays, or the leaves of a pytree disagree about `N`, or one
        has no leading dimension.
    """
    if isinstance(tasks, (list, range)):
        return len(tasks)
    leaves = jax.tree.leaves(tasks, is_leaf=lambda node: isinstance(node, (Iterator, Set, str)))
    shapes = [tuple(leaf.shape) if isinstance(leaf, np.ndarray | jax.Array) else () for leaf in leaves]
    if not shapes or () in shapes or len({shape[0] for shape in shapes}) > 1:
        found = (
            f"a {type(tasks).__name__} of {', '.join(sorted({type(leaf).__name__ for leaf in leaves})) or 'nothing'}"
        )
        raise ValueError(
            "tasks must be a list, or a pytree of arrays with one leading dimension; "
            f"got {type(tasks).__name__ if len(leaves) == 1 and leaves[0] is tasks else found} with shapes {shapes}"
        )
    return shapes[0][0]


def get_task(tasks: Tasks, index: int) -> Task:
    """The task at `index`, without the leading dimension; the index into a pytree of JAX arrays may be traced.

    Raises:
      ValueError: the index is no whole number from 0 to N - 1.
    """
    if not isinstance(index, jax.core.Tracer):
        index = _check_indices("index", [index], num_tasks(tasks))[0].item()
    return tasks[index] if isinstance(tasks, (list, range)) else _rows(tasks, index)


def take_tasks(tasks: Tasks, indices: Sequence[int] | np.ndarray | jax.Array) -> Tasks:
    """The tasks at `indices: [M]`, repeats allowed; indices into a pytree of JAX arrays may be traced.

    Raises:
      ValueError: an index is no whole number from 0 to N - 1.
    """
    if not isinstance(indices, jax.core.Tracer):
        checked = _check_indices("indices", indices, num_tasks(tasks))
        if isinstance(tasks, (list, range)):
            return [tasks[index] for index in checked.tolist()]
        indices = indices if isinstance(indices, jax.Array) else checked
    return _rows(tasks, indices)


def _rows(tasks: Tasks, indices: Any) -> Tasks:
    if any(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(tasks)):
        refuse_after_fork()
    return jax.tree.map(lambda leaf: leaf[indices], tasks)


def host_tasks(tasks: Tasks) -> Tasks:
    """The same tasks without JAX arrays, whose numbers are slow to read one by one; a `range` becomes a list."""
    if isinstance(tasks, range):
        return list(tasks)
    if not any(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(tasks)):
        return tasks
    return jax.tree.map(lambda leaf: np.asarray(leaf)[()] if isinstance(leaf, jax.Array) else leaf, tasks)


def copy_task(task: Task) -> Task:
    """A copy that shares nothing with the task; the task itself where it cannot be copied, or not with all it holds."""
    try:
        copied = copy.deepcopy(task)
    except Exception:
        return task
    # A subclass of an array loses its attributes, and what has a `__reduce__` of its own may lose some.
    return copied if getattr(copied, "__dict__", {}).keys() == getattr(task, "__dict__", {}).keys() else task


def copy_tasks(tasks: Tasks) -> Tasks:
    """Copies that share nothing with the tasks, but for those that cannot be copied; arrays can only be read."""
    if isinstance(tasks, list):
        copies = {id(task): copy_task(task) for task in tasks}  # what stands twice is one task afterwards too
        return [copies[id(task)] for task in tasks]
    return tasks if isinstance(tasks, range) else jax.tree.map(_copy_array, tasks)


def _copy_array(leaf: Any) -> Any:
    if not isinstance(leaf, np.ndarray):
        return leaf  # JAX's cannot be changed
    copied = leaf.copy()
    copied.flags.writeable = False
    return copied


def _check_indices(name: str, indices: Any, count: int) -> np.ndarray:
    try:
        array = np.asarray(indices)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{name}={indices!r} must be whole numbers: {error}") from None
    if array.ndim != 1 or (array.dtype.kind not in "iu" and array.size):
        raise ValueError(f"{name}={indices!r} must be whole numbers, a list or array [M]")
    if array.size and not (array.min() >= 0 and array.max() < count):
        wrong = array[(array < 0) | (array >= count)][0]
        raise ValueError(f"{name} has {wrong}, must be from 0 to {count - 1}: there are {count} tasks")
    return array.astype(np.int32)
