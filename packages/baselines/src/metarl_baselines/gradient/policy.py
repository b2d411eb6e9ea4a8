"""How a policy acts in a trial and adapts by gradient steps, each after some episodes.

In the shape descriptions `N` denotes tasks side by side, `C` the steps of the longest possible batch of episodes.
"""

import dataclasses
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
from rlcore.distributions import Gaussian
from rlcore.types import Params, Transition

from metarl_baselines.gradient.adaptation import Adaptation, adapt_once
from metarl_baselines.gradient.config import AdaptationConfig
from metarl_baselines.gradient.episodes import Episodes, blank_episodes


class Memory(NamedTuple):
    """What is remembered of a trial.

    adapted: leaves `[N, ...]`, what adapts as it is now.
    episodes: `[N, C]`, those since the last inner step.
    num_rows: `[N]` int32, how many of their rows are taken.
    step: `[N]` int32, of the episode. episode: `[N]` int32, its number in the trial, -1 before the first.
    """

    adapted: Any
    episodes: Episodes
    num_rows: chex.Array
    step: chex.Array
    episode: chex.Array


@dataclasses.dataclass(frozen=True, eq=False)
class GradientPolicy:
    """A `MetaPolicy` that takes an inner step at the beginning of some episodes, on those that it has just played.

    adaptation: what adapts, and how.
    config: when.
    num_steps: inner steps of a trial.
    obs_size, action_size, horizon: of the environment.
    deterministic: whether actions are the policy's centre after the last inner step. Before it they are drawn: an
      inner step learns from what differs between actions.
    """

    adaptation: Adaptation
    config: AdaptationConfig
    num_steps: int
    obs_size: int
    action_size: int
    horizon: int
    deterministic: bool = False

    def begin_trial(self, params: Params, key: chex.PRNGKey, num_tasks: int) -> Memory:
        """Nothing adapted, nothing seen of `N` tasks; the key is consumed."""
        capacity = self.config.num_episodes * self.horizon if self.num_steps else 0
        episodes = blank_episodes((num_tasks, capacity), self.obs_size, self.action_size)
        # Each its own array: the memory is donated, and no array can be twice.
        num_rows, step = (jnp.zeros(num_tasks, jnp.int32) for _ in range(2))
        adapted = self.adaptation.begin(params, key, num_tasks)
        return Memory(adapted, episodes, num_rows, step, jnp.full(num_tasks, -1, jnp.int32))

    def begin_episode(self, params: Params, memory: Memory, key: chex.PRNGKey) -> Memory:
        """Takes the inner step that is due."""
        del key
        episode = memory.episode + 1
        every = self.config.num_episodes
        due = (episode > 0) & (episode % every == 0) & (episode // every <= self.num_steps)

        def adapt(memory: Memory) -> Memory:
            def step(adapted: Any, episodes: Episodes) -> Any:
                return adapt_once(self.adaptation, self.config, params, adapted, episodes)

            adapted = jax.vmap(step)(memory.adapted, memory.episodes)
            valid = memory.episodes.valid & ~due[:, None]
            return memory._replace(
                adapted=_where(due, adapted, memory.adapted),
                episodes=memory.episodes._replace(valid=valid),
                num_rows=jnp.where(due, 0, memory.num_rows),
            )

        if self.num_steps:
            # Tasks side by side begin episodes often, and few of these begin with an inner step.
            memory = jax.lax.cond(jnp.any(due), adapt, lambda memory: memory, memory)
        return memory._replace(step=jnp.zeros_like(memory.step), episode=episode)

    def act(self, params: Params, memory: Memory, obs: chex.Array, key: chex.PRNGKey) -> tuple[chex.Array, Memory]:
        """Actions `[N, Da]`, which may exceed [-1, 1]; the key is consumed."""

        def decide(adapted: Any, obs: chex.Array, episode: chex.Array) -> Gaussian:
            return self.adaptation.policy(params, adapted, obs, self.adaptation.draw(adapted, episode))

        policy = jax.vmap(decide)(memory.adapted, obs, memory.episode)
        action = policy.sample(key)
        if self.deterministic:
            is_last = memory.episode >= self.num_steps * self.config.num_episodes
            action = _where(is_last, policy.mean, action)
        return action, memory

    def observe(self, params: Params, memory: Memory, transition: Transition) -> Memory:
        """Keeps the step until the next inner step."""
        del params
        task = jnp.arange(memory.step.shape[0])
        row = Episodes(
            obs=jnp.asarray(transition.obs, jnp.float32),
            action=jnp.asarray(transition.action, jnp.float32),
            reward=jnp.asarray(transition.reward, jnp.float32),
            step=memory.step,
            episode=memory.episode,
            valid=jnp.ones_like(memory.step, bool),
        )
        episodes = jax.tree.map(
            lambda leaf, new: leaf.at[task, memory.num_rows].set(new, mode="drop"), memory.episodes, row
        )
        return memory._replace(episodes=episodes, num_rows=memory.num_rows + 1, step=memory.step + 1)


def _where(condition: chex.Array, new: Any, old: Any) -> Any:
    """Leaves `[N, ...]` of `new` where a condition `[N]` holds, else of `old`."""
    return jax.tree.map(lambda new, old: jnp.where(condition.reshape(-1, *[1] * (new.ndim - 1)), new, old), new, old)
