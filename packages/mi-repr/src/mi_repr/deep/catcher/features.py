"""What the agent and the probes see of a state: the features of a frozen encoder, or the state itself.

In the shape descriptions `B` denotes states and `F` features.
"""

from collections.abc import Callable
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
from metarl_envs.catcher import CatcherEnv, CatcherState, all_states, state_index, state_vector
from rlcore.types import Params

from mi_repr.deep.catcher.data import Episodes, render_many
from mi_repr.deep.catcher.source import encode_states
from mi_repr.deep.encoders import Encoder

FeaturesParams = chex.ArrayTree

Features = Callable[[FeaturesParams, CatcherState], chex.Array]
"""`(params, states [B]) -> [B, F]`: pure, so that it can be used within jit with `params` as an argument."""


_NUM_EPISODES = 512
"""By which features are standardised."""


class FrozenFeatures(NamedTuple):
    """Features, and what they need.

    apply: `(params, states [B]) -> [B, F]`.
    params: the first argument of `apply`.
    size: `F`.
    cheap: whether `apply` costs next to nothing, so that a replay need not keep what it gives.
    """

    apply: Features
    params: FeaturesParams
    size: int
    cheap: bool


def true_state(env: CatcherEnv) -> FrozenFeatures:
    """The state, scaled to about [-1, 1]."""

    def apply(params: FeaturesParams, state: CatcherState) -> chex.Array:
        del params
        return jax.vmap(lambda one: state_vector(env, one))(state)

    example = state_vector(env, env.initial(jax.random.key(0)))
    return FrozenFeatures(apply, (), example.size, cheap=True)


def frozen_encoder(env: CatcherEnv, encoder: Encoder, params: Params, episodes: Episodes) -> FrozenFeatures:
    """The mean of an encoder, standardised by what it is on `episodes`.

    Without backgrounds every state is encoded once, here, and looked up from then on. With them images are drawn and
    encoded where they are asked for.
    """
    spread = jnp.linspace(0, episodes.num_episodes - 1, min(_NUM_EPISODES, episodes.num_episodes)).astype(int)
    sample = jax.tree.map(lambda leaf: leaf[spread].reshape(-1), episodes.state)
    encoded = encode_states(env, encoder, params, sample)
    mean, std = encoded.mean(axis=0), jnp.maximum(encoded.std(axis=0), 1e-6)
    if env.distractors == "none":
        table = (encode_states(env, encoder, params, all_states(env)) - mean[None]) / std[None]
        return FrozenFeatures(lambda table, state: table[state_index(env, state)], table, table.shape[-1], cheap=True)

    def apply(params: FeaturesParams, state: CatcherState) -> chex.Array:
        weights, mean, std = params
        return (encoder.apply(weights, render_many(env, state)).mean - mean[None]) / std[None]

    return FrozenFeatures(apply, (params, mean, std), mean.shape[0], cheap=False)
