"""How RL2 acts in a trial: it adapts by what the state of its GRU has come to hold (Duan et al., 2016).

In the shape descriptions `N` denotes tasks side by side, `H` the size of the memory.
"""

import dataclasses
from typing import NamedTuple

import chex
import jax.numpy as jnp
from rlcore.types import Params, Transition

from metarl_baselines.rl2.network import RecurrentActorCritic
from metarl_baselines.rl2.trials import make_inputs


class RL2Memory(NamedTuple):
    """What RL2 remembers of a trial.

    state: `[N, H]` of the GRU.
    action: `[N, Da]` of the last step. reward: `[N]` that it earned.
    begins: `[N]` float, 1 where the next observation is the first one of an episode.
    """

    state: chex.Array
    action: chex.Array
    reward: chex.Array
    begins: chex.Array


@dataclasses.dataclass(frozen=True, eq=False)
class RL2Policy:
    """Acts on a memory that crosses the borders of episodes: a `MetaPolicy`.

    network: the parameters come with each call.
    deterministic: whether actions are the policy's centre.
    """

    network: RecurrentActorCritic
    deterministic: bool = False

    def begin_trial(self, params: Params, key: chex.PRNGKey, num_tasks: int) -> RL2Memory:
        """Nothing seen of `N` tasks."""
        del params, key
        sizes = (self.network.config.memory_size,), (self.network.action_size,), (), ()
        return RL2Memory(*(jnp.zeros((num_tasks, *size), jnp.float32) for size in sizes))

    def begin_episode(self, params: Params, memory: RL2Memory, key: chex.PRNGKey) -> RL2Memory:
        """What was remembered stays; the next observation is the first one of an episode."""
        del params, key
        return memory._replace(begins=jnp.ones_like(memory.begins))

    def act(
        self, params: Params, memory: RL2Memory, obs: chex.Array, key: chex.PRNGKey
    ) -> tuple[chex.Array, RL2Memory]:
        """Actions `[N, Da]`, which may exceed [-1, 1]; the key is consumed."""
        inputs = make_inputs(self.network.config, obs, memory.action, memory.reward, memory.begins)
        policy, _, state = self.network.apply(params, memory.state, inputs, method="step")
        action = policy.mean if self.deterministic else policy.sample(key)
        return action, memory._replace(state=state)

    def observe(self, params: Params, memory: RL2Memory, transition: Transition) -> RL2Memory:
        """Keeps what the next step is told: what was done, and what it earned."""
        del params
        action, reward = (jnp.asarray(leaf, jnp.float32) for leaf in (transition.action, transition.reward))
        return RL2Memory(memory.state, action, reward, jnp.zeros_like(memory.begins))
