"""What `rlcore.meta` is given: refused by name where it is not what it should be, before anything is played."""

from collections.abc import Hashable
from typing import Any

import jax
import numpy as np

_METHODS = ("begin_trial", "begin_episode", "act", "observe")


def check_count(name: str, value: Any) -> int:
    """The value as an int, if it is a whole number of at least 1.

    Raises:
      ValueError: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")
    return int(value)


def check_num_visited(num_tasks: int, benchmark: Any) -> None:
    """Raises ValueError where `num_tasks_per_iteration` is more than a benchmark has to train on."""
    if num_tasks > benchmark.num_train_tasks:
        raise ValueError(
            f"num_tasks_per_iteration must be at most the {benchmark.num_train_tasks} train tasks of {benchmark.name}, "
            f"got {num_tasks}"
        )


def check_play(policy: Any, tasks: Any, key: Any, num_steps: int | None, num_episodes: int | None, horizon: int) -> int:
    """How many steps a trial has; see `TrialPlayer.play` for the arguments.

    Raises:
      ValueError: one of them is not what it should be.
    """
    missing = [name for name in _METHODS if not callable(getattr(policy, name, None))]
    if missing or isinstance(policy, type):
        raise ValueError(f"policy must be a MetaPolicy, got {policy!r}, without {', '.join(missing) or 'an instance'}")
    if not isinstance(policy, Hashable):
        raise ValueError(f"policy must be hashable, as it is compiled once for each policy, got {policy!r}")
    dtype = getattr(key, "dtype", None)
    if dtype is None or not jax.dtypes.issubdtype(dtype, jax.dtypes.prng_key) or key.shape:
        raise ValueError(f"key must be one key made by jax.random.key, got {key!r}")
    if count_tasks(tasks) == 0:
        raise ValueError("tasks must not be empty")
    most = None if num_episodes is None else check_count("num_episodes", num_episodes) * horizon
    if num_steps is not None:
        return check_count("num_steps", num_steps)
    if most is None:
        raise ValueError("num_steps and num_episodes are both None: one of them must be given")
    return most


def count_tasks(tasks: Any) -> int:
    """`N` of a list of tasks, or of a pytree of arrays `[N, ...]`.

    Raises:
      ValueError: it is neither, or its arrays disagree about `N`.
    """
    if isinstance(tasks, (list, range)):
        return len(tasks)
    shapes = {np.shape(leaf)[:1] for leaf in jax.tree.leaves(tasks)}
    if len(shapes) != 1 or () in shapes:
        raise ValueError(f"tasks must be a list, or arrays with one leading dimension, got {tasks!r}")
    return shapes.pop()[0]


def stack_tasks(tasks: Any) -> Any:
    """Tasks as a pytree of arrays `[N, ...]`; a list of tasks is stacked."""
    if not isinstance(tasks, (list, range)):
        return tasks
    return jax.tree.map(lambda *leaves: np.stack(leaves), *tasks)
