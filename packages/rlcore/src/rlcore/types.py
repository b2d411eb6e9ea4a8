"""The words that every module shares: transitions, metrics, and what an environment must offer.

In the shape descriptions `...` stands for any leading batch dimensions.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import chex

Params = Any
"""Parameters of a network: a pytree of arrays."""

Metrics = Mapping[str, chex.Array]
"""Flat and namespaced, `loss/critic`; every value a scalar."""


class Transition(NamedTuple):
    """One step of interaction.

    obs: `[..., Do]` what the agent saw.
    action: `[..., Da]` float, or `[...]` int where actions are discrete.
    reward: `[...]`
    discount: `[...]` 0 where the step terminated the episode, else 1. A time limit leaves it at 1: the value of the
      state after a truncation still counts.
    next_obs: `[..., Do]` what the agent saw next, before any automatic reset.
    """

    obs: chex.ArrayTree
    action: chex.Array
    reward: chex.Array
    discount: chex.Array
    next_obs: chex.ArrayTree


class FuncEnv(Protocol):
    """A stateless environment: `gymnasium.experimental.functional.FuncEnv`, met without importing it.

    `params` describes the task, so that mapping over `params` maps over tasks. Every method is pure and can be traced.
    """

    def initial(self, rng: chex.PRNGKey, params: Any) -> Any:
        """The state at the start of an episode."""
        ...

    def transition(self, state: Any, action: chex.Array, rng: chex.PRNGKey, params: Any) -> Any:
        """The state after `action`."""
        ...

    def observation(self, state: Any, rng: chex.PRNGKey, params: Any) -> chex.ArrayTree:
        """What the agent sees of `state`."""
        ...

    def reward(self, state: Any, action: chex.Array, next_state: Any, rng: chex.PRNGKey, params: Any) -> chex.Array:
        """The reward of a step, a scalar."""
        ...

    def terminal(self, state: Any, rng: chex.PRNGKey, params: Any) -> chex.Array:
        """Whether `state` ends the episode, a bool scalar."""
        ...

    def transition_info(self, state: Any, action: chex.Array, next_state: Any, params: Any) -> dict[str, chex.Array]:
        """More signals of a step, for example other rewards."""
        ...


class VectorEnv(Protocol):
    """The part of `gymnasium.vector.VectorEnv` that a rollout needs.

    `metadata["autoreset_mode"]` must be SAME_STEP, so that no step is lost to a reset.
    """

    num_envs: int
    single_action_space: Any
    metadata: dict[str, Any]

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Starts an episode in every environment."""
        ...

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Returns obs, reward, terminated, truncated, info."""
        ...

    def close(self) -> None:
        """Frees what the environments hold."""
        ...
