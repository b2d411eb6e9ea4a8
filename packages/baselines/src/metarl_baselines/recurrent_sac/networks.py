"""The networks of recurrent SAC: an actor and critics that remember.

In the shape descriptions `B` denotes trials, `S` the steps of a trial, `H` the size of a memory, `E` the critics, `...`
any batch dimensions.
"""

from typing import NamedTuple

import chex
import flax.linen as nn
import jax.numpy as jnp
from rlcore.distributions import TanhNormal
from rlcore.networks import EnsembleMLP, TanhNormalPolicy

from metarl_baselines.trial_gru import TrialGRU
from metarl_baselines.trials import Inputs, append


class History(NamedTuple):
    """What a memory is told in whole trials, and at which steps something is to be decided.

    told: `[B, S, ...]` before each action of a trial.
    last: None where decisions are before each action; where they are after each action, `[B, 1, ...]` what the memory
      is told behind the last one.
    """

    told: Inputs
    last: Inputs | None = None


class Recall(nn.Module):
    """From a history to what decides: the memory's state beside the current observation, `[B, S, H + Do]`.

    The observation is a shortcut: what is seen now need not pass through the memory (Ni et al., 2022).
    """

    memory_size: int
    embedding_size: int

    def setup(self) -> None:
        """Makes the memory."""
        self.memory = TrialGRU(self.memory_size, self.embedding_size)

    def __call__(self, history: History) -> chex.Array:
        """At every step of whole trials."""
        told = history.told if history.last is None else append(history.told, history.last)
        seen = jnp.concatenate([self.memory.scan(told), told.obs], axis=-1)
        return seen if history.last is None else seen[:, 1:]

    def step(self, state: chex.Array, inputs: Inputs) -> tuple[chex.Array, chex.Array]:
        """The same `[..., H + Do]` after one more step, and the state `[..., H]`."""
        state = self.memory.step(state, inputs)
        return jnp.concatenate([state, inputs.obs], axis=-1), state


class RecurrentActor(nn.Module):
    """From what a trial told so far to a policy over actions `[..., Da]`."""

    recall: Recall
    policy: TanhNormalPolicy

    def __call__(self, history: History) -> TanhNormal:
        """At every step of whole trials."""
        return self.policy(self.recall(history))

    def step(self, state: chex.Array, inputs: Inputs) -> tuple[TanhNormal, chex.Array]:
        """After one more step, and the state `[..., H]`."""
        seen, state = self.recall.step(state, inputs)
        return self.policy(seen), state


class RecurrentCritics(nn.Module):
    """From what a trial told so far and actions `[B, S, Da]` to their values `[E, B, S, 1]`; all share one memory."""

    recall: Recall
    critics: EnsembleMLP

    def __call__(self, history: History, action: chex.Array) -> chex.Array:
        """At every step of whole trials."""
        return self.critics(self.recall(history), action)
