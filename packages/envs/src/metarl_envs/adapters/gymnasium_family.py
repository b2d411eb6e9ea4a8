"""Any gymnasium environment as a family of tasks."""

import functools
from collections.abc import Callable
from typing import Any, Literal

import gymnasium
import jax
import numpy as np
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import TimeLimit

from metarl_envs.tasks import Task, TaskFamily, Tasks, get_task, num_tasks, take_tasks

MakeEnv = Callable[[Any], gymnasium.Env[Any, Any]]
"""From a task to an environment that plays it."""

Vectorization = Literal["sync", "async"]


class GymnasiumFamily(TaskFamily):
    """Tasks of environments that gymnasium steps one by one or in processes; made by `from_gymnasium`."""

    def __init__(self, make_env: MakeEnv, tasks: Tasks, horizon: int | None, vectorization: Vectorization) -> None:
        """See `from_gymnasium`."""
        if vectorization not in ("sync", "async"):
            raise ValueError(f"vectorization={vectorization!r} must be 'sync' or 'async'")
        if num_tasks(tasks) == 0:
            raise ValueError("tasks is empty")
        first = make_env(get_task(tasks, 0))
        horizon = _time_limit(first) if horizon is None else horizon
        self.observation_space = first.observation_space
        self.action_space = first.action_space
        first.close()
        if horizon is None:
            raise ValueError("horizon=None, and neither spec nor TimeLimit of the environment says how long it is")
        if horizon < 1:
            raise ValueError(f"horizon={horizon} must be at least 1")
        self.horizon = horizon
        self._make_env = make_env
        self._tasks = tasks
        self._vectorization = vectorization

    def sample_tasks(self, key: jax.Array, n: int) -> Tasks:
        """Draws `n` of the given tasks, uniformly and with replacement; the key is consumed."""
        return take_tasks(self._tasks, np.asarray(jax.random.randint(key, (n,), 0, num_tasks(self._tasks))))

    def make_vec(self, tasks: Tasks, seed: int | None = None) -> SyncVectorEnv | AsyncVectorEnv:
        """See `TaskFamily.make_vec`; with a seed, the environments come reset, environment `i` with `seed + i`."""
        makers = [
            functools.partial(_make_limited, self._make_env, get_task(tasks, i), self.horizon)
            for i in range(num_tasks(tasks))
        ]
        if self._vectorization == "sync":
            env = SyncVectorEnv(makers, autoreset_mode=AutoresetMode.SAME_STEP)
        else:
            # A forked child of a process that runs JAX, which has threads, can hang.
            env = AsyncVectorEnv(makers, autoreset_mode=AutoresetMode.SAME_STEP, context="spawn")
        if seed is not None:
            env.reset(seed=seed)
        return env


def from_gymnasium(
    make_env: MakeEnv, tasks: Tasks, *, horizon: int | None = None, vectorization: Vectorization = "sync"
) -> GymnasiumFamily:
    """Makes a task family of any gymnasium environment.

    Args:
      make_env: takes one task and makes an environment that plays it. Spaces must be the same for all tasks.
      tasks: what `sample_tasks` draws from, uniformly and with replacement: a list of anything, or a pytree of arrays
        `[N, ...]` of which `make_env` is given one row. `make_vec` takes these or any others of the same kind.
      horizon: steps after which an episode is truncated; None takes the time limit of the first task's environment.
      vectorization: "sync" steps the environments in this process, "async" each in its own. These are spawned, so
        the script needs its `if __name__ == "__main__"`.

    Raises:
      ValueError: there are no tasks; the horizon is not positive, or it is None and the environment has no time limit;
        the vectorization is unknown.
    """
    return GymnasiumFamily(make_env, tasks, horizon, vectorization)


def _time_limit(env: gymnasium.Env[Any, Any]) -> int | None:
    limit = env.spec.max_episode_steps if env.spec is not None else None
    if limit is None and env.has_wrapper_attr("_max_episode_steps"):
        # A TimeLimit around an environment without a spec keeps its limit to itself.
        limit = env.get_wrapper_attr("_max_episode_steps")
    return limit if limit is not None and limit > 0 else None


def _make_limited(make_env: MakeEnv, task: Task, horizon: int) -> gymnasium.Env[Any, Any]:
    return TimeLimit(make_env(task), max_episode_steps=horizon)
