"""Task families over a pure JAX environment, and their registration with gymnasium."""

import gymnasium
import numpy as np

from metarl_envs.functional_env import FunctionalEnv
from metarl_envs.functional_vector import FunctionalVectorEnv
from metarl_envs.registry import benchmark
from metarl_envs.tasks import AnyFuncEnv, Benchmark, Task, TaskFamily, Tasks, get_task, take_tasks


class FunctionalFamily(TaskFamily):
    """A family whose steps a `FuncEnv` computes; a subclass brings `sample_tasks`."""

    def __init__(self, functional: AnyFuncEnv, horizon: int) -> None:
        """Makes the family.

        Args:
          functional: its `params` is the task; hashable, and equal to another only if it computes the same.
          horizon: steps after which an episode is truncated.
        """
        self._functional = functional
        self.horizon = horizon
        self.observation_space = functional.observation_space
        self.action_space = functional.action_space

    @property
    def functional(self) -> AnyFuncEnv:
        """The pure JAX environment whose `params` is the task."""
        return self._functional

    def make_vec(self, tasks: Tasks, seed: int | None = None) -> FunctionalVectorEnv:
        """See `TaskFamily.make_vec`; the seed is that of the first `reset`.

        The environments can `render`, which costs nothing until it is called.
        """
        return FunctionalVectorEnv(self._functional, tasks, self.horizon, seed, render_mode="rgb_array")


def register_with_gymnasium(env_id: str, benchmark_name: str, horizon: int) -> None:
    """Registers the environment of a functional benchmark for `gymnasium.make` and `gymnasium.make_vec`.

    `make(env_id, task=...)` plays one task, by default the first to train on. `make_vec(env_id, num_envs=N, tasks=...)`
    plays `N`, by default the first `N` to train on, from the start again where there are fewer.

    Args:
      env_id: `<namespace>/<Name>-v<version>`.
      benchmark_name: a benchmark with a `FunctionalFamily`; made when it is first needed.
      horizon: that of the family.
    """
    gymnasium.register(
        env_id,
        entry_point="metarl_envs.functional_family:make_env",
        vector_entry_point="metarl_envs.functional_family:make_vector_env",
        max_episode_steps=horizon,
        kwargs={"benchmark_name": benchmark_name},
    )


def make_env(benchmark_name: str, task: Task | None = None, render_mode: str | None = None) -> FunctionalEnv:
    """Plays one task of a functional benchmark; the entry point of `gymnasium.make`."""
    bench = benchmark(benchmark_name)
    task = get_task(bench.train_tasks, 0) if task is None else task
    return FunctionalEnv(_functional(bench), task, render_mode)


def make_vector_env(
    benchmark_name: str,
    num_envs: int,
    max_episode_steps: int,
    tasks: Tasks | None = None,
    render_mode: str | None = None,
) -> FunctionalVectorEnv:
    """Plays tasks of a functional benchmark side by side; the entry point of `gymnasium.make_vec`.

    Raises:
      ValueError: the number of `tasks` is not `num_envs`.
    """
    bench = benchmark(benchmark_name)
    if tasks is None:
        tasks = take_tasks(bench.train_tasks, np.arange(num_envs) % bench.num_train_tasks)
    env = FunctionalVectorEnv(_functional(bench), tasks, max_episode_steps, render_mode=render_mode)
    if env.num_envs != num_envs:
        raise ValueError(f"got {env.num_envs} tasks for num_envs={num_envs}")
    return env


def _functional(bench: Benchmark) -> AnyFuncEnv:
    if bench.family.functional is None:
        raise ValueError(f"benchmark {bench.name!r} has no functional environment")
    return bench.family.functional
