"""How MELD acts in a trial: it filters its belief frame by frame, and acts on it (thesis, Algorithm 4).

In the shape descriptions `N` denotes tasks side by side, `D1`, `D2` and `Db` the sizes of the latent state's layers and
of the belief.
"""

import dataclasses
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
from rlcore.types import Transition

from meld_jax.agent import AgentParams, MeldAgent
from meld_jax.model import Latent

_TRIAL_BEGINS, _EPISODE_BEGINS, _UNDER_WAY = 0, 1, 2


class MeldMemory(NamedTuple):
    """What MELD remembers of a trial.

    z2: `[N, D2]` a sample of the latent state's slow layer.
    seen: `[N, Df]` what the actor sees after the last frame; its first `Db` numbers are the belief.
    noise: `[N, D1 + D2]` of the sample at the next frame.
    stage: `[N]` int32, whether a trial or an episode is about to begin, or is under way.
    """

    z2: chex.Array
    seen: chex.Array
    noise: chex.Array
    stage: chex.Array


@dataclasses.dataclass(frozen=True, eq=False)
class MeldPolicy:
    """Acts on the belief over latent state and task: a `MetaPolicy`.

    agent: the agent; the parameters come with each call.
    deterministic: whether actions are the policy's centre.
    random: act uniformly at random instead, to collect what the model starts from.
    """

    agent: MeldAgent
    deterministic: bool
    random: bool = False

    def begin_trial(self, params: AgentParams, key: chex.PRNGKey, num_tasks: int) -> MeldMemory:
        """Nothing seen of `N` tasks."""
        del params, key
        config = self.agent.config.model
        num_features = self.agent.belief.num_features(self.agent.action_size)
        sizes = config.z2_size, num_features, config.z1_size + config.z2_size
        zeros = (jnp.zeros((num_tasks, size), jnp.float32) for size in sizes)
        return MeldMemory(*zeros, stage=jnp.full(num_tasks, _TRIAL_BEGINS, jnp.int32))

    def begin_episode(self, params: AgentParams, memory: MeldMemory, key: chex.PRNGKey) -> MeldMemory:
        """The belief is carried over; the next observation is the first one of an episode."""
        del params, key
        return memory._replace(stage=jnp.minimum(memory.stage, _EPISODE_BEGINS))

    def act(
        self, params: AgentParams, memory: MeldMemory, obs: chex.Array, key: chex.PRNGKey
    ) -> tuple[chex.Array, MeldMemory]:
        """Actions `[N, Da]` for pictures `[N, H, W, C]`; the key is consumed."""
        start_key, noise_key, act_key = jax.random.split(key, 3)
        num_tasks = memory.z2.shape[0]
        if self.random:
            shape = (num_tasks, self.agent.action_size)
            return jax.random.uniform(act_key, shape, minval=-1.0, maxval=1.0), memory
        noise = jax.random.normal(start_key, memory.noise.shape)

        def see(memory: MeldMemory, method: str) -> MeldMemory:
            reward, action = jnp.zeros(num_tasks, jnp.float32), jnp.zeros((num_tasks, self.agent.action_size))
            return self._see(params, memory, obs, reward, action, jnp.ones(num_tasks, bool), noise, method)

        def begin_some(memory: MeldMemory) -> MeldMemory:
            begins = memory.stage == _EPISODE_BEGINS
            return jax.tree.map(
                lambda new, old: jnp.where(begins.reshape(-1, *[1] * (new.ndim - 1)), new, old),
                see(memory, "advance"),
                memory,
            )

        # Tasks begin their trials together, and their episodes where an earlier one ended.
        waiting = jnp.where(memory.stage[0] == _TRIAL_BEGINS, _TRIAL_BEGINS, jnp.min(memory.stage))
        memory = jax.lax.switch(
            waiting, [lambda memory: see(memory, "begin"), begin_some, lambda memory: memory], memory
        )
        action = self.agent.sac.act(params.policy, memory.seen, act_key, self.deterministic)
        return action, memory._replace(noise=jax.random.normal(noise_key, memory.noise.shape))

    def observe(self, params: AgentParams, memory: MeldMemory, transition: Transition) -> MeldMemory:
        """Takes in the frame that the action led to, and what it earned."""
        if self.random:
            return memory
        _, action, reward, _, obs = transition
        reward, action = jnp.asarray(reward, jnp.float32), jnp.asarray(action, jnp.float32)
        first = jnp.zeros(memory.stage.shape, bool)
        return self._see(params, memory, obs, reward, action, first, memory.noise, "advance")

    def _see(
        self,
        params: AgentParams,
        memory: MeldMemory,
        obs: chex.Array,
        reward: chex.Array,
        action: chex.Array,
        first: chex.Array,
        noise: chex.Array,
        method: str,
    ) -> MeldMemory:
        model, model_params = self.agent.model, params.model
        evidence = model.apply(model_params, obs, reward, action, first, method="prepare")
        previous = () if method == "begin" else (memory.z2,)
        latent: Latent = model.apply(model_params, *previous, evidence, noise, method=method)
        stage = jnp.full_like(memory.stage, _UNDER_WAY)
        before = memory.seen[:, : self.agent.config.model.belief_size]
        seen = self.agent.belief.with_previous(model.belief(latent), before, action, first)
        return MeldMemory(latent.z2, seen, memory.noise, stage)
