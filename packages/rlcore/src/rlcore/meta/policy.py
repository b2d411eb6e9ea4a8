"""What a policy that plays trials and a family of tasks must offer; adapting is inferring, so policies remember.

In the shape descriptions `N` denotes the tasks side by side.
"""

from typing import Any, Protocol

import chex

from rlcore.types import FunctionalEnv, Params, Transition, VectorEnv


class MetaPolicy(Protocol):
    """A policy that adapts by what it remembers. All methods are pure and can be traced; keys are consumed."""

    def begin_trial(self, params: Params, key: chex.PRNGKey, num_tasks: int) -> Any:
        """The memory of `N` tasks of which nothing is known."""
        ...

    def begin_episode(self, params: Params, memory: Any, key: chex.PRNGKey) -> Any:
        """Before each episode: PEARL draws its task variable here."""
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
    def functional(self) -> FunctionalEnv | None:
        """The environment whose `params` is the task, or None."""
        ...

    def make_vec(self, tasks: Any, seed: int | None = None) -> VectorEnv:
        """A vector environment in which environment i plays task i."""
        ...
