"""What algorithms ask of a benchmark's spaces, refused by name before anything is computed."""

from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces

from metarl_envs.tasks import Benchmark


class Actions(NamedTuple):
    """Actions that a learner may be asked for.

    size: numbers in an action, or choices of which it is one.
    discrete: whether it is a choice, counted from 0.
    """

    size: int
    discrete: bool


def check_vector_space(benchmark: Benchmark, kind: str, space: spaces.Space[Any]) -> spaces.Box:
    """The space, if it is one of vectors of floats.

    Args:
      benchmark: whose space it is.
      kind: `observation` or `action`, for the message.
      space: to be checked.

    Raises:
      ValueError: it is another; says which wrapper of gymnasium would make it one.
    """
    if not isinstance(space, spaces.Box) or len(space.shape) != 1 or not np.issubdtype(space.dtype, np.floating):
        message = f"benchmark {benchmark.name}: the {kind} space must be a vector of floats, got {space}"
        raise ValueError(message + _hint(kind, space))
    if space.shape == (0,):
        raise ValueError(f"benchmark {benchmark.name}: the {kind} space must hold a number, got {space}")
    return space


def check_actions(benchmark: Benchmark) -> int:
    """The numbers in an action, which is a bounded vector; of a functional family one in [-1, 1].

    Raises:
      ValueError: actions are others.
    """
    space = check_vector_space(benchmark, "action", benchmark.family.action_space)
    problem = bounds_problem(space)
    if problem is not None:
        raise ValueError(f"benchmark {benchmark.name}: the action space {problem}, got {space}")
    if benchmark.family.functional is not None and not ((space.low == -1).all() and (space.high == 1).all()):
        raise ValueError(f"benchmark {benchmark.name}: a functional family's actions must be in [-1, 1], got {space}")
    return space.shape[0]


def read_actions(benchmark: Benchmark) -> Actions:
    """What actions are, for learners that make bounded vectors and choices, `gymnasium.spaces.Discrete`.

    Raises:
      ValueError: they are neither; or a functional family's choices are not counted from 0.
    """
    space = benchmark.family.action_space
    if not isinstance(space, spaces.Discrete):
        return Actions(check_actions(benchmark), discrete=False)
    if benchmark.family.functional is not None and space.start != 0:
        raise ValueError(f"benchmark {benchmark.name}: a functional family's choices must begin with 0, got {space}")
    return Actions(int(space.n), discrete=True)


def is_picture(space: spaces.Space[Any]) -> bool:
    """Whether observations are pictures, `[H, W, C]` uint8."""
    return isinstance(space, spaces.Box) and len(space.shape) == 3 and space.dtype == np.uint8


def bounds_problem(space: spaces.Box) -> str | None:
    """What is wrong with the bounds of an action space that actions are scaled to; None if nothing is."""
    if not space.low.size:
        return "must hold a number"
    if not (np.isfinite(space.low).all() and np.isfinite(space.high).all()):
        return "must be bounded"
    with np.errstate(over="ignore"):
        width = np.float32(space.high) - np.float32(space.low)
    if not np.isfinite(width).all():
        return "must be bounded: from the lowest to the highest action is more than a float32 can hold"
    if not (space.low < space.high).all():
        return "must have lower bounds below the upper ones"
    return None


def _hint(kind: str, space: spaces.Space[Any]) -> str:
    """Which wrapper makes a vector of floats of it, as the end of a sentence."""
    wrappers = "gymnasium.wrappers"
    if kind == "action":
        if isinstance(space, spaces.Discrete):
            return (
                f"; {wrappers}.TransformAction can make a choice of a vector, for example of {space.n} numbers in "
                "[-1, 1] their argmax"
            )
        if isinstance(space, spaces.MultiDiscrete | spaces.MultiBinary):
            return f"; {wrappers}.TransformAction can make choices of a vector"
        if isinstance(space, spaces.Box) and len(space.shape) != 1:
            return f"; {wrappers}.TransformAction with a reshape makes it one"
        return f"; {wrappers}.TransformAction makes it one"
    cast = f"{wrappers}.TransformObservation with `lambda obs: obs.astype(np.float32)`"
    if isinstance(space, (spaces.Dict, spaces.Tuple)):
        return f"; {wrappers}.FlattenObservation makes it one, and {cast} a float one"
    if isinstance(space, spaces.Discrete | spaces.MultiDiscrete):
        return f"; {wrappers}.FlattenObservation makes it one (one-hot), and {cast} a float one"
    if isinstance(space, spaces.Box) and len(space.shape) != 1:
        also = "" if np.issubdtype(space.dtype, np.floating) else f", and {cast} a float one"
        return f"; {wrappers}.FlattenObservation makes it one{also}"
    if isinstance(space, spaces.Box | spaces.MultiBinary):
        return f"; {cast} and a space of that dtype makes it one"
    return f"; {wrappers}.TransformObservation makes it one"
