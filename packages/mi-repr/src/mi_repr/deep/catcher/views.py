"""How an agent sees states: through features that are frozen, or through an encoder that its critic trains.

In the shape descriptions `N` denotes states of a batch and `F` features.
"""

import dataclasses
from typing import Any, Protocol

import chex
import jax.numpy as jnp
from metarl_envs.catcher import CatcherEnv, CatcherState
from rlcore.representation import Identity, Representation, RepresentationOutput
from rlcore.types import Params

from mi_repr.deep.catcher.data import render_many
from mi_repr.deep.catcher.features import FrozenFeatures
from mi_repr.deep.encoders import Encoder


class View(Protocol):
    """What stands between the game and SAC."""

    params: chex.ArrayTree
    """What is frozen; an argument of jitted functions, so that it is not compiled into them."""

    representation: Representation

    def store(self, params: chex.ArrayTree, state: CatcherState) -> chex.ArrayTree:
        """What the replay keeps of states `[N]`."""
        ...

    def recall(self, params: chex.ArrayTree, kept: chex.ArrayTree) -> chex.ArrayTree:
        """What the representation gets of what the replay kept of `[N]`."""
        ...

    def see(self, params: chex.ArrayTree, representation: Params, state: CatcherState) -> chex.Array:
        """What the actor sees of states `[N]`: `[N, F]`."""
        ...


class FrozenView:
    """Features that nothing trains any more, so SAC costs its own networks only; the replay keeps what is dear."""

    def __init__(self, features: FrozenFeatures) -> None:
        self._features = features
        self.params = features.params
        self.representation: Representation = Identity()

    def store(self, params: chex.ArrayTree, state: CatcherState) -> chex.ArrayTree:
        """The states, or their features `[N, F]`."""
        return state if self._features.cheap else self._features.apply(params, state)

    def recall(self, params: chex.ArrayTree, kept: chex.ArrayTree) -> chex.Array:
        """The features `[N, F]`."""
        return self._features.apply(params, kept) if self._features.cheap else kept

    def see(self, params: chex.ArrayTree, representation: Params, state: CatcherState) -> chex.Array:
        """The features `[N, F]`."""
        del representation
        return self._features.apply(params, state)


@dataclasses.dataclass(frozen=True)
class DrawnImages:
    """The representation of end-to-end SAC: draws the states of a batch and encodes the images."""

    env: CatcherEnv
    encoder: Encoder

    def init(self, key: chex.PRNGKey, example: Any) -> Params:
        """The encoder's parameters; the key is consumed."""
        return self.encoder.init(key, render_many(self.env, example.obs))

    def apply(self, params: Params, batch: Any, key: chex.PRNGKey) -> RepresentationOutput:
        """The features of both states of each transition."""
        del key
        obs, next_obs = self.encode(params, batch.obs), self.encode(params, batch.next_obs)
        return RepresentationOutput(obs, next_obs, jnp.zeros((), jnp.float32), {})

    def encode(self, params: Params, state: CatcherState) -> chex.Array:
        """Features `[N, F]`."""
        return self.encoder.apply(params, render_many(self.env, state)).mean


class EndToEndView:
    """Images, through an encoder that the critic's loss trains; the replay keeps states."""

    params: chex.ArrayTree = ()

    def __init__(self, env: CatcherEnv, encoder: Encoder) -> None:
        self._images = DrawnImages(env, encoder)
        self.representation: Representation = self._images

    def store(self, params: chex.ArrayTree, state: CatcherState) -> CatcherState:
        """The states themselves."""
        del params
        return state

    def recall(self, params: chex.ArrayTree, kept: CatcherState) -> CatcherState:
        """The states themselves."""
        del params
        return kept

    def see(self, params: chex.ArrayTree, representation: Params, state: CatcherState) -> chex.Array:
        """Features `[N, F]`."""
        del params
        return self._images.encode(representation, state)
