"""What a policy that plays trials and a family of tasks must offer; adapting is inferring, so policies remember.

In the shape descriptions `N` denotes the tasks side by side.
"""

from collections.abc import Mapping
from typing import Any, Protocol

import chex
import numpy as np

from rlcore.types import FuncEnv, Params, Transition, VectorEnv


class MetaPolicy(Protocol):
    """A policy that adapts by what it remembers. All methods are pure and can be traced; keys are consumed."""

    def begin_trial(self, params: Params, key: chex.PRNGKey, num_tasks: int) -> Any:
        """The memory of `N` tasks of which nothing is known."""
        ...

    def begin_episode(self, params: Params, memory: Any, key: chex.PRNGKey) -> Any:
        """Before each episode: PEARL draws its task variable here.

        Tasks side by side may begin episodes at different steps. It is called for all of them, and what it returns is
        taken where an episode begins; so leaves of the memory are `[N, ...]`, and a task's depend on that task alone.
        """
        ...

    def act(self, params: Params, memory: Any, obs: chex.ArrayTree, key: chex.PRNGKey) -> tuple[chex.Array, Any]:
        """Actions `[N, ...]` for observations `[N, ...]`."""
        ...

    def observe(self, params: Params, memory: Any, transition: Transition) -> Any:
        """Takes in one transition `[N, ...]`; `reward` is the benchmark's own."""
        ...


class Family(Protocol):
    """The part of `metarl_envs.TaskFamily` that trials need, met without importing it."""

    horizon: int

    @property
    def functional(self) -> FuncEnv | None:
        """The environment whose `params` is the task, or None."""
        ...

    def make_vec(self, tasks: Any, seed: int | None = None) -> VectorEnv:
        """A vector environment in which environment i plays task i; with `set_tasks(tasks)` it can play others."""
        ...

    def ease(self, tasks: Any, difficulty: float) -> Any:
        """Easier versions of tasks, for a curriculum; at difficulty 1 the tasks themselves."""
        ...


class Benchmark(Protocol):
    """The part of `metarl_envs.Benchmark` that training needs, met without importing it."""

    @property
    def name(self) -> str:
        """For messages."""
        ...

    @property
    def family(self) -> Any:
        """What its tasks belong to: a `Family`, with its spaces."""
        ...

    @property
    def num_train_tasks(self) -> int:
        """How many tasks there are to train on."""
        ...

    @property
    def num_test_tasks(self) -> int:
        """How many tasks there are to test on."""
        ...

    def take_train_tasks(self, ids: np.ndarray) -> Any:
        """The train tasks `ids: [M]`."""
        ...

    def take_test_tasks(self, ids: np.ndarray) -> Any:
        """The test tasks `ids: [M]`."""
        ...

    def identity(self) -> Mapping[str, Any]:
        """What tells this benchmark from another one of its name: `name`, and a digest of each task set."""
        ...
