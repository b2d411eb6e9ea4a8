"""What users hand to environments, made right or refused by name."""

import operator
from typing import Any

import gymnasium
import jax
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode

_NUM_SEEDS = 2**32


def check_count(name: str, value: Any) -> int:
    """The option `name` as an int that is at least 1; raises ValueError otherwise."""
    try:
        if isinstance(value, bool | np.bool_):
            raise TypeError
        count = operator.index(value)
    except TypeError:
        raise ValueError(f"{name}={value!r} must be a whole number, an int") from None
    if count < 1:
        raise ValueError(f"{name}={value!r} must be at least 1")
    return count


def check_difficulty(difficulty: Any) -> Any:
    """A curriculum's difficulty; raises ValueError where it is no number in [0, 1], unless it is traced."""
    if isinstance(difficulty, jax.core.Tracer):
        return difficulty
    array = np.asarray(difficulty)
    if array.shape != () or array.dtype.kind not in "biuf" or not 0 <= array <= 1:
        raise ValueError(f"difficulty={difficulty!r} must be a number from 0 to 1")
    return difficulty


def check_seed(seed: Any) -> int | None:
    """The seed as an int in [0, 2^32), or None; raises ValueError otherwise."""
    if seed is None:
        return None
    try:
        if isinstance(seed, bool | np.bool_):
            raise TypeError
        number = operator.index(seed)
    except TypeError:
        raise ValueError(f"seed={seed!r} must be None or an int") from None
    if not 0 <= number < _NUM_SEEDS:
        raise ValueError(f"seed={seed!r} must be between 0 and 2**32 - 1")
    return number


def spread_seed(seed: Any, num_envs: int) -> list[int]:
    """A seed for each environment: `seed + i`, or the list of seeds that was given.

    Raises:
      ValueError: the seed is neither, or a list of another length.
    """
    if not isinstance(seed, (list, tuple)):
        first = check_seed(seed)
        if first is None:
            raise ValueError("seed=None seeds nothing")
        return [(first + i) % _NUM_SEEDS for i in range(num_envs)]
    if len(seed) != num_envs:
        raise ValueError(f"seed has {len(seed)} numbers for num_envs={num_envs}")
    seeds = [check_seed(one) for one in seed]
    if None in seeds:
        raise ValueError(f"seed={seed!r} must hold ints only")
    return [one for one in seeds if one is not None]


def check_autoreset_mode(mode: Any) -> AutoresetMode:
    """The mode, also by name or value; raises ValueError if it is neither DISABLED nor SAME_STEP."""
    allowed = (AutoresetMode.DISABLED, AutoresetMode.SAME_STEP)
    for one in allowed:
        if mode in (one, one.name, one.value):
            return one
    raise ValueError(f"autoreset_mode={mode!r} must be one of {', '.join(str(one) for one in allowed)}")


def refuse_options(options: Any) -> None:
    """Raises ValueError where options are given to the `reset` of an environment that has none."""
    if options:
        names = ", ".join(repr(name) for name in options)
        hint = "; the task is set by `set_tasks`, or given to `make`" if "task" in options or "tasks" in options else ""
        raise ValueError(f"options={{{names}}} of reset: this environment has none{hint}")


def split_reset_mask(options: Any, num_envs: int) -> tuple[np.ndarray | None, dict[str, Any] | None]:
    """Which environments begin an episode, and the other options; the dictionary given is left as it is.

    Args:
      options: of `reset`; gymnasium's `reset_mask` is `[N]` bool, True at least once.
      num_envs: `N`.

    Returns:
      The mask, or None for all; the options without it.

    Raises:
      ValueError: the mask is another.
    """
    if options is None:
        return None, None
    if not isinstance(options, dict):
        raise ValueError(f"options of reset must be a dict, got {type(options).__name__}")
    rest = {name: value for name, value in options.items() if name != "reset_mask"}
    if "reset_mask" not in options:
        return None, rest
    mask = np.asarray(options["reset_mask"])
    if mask.dtype != np.bool_ or mask.shape != (num_envs,):
        raise ValueError(f"reset_mask must be bool [{num_envs}], got {mask.dtype} {list(mask.shape)}")
    if not mask.any():
        raise ValueError("reset_mask is False everywhere: there is nothing to reset")
    return mask.copy(), rest


def check_ready(has_begun: bool, ended: np.ndarray) -> None:
    """Raises gymnasium's `ResetNeeded` where a step needs a reset before it; `ended`: `[N]` bool, not yet reset."""
    if not has_begun:
        raise gymnasium.error.ResetNeeded("call reset before step")
    if ended.any():
        which = np.flatnonzero(ended).tolist()
        raise gymnasium.error.ResetNeeded(
            f"episodes of the environments {which} have ended: call reset(options={{'reset_mask': ended}}) before step"
        )


def check_action(space: gymnasium.Space[Any], action: Any, name: str = "the action") -> np.ndarray:
    """An action, or actions of many environments, as an array of whatever dtype they have.

    Numbers beyond the bounds of a `Box` are allowed, for environments clip them.

    Raises:
      ValueError: it has another shape, is no number, is NaN, or is none of a discrete space's.
    """
    if isinstance(action, (jax.Array, np.ndarray, np.generic, int, float, bool, list, tuple)):
        try:
            array = np.asarray(action)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{name} must be numbers of shape {space.shape}: {error}") from None
    else:
        raise ValueError(f"{name} must be an array, got {type(action).__name__}")
    if array.shape != space.shape:
        raise ValueError(f"{name} has shape {array.shape}, must be {space.shape}")
    dtype = np.dtype(space.dtype)
    wanted = "biuf" if dtype.kind == "f" else "biu"
    if array.dtype.kind not in wanted:
        raise ValueError(f"{name} has dtype {array.dtype}, must be {dtype}")
    if array.dtype.kind == "f" and np.isnan(array).any():
        where = "" if array.ndim < 2 else f" in environment {int(np.argwhere(np.isnan(array))[0][0])}"
        raise ValueError(f"{name} is nan{where}")
    if dtype.kind != "f":
        _check_discrete(space, array, name)
    return array


def _check_discrete(space: gymnasium.Space[Any], array: np.ndarray, name: str) -> None:
    if isinstance(space, spaces.Discrete):
        low, high = space.start, space.start + space.n - 1
    elif isinstance(space, spaces.MultiDiscrete):
        low, high = space.start, space.start + space.nvec - 1
    else:
        return
    if (array < low).any() or (array > high).any():
        raise ValueError(f"{name} is {array.tolist()}, must be in {space}")
