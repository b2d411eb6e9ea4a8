"""The slot between a batch of data and the actor and critic: what an abstraction of state or task plugs into.

In the shape descriptions `...` stands for any leading batch dimensions.
"""

from typing import NamedTuple, Protocol

import chex
import flax.linen as nn
import jax.numpy as jnp

from rlcore.types import Metrics, Params


class RepresentationOutput(NamedTuple):
    """What a representation makes of a batch.

    obs: `[..., Df]` features of the observations, or a tree that the networks of the action head take. The critic's
      gradient flows into them.
    next_obs: the same of the next observations; no gradient flows into them.
    loss: a scalar that is added to the critic's loss, 0 where the critic alone trains the representation.
    metrics: flat and namespaced scalars.
    weight: what each sample counts in the losses of actor and critics, broadcastable to `[...]`; None counts all alike.
    actor_obs: `obs` once more, where the actor's gradient is to flow too, through what the policy sees and not through
      what the critics see; None is `obs` with the gradient stopped.
    """

    obs: chex.ArrayTree
    next_obs: chex.ArrayTree
    loss: chex.Array
    metrics: Metrics
    weight: chex.Array | None = None
    actor_obs: chex.ArrayTree | None = None


class Representation(Protocol):
    """Turns a batch into what the actor and the critic see.

    A batch is whatever the algorithm samples; SAC itself reads only its `action`, `reward` and `discount`.
    """

    def init(self, key: chex.PRNGKey, example: chex.ArrayTree) -> Params:
        """Parameters for batches shaped as `example`; the key is consumed."""
        ...

    def apply(self, params: Params, batch: chex.ArrayTree, key: chex.PRNGKey) -> RepresentationOutput:
        """The features of a batch; the key is consumed."""
        ...


class Identity:
    """No abstraction: the observation itself, for vectors."""

    def init(self, key: chex.PRNGKey, example: chex.ArrayTree) -> Params:
        """No parameters."""
        del key, example
        return {}

    def apply(self, params: Params, batch: chex.ArrayTree, key: chex.PRNGKey) -> RepresentationOutput:
        """Passes the observations through."""
        del params, key
        return RepresentationOutput(batch.obs, batch.next_obs, jnp.zeros((), jnp.float32), {})


class EndToEnd:
    """Features of a network, trained end to end by the critic's loss: SAC from images with a `ConvEncoder`."""

    def __init__(self, network: nn.Module):
        self.network = network

    def init(self, key: chex.PRNGKey, example: chex.ArrayTree) -> Params:
        """The network's parameters; the key is consumed."""
        return self.network.init(key, example.obs)

    def apply(self, params: Params, batch: chex.ArrayTree, key: chex.PRNGKey) -> RepresentationOutput:
        """The network's features of both observations."""
        del key
        obs, next_obs = self.network.apply(params, batch.obs), self.network.apply(params, batch.next_obs)
        return RepresentationOutput(obs, next_obs, jnp.zeros((), jnp.float32), {})
