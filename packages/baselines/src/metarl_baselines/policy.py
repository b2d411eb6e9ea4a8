"""How a policy with a memory acts in a trial: it adapts by what the memory's state has come to hold.

In the shape descriptions `N` denotes tasks side by side, `H` the size of the memory.
"""

import dataclasses
from typing import NamedTuple, Protocol

import chex
import jax.numpy as jnp
from rlcore.types import Params, Transition

from metarl_baselines.trials import Inputs, TrialOptions, make_inputs


class TrialActor(Protocol):
    """What acts on a memory. The parameters come with each call.

    options: what a trial tells.
    memory_size: `H`.
    action_size: numbers in an action.
    """

    options: TrialOptions
    memory_size: int
    action_size: int

    def act(
        self, params: Params, state: chex.Array, inputs: Inputs, key: chex.PRNGKey, deterministic: bool
    ) -> tuple[chex.Array, chex.Array]:
        """Actions `[N, Da]` for what a step tells `[N, ...]`, and the state `[N, H]` after it; the key is consumed."""
        ...


class TrialMemory(NamedTuple):
    """What is remembered of a trial.

    state: `[N, H]` of the memory.
    action: `[N, Da]` of the last step. reward: `[N]` that it earned.
    begins: `[N]` float, 1 where the next observation is the first one of an episode.
    """

    state: chex.Array
    action: chex.Array
    reward: chex.Array
    begins: chex.Array


@dataclasses.dataclass(frozen=True, eq=False)
class TrialPolicy:
    """Acts on a memory that crosses the borders of episodes: a `MetaPolicy`.

    actor: what acts.
    deterministic: whether actions are the policy's centre.
    """

    actor: TrialActor
    deterministic: bool = False

    def begin_trial(self, params: Params, key: chex.PRNGKey, num_tasks: int) -> TrialMemory:
        """Nothing seen of `N` tasks."""
        del params, key
        sizes = (self.actor.memory_size,), (self.actor.action_size,), (), ()
        return TrialMemory(*(jnp.zeros((num_tasks, *size), jnp.float32) for size in sizes))

    def begin_episode(self, params: Params, memory: TrialMemory, key: chex.PRNGKey) -> TrialMemory:
        """What was remembered stays; the next observation is the first one of an episode."""
        del params, key
        return memory._replace(begins=jnp.ones_like(memory.begins))

    def act(
        self, params: Params, memory: TrialMemory, obs: chex.Array, key: chex.PRNGKey
    ) -> tuple[chex.Array, TrialMemory]:
        """Actions `[N, Da]`, which may exceed [-1, 1]; the key is consumed."""
        inputs = make_inputs(self.actor.options, obs, memory.action, memory.reward, memory.begins)
        action, state = self.actor.act(params, memory.state, inputs, key, self.deterministic)
        return action, memory._replace(state=state)

    def observe(self, params: Params, memory: TrialMemory, transition: Transition) -> TrialMemory:
        """Keeps what the next step is told: what was done, and what it earned."""
        del params
        action, reward = (jnp.asarray(leaf, jnp.float32) for leaf in (transition.action, transition.reward))
        return TrialMemory(memory.state, action, reward, jnp.zeros_like(memory.begins))
