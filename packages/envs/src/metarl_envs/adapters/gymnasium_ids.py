"""Benchmarks' environments under names that `gymnasium.make` and `gymnasium.make_vec` know."""

from typing import Any, Protocol, cast

import gymnasium
import numpy as np
from gymnasium.vector import VectorEnv

from metarl_envs.registry import benchmark
from metarl_envs.tasks import Benchmark, Task, Tasks, get_task, host_tasks, take_tasks


class RegisteredFamily(Protocol):
    """What a family brings so that its benchmarks can be registered; further keyword options are its own."""

    def make_env(self, task: Task, render_mode: str | None = None) -> gymnasium.Env[Any, Any]:
        """Plays one task, without a time limit."""
        ...

    def make_limited_vec(
        self, tasks: Tasks, horizon: int, render_mode: str | None = None, **options: Any
    ) -> VectorEnv[Any, Any, Any]:
        """As `TaskFamily.make_vec`, with another horizon and render mode, in autoreset mode SAME_STEP."""
        ...


def register_with_gymnasium(env_id: str, benchmark_name: str, horizon: int) -> None:
    """Registers the environment of a benchmark whose family is a `RegisteredFamily`.

    `make(env_id, task=...)` plays one task, by default the first to train on. `make_vec(env_id, num_envs=N, tasks=...)`
    plays `N`, by default the first `N` to train on, from the start again where there are fewer.

    Args:
      env_id: `<namespace>/<Name>-v<version>`.
      benchmark_name: made when it is first needed.
      horizon: that of the family.
    """
    gymnasium.register(
        env_id,
        entry_point="metarl_envs.adapters.gymnasium_ids:make_env",
        vector_entry_point="metarl_envs.adapters.gymnasium_ids:make_vector_env",
        max_episode_steps=horizon,
        kwargs={"benchmark_name": benchmark_name},
    )


def make_env(benchmark_name: str, task: Task | None = None, render_mode: str | None = None) -> gymnasium.Env[Any, Any]:
    """Plays one task of a benchmark; the entry point of `gymnasium.make`."""
    bench = benchmark(benchmark_name)
    if task is None:  # from NumPy: computing a row by JAX would hang in a forked process
        task = get_task(host_tasks(bench.train_tasks), 0)
    return _registered_family(bench).make_env(task, render_mode)


def make_vector_env(
    benchmark_name: str,
    num_envs: int,
    max_episode_steps: int,
    tasks: Tasks | None = None,
    render_mode: str | None = None,
    **options: Any,
) -> VectorEnv[Any, Any, Any]:
    """Plays tasks of a benchmark side by side; the entry point of `gymnasium.make_vec`.

    Raises:
      ValueError: the number of `tasks` is not `num_envs`.
    """
    bench = benchmark(benchmark_name)
    if tasks is None:
        tasks = take_tasks(bench.train_tasks, np.arange(num_envs) % bench.num_train_tasks)
    env = _registered_family(bench).make_limited_vec(tasks, max_episode_steps, render_mode, **options)
    if env.num_envs != num_envs:
        raise ValueError(f"got {env.num_envs} tasks for num_envs={num_envs}")
    return env


def _registered_family(bench: Benchmark) -> RegisteredFamily:
    if not (hasattr(bench.family, "make_env") and hasattr(bench.family, "make_limited_vec")):
        raise ValueError(f"the family of benchmark {bench.name!r} makes no environments for gymnasium")
    return cast(RegisteredFamily, bench.family)
