"""What algorithms ask of a benchmark's spaces, refused by name before anything is computed."""

from typing import Any

import numpy as np
from gymnasium import spaces

from metarl_envs.tasks import Benchmark


def check_vector_space(benchmark: Benchmark, kind: str, space: spaces.Space[Any]) -> spaces.Box:
    """The space, if it is one of vectors of floats.

    Args:
      benchmark: whose space it is.
      kind: `observation` or `action`, for the message.
      space: to be checked.

    Raises:
      ValueError: it is another.
    """
    if not isinstance(space, spaces.Box) or len(space.shape) != 1 or not np.issubdtype(space.dtype, np.floating):
        raise ValueError(f"benchmark {benchmark.name}: the {kind} space must be a vector of floats, got {space}")
    return space


def check_actions(benchmark: Benchmark) -> int:
    """The numbers in an action, which is a bounded vector; of a functional family one in [-1, 1].

    Raises:
      ValueError: actions are others.
    """
    space = check_vector_space(benchmark, "action", benchmark.family.action_space)
    if not (np.isfinite(space.low).all() and np.isfinite(space.high).all()):
        raise ValueError(f"benchmark {benchmark.name}: the action space must be bounded, got {space}")
    if benchmark.family.functional is not None and not ((space.low == -1).all() and (space.high == 1).all()):
        raise ValueError(f"benchmark {benchmark.name}: a functional family's actions must be in [-1, 1], got {space}")
    return space.shape[0]
