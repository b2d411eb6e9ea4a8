"""A GRU over what each step of a trial tells, whose state crosses the borders of episodes: it makes a memory.

In the shape descriptions `B` denotes trials, `S` the steps of a trial, `H` the size of the memory, `...` any batch
dimensions.
"""

import chex
import flax.linen as nn
import jax.numpy as jnp

from metarl_baselines.gru import GRU
from metarl_baselines.trials import Inputs


class TrialGRU(nn.Module):
    """What a trial told so far, as a state that is zero before its first step.

    size: `H`.
    embedding_size: width of each of three layers, of the observation, of the action, and of the reward with the
      episode's begin, which the GRU sees side by side.
    """

    size: int
    embedding_size: int

    def setup(self) -> None:
        """Makes the layers."""
        self.embed_obs, self.embed_action, self.embed_reward = (nn.Dense(self.embedding_size) for _ in range(3))
        self.gru = GRU(self.size)

    def scan(self, inputs: Inputs) -> chex.Array:
        """The states after each step of whole trials, `[B, S, H]`."""
        prepared = jnp.swapaxes(self._prepare(inputs), 0, 1)
        blank = jnp.zeros((prepared.shape[1], self.size), prepared.dtype)
        return jnp.swapaxes(self.gru.scan(blank, prepared), 0, 1)

    def step(self, state: chex.Array, inputs: Inputs) -> chex.Array:
        """The state `[..., H]` after one more step."""
        return self.gru.advance(state, self._prepare(inputs))

    def _prepare(self, inputs: Inputs) -> chex.Array:
        earned = jnp.stack([inputs.reward, inputs.begins], axis=-1)
        told = [self.embed_obs(inputs.obs), self.embed_action(inputs.action), self.embed_reward(earned)]
        return self.gru.prepare(nn.relu(jnp.concatenate(told, axis=-1)))
