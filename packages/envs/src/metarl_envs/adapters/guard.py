"""A user's environment, held to what it promises: what it hands out is copied, and its errors name the task.

Nothing an environment returns is shared with it afterwards, so that one which reuses its arrays is no trap.
"""

import copy
import reprlib
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from metarl_envs.tasks import Task
from metarl_envs.traits import OF_GYMNASIUM

_RESERVED = (*OF_GYMNASIUM, *(f"_{name}" for name in OF_GYMNASIUM))


def short(task: Task) -> str:
    """The task in at most about a line, for messages."""
    return reprlib.repr(task)


def as_number(value: Any) -> float | None:
    """The float of a numeric scalar of any type, or of an array of one number; None for anything else."""
    dtype = getattr(value, "dtype", None)
    if isinstance(dtype, np.dtype):  # of NumPy and JAX; bfloat16 is a number of kind V
        if np.prod(np.shape(value)) != 1 or not (dtype.kind in "biuf" or dtype.name.startswith(("bfloat", "float"))):
            return None
        return float(np.asarray(value).reshape(()).astype(np.float64))
    if not hasattr(type(value), "__float__"):
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        return None


def _as_bool(name: str, value: Any) -> bool:
    number = as_number(value)
    if number not in (0.0, 1.0):
        raise ValueError(f"{name} must be True or False, got {value!r}")
    return bool(number)


def copy_info(info: dict[Any, Any]) -> dict[Any, Any]:
    """The info with every number as a float and all else copied; dicts in it are treated alike."""
    copied: dict[Any, Any] = {}
    for name, value in info.items():
        if isinstance(value, dict):
            copied[name] = copy_info(value)
            continue
        number = as_number(value)
        copied[name] = _copy_anything(value) if number is None else number
    return copied


def copy_observation(space: gymnasium.Space[Any], obs: Any) -> Any:
    """The observation, copied.

    Raises:
      ValueError: it has not the structure, the shape or the kind of numbers of the space; bounds are not checked.
    """
    if isinstance(space, spaces.Dict):
        if not hasattr(obs, "keys") or set(obs.keys()) != set(space.spaces):
            found = sorted(map(str, obs.keys())) if hasattr(obs, "keys") else type(obs).__name__
            raise ValueError(f"the observation has the parts {found}, its space {sorted(space.spaces)}")
        return {name: copy_observation(part, obs[name]) for name, part in space.spaces.items()}
    if isinstance(space, spaces.Tuple):
        if not isinstance(obs, (tuple, list)) or len(obs) != len(space.spaces):
            raise ValueError(f"the observation must be a tuple of {len(space.spaces)}, got {obs!r}")
        return tuple(copy_observation(part, one) for part, one in zip(space.spaces, obs, strict=True))
    if not isinstance(space, spaces.Box | spaces.MultiDiscrete | spaces.MultiBinary | spaces.Discrete):
        return _copy_anything(obs)
    array = np.array(obs)
    if array.shape != space.shape:
        raise ValueError(f"the observation has shape {array.shape}, its space {space.shape}")
    if not np.can_cast(array.dtype, space.dtype, "same_kind") and not _same_numbers(array, space.dtype):
        raise ValueError(f"the observation has dtype {array.dtype}, its space {space.dtype}")
    return array


def _same_numbers(array: np.ndarray, dtype: Any) -> bool:
    """Whether whole numbers of another sign or kind fit, such as int64 into uint8."""
    if array.dtype.kind not in "biu" or np.dtype(dtype).kind not in "iu":
        return False
    limits = np.iinfo(dtype)
    return not array.size or (array.min() >= limits.min and array.max() <= limits.max)


def _copy_anything(value: Any) -> Any:
    try:
        return copy.deepcopy(value)
    except Exception:
        return value  # what cannot be copied, such as a simulator, is handed on


class Guard(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Wraps an environment that plays `task`, and truncates its episodes at the horizon."""

    def __init__(self, env: gymnasium.Env[Any, Any], task: Task, horizon: int) -> None:
        """See the class; the task is for messages."""
        super().__init__(env)
        self.played_task = task
        self._horizon, self._num_steps = horizon, 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """As the environment's.

        Raises:
          ValueError: what the environment returned is not what gymnasium asks for.
        """
        try:
            obs, info = self._unpack(self.env.reset(seed=seed, options=options), 2, "(observation, info)")
            self._num_steps = 0
            return copy_observation(self.observation_space, obs), copy_info(self._check_info(info))
        except Exception as error:
            raise self._named(error, "reset") from error.__cause__

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """As the environment's, with the reward as a float.

        Raises:
          ValueError: what the environment returned is not what gymnasium asks for.
        """
        try:
            returned = self.env.step(copy.deepcopy(action))
            what = "(observation, reward, terminated, truncated, info)"
            obs, reward, terminated, truncated, info = self._unpack(returned, 5, what)
            number = as_number(reward)
            if number is None:
                raise ValueError(f"the reward must be a number, got {reward!r}")
            obs = copy_observation(self.observation_space, obs)
            self._num_steps += 1
            ended, cut = _as_bool("terminated", terminated), _as_bool("truncated", truncated)
            return obs, number, ended, cut or self._num_steps >= self._horizon, copy_info(self._check_info(info))
        except Exception as error:
            raise self._named(error, "step") from error.__cause__

    def _named(self, error: Exception, method: str) -> Exception:
        error.add_note(f"raised in `{method}` of the environment of task {short(self.played_task)}")
        return error

    def _unpack(self, returned: Any, length: int, what: str) -> Any:
        if not isinstance(returned, tuple) or len(returned) != length:
            found = f"{len(returned)} values" if isinstance(returned, tuple) else type(returned).__name__
            raise ValueError(f"the environment must return {what}, got {found}")
        return returned

    def _check_info(self, info: Any) -> dict[Any, Any]:
        if not isinstance(info, dict):
            raise ValueError(f"the info must be a dict, got {type(info).__name__}")
        return {name: value for name, value in info.items() if name not in _RESERVED}
