"""Tasks of simulations as arrays.

In the shape descriptions, `N` denotes the number of tasks.
"""

import numpy as np

from metarl_envs.tasks import Tasks


def stack_tasks(tasks: Tasks) -> Tasks:
    """A list of `N` tasks as one task of arrays `[N, ...]`; anything else with its leaves as NumPy arrays."""
    if not isinstance(tasks, list):
        return type(tasks)(*(np.asarray(leaf) for leaf in tasks))
    return type(tasks[0])(*(np.stack(leaves) for leaves in zip(*tasks, strict=True)))
