"""Frames of a game of catch: drawn, from states, where they are used.

In the shape descriptions `E` denotes episodes, `T` steps of an episode, `W` runs of consecutive frames, `L` the frames
of a run and `F` features.
"""

import dataclasses
import functools
import math
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
from metarl_envs.catcher import CatcherEnv, CatcherState, all_states, num_states, state_index
from rlcore.types import Params

from mi_repr.deep.batching import in_batches
from mi_repr.deep.catcher.data import Episodes, draw_groups, render_many, sample_frames
from mi_repr.deep.encoders import Encoder
from mi_repr.deep.sources import Frames

_WARMUP_EPISODES = 1000


class EpisodeFeatures(NamedTuple):
    """Features of every frame of whole episodes.

    features: `[E, T + 1, F]`
    episodes: their states and actions; with several groups in the order of `by_background`.
    """

    features: chex.Array
    episodes: Episodes

    @property
    def num_at_once(self) -> int:
        """One run of each episode."""
        return self.episodes.num_episodes

    def draw(
        self, key: chex.PRNGKey, num_runs: int, run_length: int, num_groups: int, same_step_share: float
    ) -> tuple[chex.Array, chex.Array]:
        """See `FeatureRuns.draw`; without groups, each run is of another episode."""
        action = self.episodes.action
        num_episodes, num_steps = action.shape
        episode_key, step_key, kind_key = jax.random.split(key, 3)
        if num_groups > 1:
            episode = draw_groups(self.episodes, episode_key, num_groups, num_runs // num_groups).reshape(-1)
        else:
            episode = jax.random.permutation(episode_key, num_episodes)[:num_runs]
        begin = jax.random.randint(step_key, (num_runs,), 0, num_steps + 2 - run_length)
        if num_groups == 1:
            begin = jnp.where(jax.random.uniform(kind_key) < same_step_share, begin[0], begin)
        steps = [begin + ahead for ahead in range(run_length)]
        features = jnp.stack([self.features[episode, step] for step in steps], axis=1)
        return features, jnp.stack([action[episode, jnp.minimum(step, num_steps - 1)] for step in steps], axis=1)


@dataclasses.dataclass(frozen=True)
class CatcherSource:
    """Frames of a game; the data are `Episodes`, with several groups in the order of `by_background`."""

    env: CatcherEnv

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """See `Source.image_shape`."""
        return self.env.size, self.env.size, 3

    @property
    def num_actions(self) -> int:
        """See `Source.num_actions`."""
        return self.env.num_actions

    def draw(self, data: Episodes, key: chex.PRNGKey, num_windows: int, window_size: int, num_groups: int) -> Frames:
        """See `Source.draw`; the runs of a group have one background."""
        return sample_frames(self.env, data, key, num_windows, window_size, num_groups)

    def encode(
        self, data: Episodes, encoder: Encoder, params: Params, run_length: int, num_groups: int
    ) -> EpisodeFeatures:
        """See `Source.encode`; without groups a thousand episodes are enough."""
        del run_length
        if num_groups == 1:
            data = jax.tree.map(lambda leaf: leaf[:_WARMUP_EPISODES], data)
        return EpisodeFeatures(encode_states(self.env, encoder, params, data.state), data)


def encode_states(env: CatcherEnv, encoder: Encoder, params: Params, state: CatcherState) -> chex.Array:
    """Features of states of any batch dimensions `[...]`: `[..., F]`, a few hundred images at a time.

    Where the game has few states and many are asked for, each of them is drawn and encoded once.
    """

    def encode(state: CatcherState) -> chex.Array:
        return _encode(env, encoder, params, state)

    batch = state.paddle_x.shape
    if env.distractors == "none" and math.prod(batch) > num_states(env):
        return in_batches(encode, all_states(env))[state_index(env, state)]
    flat = jax.tree.map(lambda leaf: leaf.reshape(-1), state)
    return in_batches(encode, flat).reshape(*batch, -1)


@functools.partial(jax.jit, static_argnums=(0, 1))
def _encode(env: CatcherEnv, encoder: Encoder, params: Params, state: chex.ArrayTree) -> chex.Array:
    return encoder.apply(params, render_many(env, state)).mean
