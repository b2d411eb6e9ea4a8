"""The networks of VariBAD: an encoder that believes, and a decoder of what a trial earned.

In the shape descriptions `B` denotes trials, `S` the steps of a trial, `L` its beliefs that are decoded, `H` the size
of the memory, `Dz` that of the task variable, `...` any batch dimensions.
"""

import chex
import flax.linen as nn
import jax.numpy as jnp
from rlcore.distributions import Gaussian
from rlcore.networks import MLP

from metarl_baselines.trial_gru import TrialGRU
from metarl_baselines.trials import Inputs, Trials

_LEAST_VARIANCE = 1e-4
"""So that no belief is infinitely far from the one before."""


class Encoder(nn.Module):
    """From what a trial told so far to a belief about its task, a Gaussian over `[..., Dz]`."""

    latent_size: int
    memory_size: int
    embedding_size: int

    def setup(self) -> None:
        """Makes the layers."""
        self.memory = TrialGRU(self.memory_size, self.embedding_size)
        self.belief = nn.Dense(2 * self.latent_size)

    def __call__(self, told: Inputs) -> Gaussian:
        """The beliefs after each step of whole trials, `[B, S, Dz]`."""
        return self._believe(self.memory.scan(told))

    def step(self, state: chex.Array, inputs: Inputs) -> tuple[Gaussian, chex.Array]:
        """The belief `[..., Dz]` after one more step, and the state `[..., H]`."""
        state = self.memory.step(state, inputs)
        return self._believe(state), state

    def _believe(self, state: chex.Array) -> Gaussian:
        mean, raw = jnp.split(self.belief(state), 2, axis=-1)
        return Gaussian(mean, nn.softplus(raw) + _LEAST_VARIANCE)


class Decoder(nn.Module):
    """From a task variable to what steps of its trial earned or led to, whenever they were.

    hidden_sizes: widths of the hidden layers.
    output_size: `D` numbers that are decoded of a step.
    sees_next: whether the next observation is given.
    """

    hidden_sizes: tuple[int, ...]
    output_size: int
    sees_next: bool

    @nn.compact
    def __call__(self, z: chex.Array, trials: Trials) -> chex.Array:
        """`[B, L, S, D]` for task variables `[B, L, Dz]` and steps `[B, S, ...]`: each one says all of the trial."""
        steps = [trials.obs, trials.action, *([trials.next_obs] if self.sees_next else [])]
        step = jnp.concatenate(steps, axis=-1)[:, None]
        shape = (z.shape[0], z.shape[1], step.shape[2])
        pairs = [jnp.broadcast_to(leaf, (*shape, leaf.shape[-1])) for leaf in (z[:, :, None], step)]
        return MLP(self.hidden_sizes, self.output_size)(jnp.concatenate(pairs, axis=-1))
