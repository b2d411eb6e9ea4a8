"""Task families over a pure JAX environment."""

import functools
from typing import Any

import jax
import numpy as np
from gymnasium.vector import AutoresetMode

from metarl_envs.adapters.functional_env import FunctionalEnv
from metarl_envs.adapters.functional_vector import FunctionalVectorEnv, stack_tasks
from metarl_envs.arguments import check_count
from metarl_envs.forks import refuse_after_fork
from metarl_envs.tasks import AnyFuncEnv, Task, TaskFamily, Tasks, num_tasks


class FunctionalFamily(TaskFamily):
    """A family whose steps a `FuncEnv` computes; a subclass brings `sample_tasks`."""

    def __init__(self, functional: AnyFuncEnv, horizon: int) -> None:
        """Makes the family.

        Args:
          functional: its `params` is the task; hashable, and equal to another only if it computes the same.
          horizon: steps after which an episode is truncated.
        """
        refuse_after_fork()
        self._functional = functional
        self.horizon = check_count("horizon", horizon)
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
        tasks = self.check_tasks(tasks)
        return FunctionalVectorEnv(self._functional, tasks, self.horizon, seed, "rgb_array", AutoresetMode.DISABLED)

    def make_env(self, task: Task, render_mode: str | None = None) -> FunctionalEnv:
        """Plays one task, without a time limit."""
        self._check_kind(task, 0)
        return FunctionalEnv(self._functional, task, render_mode)

    def make_limited_vec(self, tasks: Tasks, horizon: int, render_mode: str | None = None) -> FunctionalVectorEnv:
        """As `make_vec`, with another horizon and render mode, and with autoreset in the same step."""
        tasks = self.check_tasks(tasks)
        return FunctionalVectorEnv(self._functional, tasks, horizon, render_mode=render_mode)

    def check_tasks(self, tasks: Tasks) -> Tasks:
        """The tasks as a pytree of arrays `[N, ...]`, if they are like those that are sampled, and no number is NaN.

        Raises:
          ValueError: they are others.
        """
        refuse_after_fork()
        num_tasks(tasks)
        self._check_kind(tasks, 1)
        return stack_tasks(tasks)

    def _check_kind(self, tasks: Tasks, num_dims: int) -> None:
        """Refuses a task, or tasks with `num_dims` dimensions before its own, unlike those that are sampled.

        Raises:
          ValueError: they have another structure or other shapes, or their leaves are no numbers.
        """
        if isinstance(tasks, (list, range)) and num_dims:
            for task in tasks:
                self._check_kind(task, 0)
            return
        wanted = self._kind_of_task
        try:
            found = jax.tree.map(lambda leaf: np.shape(leaf)[num_dims:], tasks)
            numbers = all(np.asarray(leaf).dtype.kind in "biuf" for leaf in jax.tree.leaves(tasks))
        except (TypeError, ValueError):
            numbers, found = False, None
        if wanted is not None and (not numbers or found != wanted or type(found) is not type(wanted)):
            what = type(tasks).__name__ if found is None or not numbers else found
            raise ValueError(f"a task must be numbers of the shapes {wanted}, got {what}")
        for path, leaf in jax.tree_util.tree_flatten_with_path(tasks)[0]:
            array = np.asarray(leaf)
            if array.dtype.kind == "f" and np.isnan(array).any():
                raise ValueError(f"a task must be numbers, got nan in {jax.tree_util.keystr(path) or 'it'}")

    @functools.cached_property
    def _kind_of_task(self) -> Any:
        """The shapes in a sampled task; None where sampling cannot be traced."""
        try:
            tasks = jax.eval_shape(lambda key: self.sample_tasks(key, 1), jax.random.key(0))
        except Exception:
            return None
        return jax.tree.map(lambda leaf: leaf.shape[1:], tasks)
