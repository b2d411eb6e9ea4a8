"""A user's environments side by side in this process, and what they share with those in workers.

In the shape descriptions, `N` denotes the number of tasks, which is the number of environments.
"""

import functools
from collections.abc import Hashable
from typing import Any

import gymnasium
import jax
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv

from metarl_envs.adapters.task_names import TaskNames
from metarl_envs.adapters.workshop import EnvPool, Workshop
from metarl_envs.arguments import check_action, check_ready, check_seed, split_reset_mask, spread_seed
from metarl_envs.tasks import Task, Tasks, get_task, host_tasks, num_tasks

_NUMERIC = (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)


def list_tasks(tasks: Tasks) -> list[Task]:
    """The tasks one by one; rows of arrays are copies."""
    tasks = host_tasks(tasks)
    if isinstance(tasks, list):
        return list(tasks)
    return [_copy_rows(get_task(tasks, i)) for i in range(num_tasks(tasks))]


def _copy_rows(task: Task) -> Task:
    # [()] makes a scalar of an array without dimensions
    return jax.tree.map(lambda leaf: np.array(leaf)[()], task)


class TaskVectorEnv(VectorEnv[Any, Any, np.ndarray]):
    """What the vector environments of a `GymnasiumFamily` have in common; mixed into those of gymnasium.

    Signals, which are numbers in the infos of the environments, are float64 `[N]`, NaN where one is not reported.
    """

    autoreset_mode: AutoresetMode
    _workshop: Workshop
    _task_names: TaskNames
    _first_seed: int | None
    _ended: np.ndarray
    _begun: bool

    @property
    def tasks(self) -> list[Task]:
        """The tasks being played."""
        return list(self._tasks)

    def _begin_tasks(self, tasks: Tasks) -> list[tuple[Hashable, Task]]:
        """Takes note of the tasks; returns them with the name of each one's environment.

        Raises:
          ValueError: their number is not `N`.
        """
        self._refuse_closed()
        listed = list_tasks(tasks)
        if len(listed) != self.num_envs:
            raise ValueError(f"got {len(listed)} tasks for num_envs={self.num_envs}")
        self._tasks = listed
        self._begun, self._ended = False, np.zeros(self.num_envs, bool)
        # An environment is the task's, or its place's where tasks can be set.
        keys = self._task_names(listed) if self._workshop.set_task is None else range(len(listed))
        return list(zip(keys, listed, strict=True))

    def _refuse_closed(self) -> None:
        if self.closed:
            raise gymnasium.error.ClosedEnvironmentError("the vector environment is closed: make another")

    def _begin_reset(self, seed: Any, options: Any) -> tuple[Any, dict[str, Any] | None]:
        """What gymnasium's own `reset` takes; raises as `reset` does."""
        self._refuse_closed()
        mask, rest = split_reset_mask(options, self.num_envs)
        if mask is not None and not self._begun and not mask.all():
            raise gymnasium.error.ResetNeeded("the first reset must be of all environments, without a reset_mask")
        first_seed, self._first_seed = self._first_seed, None
        seed = first_seed if seed is None else seed
        seeds = None if seed is None else spread_seed(seed, self.num_envs)
        if mask is None:
            return seeds, rest
        return seeds, {**(rest or {}), "reset_mask": mask}

    def _note_reset(self, options: dict[str, Any] | None) -> None:
        mask = None if options is None else options.get("reset_mask")
        self._begun, self._ended = True, np.zeros(self.num_envs, bool) if mask is None else self._ended & ~mask

    def _check_step(self, actions: Any) -> Any:
        self._refuse_closed()
        check_ready(self._begun, self._ended)
        if isinstance(self.action_space, _NUMERIC):
            return check_action(self.action_space, actions, "actions").astype(self.action_space.dtype)
        return actions

    def _note_step(self, terminated: np.ndarray, truncated: np.ndarray) -> None:
        if self.autoreset_mode == AutoresetMode.DISABLED:
            self._ended = terminated | truncated

    def _add_info(self, vector_infos: dict[str, Any], env_info: dict[str, Any], env_num: int) -> dict[str, Any]:
        """Adds the info of one environment, whatever type a value of the same name has in others.

        Numbers are gathered in float64 arrays, arrays of one shape in an array `[N, ...]`, dicts in a dict, and what
        is mixed or anything else in an array of objects. A name that is no string is left out, and so is `_name` where
        there is a `name`, whose mask it would be.
        """
        for name, value in env_info.items():
            if not isinstance(name, str) or (name[:1] == "_" and name[1:] in vector_infos):
                continue
            if value is None and name in vector_infos:
                continue
            if f"__{name}" in vector_infos and name not in vector_infos:
                del vector_infos[f"_{name}"], vector_infos[f"__{name}"]
            found = vector_infos.get(name)
            mask = vector_infos.setdefault(f"_{name}", np.zeros(self.num_envs, bool))
            if name == "final_obs":
                vector_infos[name] = _put(found, mask, value, env_num, as_object=True)
            elif isinstance(value, dict) and (found is None or isinstance(found, dict)):
                vector_infos[name] = self._add_info(found or {}, value, env_num)
            else:
                vector_infos[name] = _put(found, mask, value, env_num)
            mask[env_num] = value is not None or mask[env_num]
        return vector_infos


def _put(found: Any, mask: np.ndarray, value: Any, i: int, *, as_object: bool = False) -> np.ndarray:
    """`found`, the values so far where `mask` says, with the value of environment `i`."""
    num = len(mask)
    is_array = isinstance(value, np.ndarray) and value.dtype.kind in "biuf"
    if not as_object and (isinstance(value, float) or is_array):
        shape, dtype = (num, *np.shape(value)), np.result_type(value)
        if found is None or (not mask.any() and not isinstance(found, dict)):
            found = np.full(shape, np.nan) if isinstance(value, float) else np.zeros(shape, dtype)
        if isinstance(found, np.ndarray) and found.shape == shape and found.dtype != object:
            found = found.astype(np.result_type(found, dtype), copy=False)
            found[i] = value
            return found
    objects = np.full(num, None, object)
    for j in np.flatnonzero(mask).tolist():
        objects[j] = _row(found, j)
    objects[i] = value
    return objects


def _row(found: Any, j: int) -> Any:
    if isinstance(found, dict):
        return {name: _row(values, j) for name, values in found.items() if f"_{name}" in found and found[f"_{name}"][j]}
    return found[j]


class TaskSyncVectorEnv(TaskVectorEnv, SyncVectorEnv[Any, Any]):
    """Plays `N` tasks in this process, environment `i` task `i`; see `from_gymnasium` for how long they live."""

    def __init__(
        self, workshop: Workshop, tasks: Tasks, seed: int | None = None, autoreset_mode: AutoresetMode | None = None
    ) -> None:
        """Makes the environments.

        Args:
          workshop: makes each of them.
          tasks: `N` tasks.
          seed: for the first `reset` if it brings none.
          autoreset_mode: DISABLED, or SAME_STEP.

        Raises:
          ValueError: the tasks, the seed or an environment is not what it should be.
        """
        self._workshop, self._pool, self._task_names = workshop, EnvPool(workshop), TaskNames()
        self._first_seed, self.num_envs = check_seed(seed), num_tasks(tasks)
        try:
            named = self._begin_tasks(tasks)
            makers = [functools.partial(self._pool.get, key, task) for key, task in named]
            super().__init__(makers, autoreset_mode=autoreset_mode or AutoresetMode.DISABLED)
        except BaseException:
            self._pool.close()
            raise

    def set_tasks(self, tasks: Tasks) -> None:
        """Plays other tasks; `reset` of all environments must come before the next step.

        An environment that was made for a task plays it again.

        Raises:
          ValueError: their number is not `num_envs`, or an environment is not what it should be.
        """
        self.envs = [self._pool.get(key, task) for key, task in self._begin_tasks(tasks)]
        self._env_obs = [None] * self.num_envs

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """As gymnasium's; a wrong seed or mask raises ValueError, a mask before anything has begun `ResetNeeded`."""
        seeds, options = self._begin_reset(seed, options)
        note = None if options is None else dict(options)  # gymnasium takes the mask out
        result = super().reset(seed=seeds, options=options)
        self._note_reset(note)
        return result

    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """As gymnasium's; wrong actions raise ValueError, an episode that has ended `ResetNeeded`."""
        result = super().step(self._check_step(actions))
        self._note_step(result[2], result[3])
        return result

    def close_extras(self, **kwargs: Any) -> None:
        """Closes all environments that were ever made."""
        del kwargs
        self._pool.close()
