"""Tasks of simulations as arrays.

In the shape descriptions, `N` denotes the number of tasks.
"""

import numpy as np

from metarl_envs.tasks import Tasks, num_tasks


def stack_tasks(tasks: Tasks, example: Tasks) -> Tasks:
    """Tasks as one named tuple of arrays `[N, ...]`, which are copies.

    Args:
      tasks: a list of `N` named tuples, or one of arrays `[N, ...]`.
      example: a named tuple of arrays `[1, ...]`.

    Raises:
      ValueError: the tasks are other named tuples than the example, of other shapes, or no finite numbers.
    """
    if not isinstance(tasks, list):
        _check(tasks, example, "the tasks", (num_tasks(tasks),))
        return type(example)(*(np.array(leaf) for leaf in tasks))
    for task in tasks:
        _check(task, example, "a task", ())
    return type(example)(*(np.array(leaves) for leaves in zip(*tasks, strict=True)))


def _check(found: Tasks, example: Tasks, name: str, leading: tuple[int, ...]) -> None:
    if not isinstance(found, type(example)):
        raise ValueError(f"tasks must be of {type(example).__name__}, got {type(found).__name__}")
    for part, leaf, like in zip(example._fields, found, example, strict=True):
        shape = leading + np.shape(like)[1:]
        if np.shape(leaf) != shape:
            raise ValueError(f"the {part} of {name} has shape {np.shape(leaf)}, must be {shape}")
        array = np.asarray(leaf)
        if array.dtype.kind not in "biuf":
            raise ValueError(f"the {part} of {name} has dtype {array.dtype}, must be numbers")
        if not np.isfinite(array).all():
            raise ValueError(f"the {part} of {name} is {array[~np.isfinite(array)].flat[0]}, must be finite")
