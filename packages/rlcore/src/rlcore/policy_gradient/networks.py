"""A policy and a value for vectors, for one task.

In the shape descriptions `...` stands for any batch dimensions.
"""

import math
from collections.abc import Callable, Sequence

import chex
import flax.linen as nn
import jax.numpy as jnp
import numpy as np

from rlcore.distributions import Gaussian
from rlcore.networks import MLP


class GaussianPolicy(nn.Module):
    """`[..., Di] -> Gaussian` over actions `[..., action_size]`, its width a parameter of its own.

    Environments are given its actions clipped to [-1, 1].

    initial_std: of each action, before anything was learned.
    activation: of the hidden layers.
    min_std: the least deviation of an action, below which its parameter has no gradient; 0 sets none.
    """

    hidden_sizes: Sequence[int]
    action_size: int
    initial_std: float
    activation: Callable[[chex.Array], chex.Array] = nn.tanh
    min_std: float = 0.0

    @nn.compact
    def __call__(self, x: chex.Array) -> Gaussian:
        """See the class."""
        mean = MLP(self.hidden_sizes, self.action_size, 1e-2, activation=self.activation)(x)
        log_std = self.param("log_std", nn.initializers.constant(np.log(self.initial_std)), (self.action_size,))
        if self.min_std:
            log_std = jnp.maximum(log_std, math.log(self.min_std))
        return Gaussian(mean, jnp.broadcast_to(jnp.exp(2 * log_std), mean.shape))


class ActorCritic(nn.Module):
    """`[..., Do] -> (Gaussian, value [...])`, two networks."""

    hidden_sizes: Sequence[int]
    action_size: int
    initial_std: float = 0.5

    @nn.compact
    def __call__(self, obs: chex.Array) -> tuple[Gaussian, chex.Array]:
        """See the class."""
        policy = GaussianPolicy(self.hidden_sizes, self.action_size, self.initial_std)(obs)
        return policy, MLP(self.hidden_sizes, 1, activation=nn.tanh)(obs)[..., 0]
