"""The network of RL2: a memory of the trial, a policy and a value.

In the shape descriptions `B` denotes trials, `S` the steps of a trial, `H` the size of the memory, `E` that of the
embedding, `...` any batch dimensions.
"""

import chex
import flax.linen as nn
import jax.numpy as jnp
from rlcore.distributions import Gaussian
from rlcore.networks import MLP
from rlcore.policy_gradient import GaussianPolicy
from rlcore.types import Params

from metarl_baselines.gru import GRU
from metarl_baselines.rl2.config import RL2Config
from metarl_baselines.trials import Inputs, TrialOptions


class RecurrentActorCritic(nn.Module):
    """From what a trial told so far to a policy and a value.

    config: the options.
    action_size: numbers in an action.
    obs_network: turns observations into features `[..., Df]`; None for vectors.
    """

    config: RL2Config
    action_size: int
    obs_network: nn.Module | None = None

    def setup(self) -> None:
        """Makes the layers."""
        self.embed = nn.Dense(self.config.embedding_size)
        self.gru = GRU(self.config.memory_size)
        self.policy = GaussianPolicy(self.config.hidden_sizes, self.action_size, self.config.initial_std)
        self.value = MLP(self.config.hidden_sizes, 1, activation=nn.tanh)

    def __call__(self, inputs: Inputs) -> tuple[Gaussian, chex.Array]:
        """The policy over actions `[B, S, Da]` and the value `[B, S]` at every step of trials `[B, S, ...]`."""
        return self.scan(inputs)[:2]

    def scan(self, inputs: Inputs) -> tuple[Gaussian, chex.Array, chex.Array]:
        """The same, and the memory after every step, `[B, S, H]`."""
        seen = self._see(inputs)
        prepared = jnp.swapaxes(self.gru.prepare(seen), 0, 1)
        blank = jnp.zeros((prepared.shape[1], self.config.memory_size), prepared.dtype)
        memory = jnp.swapaxes(self.gru.scan(blank, prepared, self.config.bptt_steps), 0, 1)
        return *self._decide(memory, seen), memory

    def step(self, memory: chex.Array, inputs: Inputs) -> tuple[Gaussian, chex.Array, chex.Array]:
        """Policy `[..., Da]`, value `[...]` and the memory `[..., H]` after one more step."""
        seen = self._see(inputs)
        memory = self.gru.advance(memory, self.gru.prepare(seen))
        return *self._decide(memory, seen), memory

    def _see(self, inputs: Inputs) -> chex.Array:
        """All that a step tells, `[..., E]`."""
        obs = inputs.obs if self.obs_network is None else self.obs_network(inputs.obs)
        told = [obs, inputs.action, inputs.reward[..., None], inputs.begins[..., None]]
        return nn.tanh(self.embed(jnp.concatenate(told, axis=-1)))

    def _decide(self, memory: chex.Array, seen: chex.Array) -> tuple[Gaussian, chex.Array]:
        joined = jnp.concatenate([memory, seen], axis=-1)
        return self.policy(joined), self.value(joined)[..., 0]


class RL2Actor:
    """Acts by a `RecurrentActorCritic`, see `TrialActor`."""

    def __init__(self, network: RecurrentActorCritic) -> None:
        self._network = network
        self.options: TrialOptions = network.config
        self.memory_size, self.action_size = network.config.memory_size, network.action_size

    def act(
        self, params: Params, state: chex.Array, inputs: Inputs, key: chex.PRNGKey, deterministic: bool
    ) -> tuple[chex.Array, chex.Array]:
        """See `TrialActor`."""
        policy, _, state = self._network.apply(params, state, inputs, method="step")
        return policy.mean if deterministic else policy.sample(key), state
