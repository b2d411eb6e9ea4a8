"""Episodes of a uniformly random policy, kept as states: frames are drawn where they are used.

In the shape descriptions `E` denotes episodes, `T` steps of an episode, `W` runs of consecutive frames of a batch, `L`
the frames of a run and `S` the side of an image.
"""

import functools
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
from metarl_envs.catcher import CatcherEnv, CatcherState, CatcherTask, render

from mi_repr.deep.sources import Frames


class Episodes(NamedTuple):
    """Whole episodes.

    state: `[E, T + 1]`, the last one included.
    action: `[E, T]` int32.
    """

    state: CatcherState
    action: chex.Array

    @property
    def num_episodes(self) -> int:
        """`E`."""
        return self.action.shape[0]


@functools.partial(jax.jit, static_argnames=("env", "num_episodes", "horizon"))
def collect(env: CatcherEnv, task: CatcherTask, key: chex.PRNGKey, num_episodes: int, horizon: int) -> Episodes:
    """Plays episodes with a uniformly random policy; the key is consumed.

    Args:
      env: a game all of whose episodes last `horizon` steps.
      task: which backgrounds there are.
      key: consumed.
      num_episodes: `E`.
      horizon: `T`.
    """

    def play(key: chex.PRNGKey) -> Episodes:
        start_key, action_key, step_key = jax.random.split(key, 3)
        start = env.initial(start_key, task)
        actions = jax.random.randint(action_key, (horizon,), 0, env.num_actions)

        def step(state: CatcherState, inputs: tuple[chex.Array, chex.PRNGKey]) -> tuple[CatcherState, CatcherState]:
            action, key = inputs
            state = env.transition(state, action, key, task)
            return state, state

        _, later = jax.lax.scan(step, start, (actions, jax.random.split(step_key, horizon)))
        states = jax.tree.map(lambda first, rest: jnp.concatenate([first[None], rest]), start, later)
        return Episodes(states, actions)

    return jax.vmap(play)(jax.random.split(key, num_episodes))


def by_background(episodes: Episodes) -> Episodes:
    """The episodes in the order of their first backgrounds, as `draw_groups` needs them."""
    order = jnp.argsort(episodes.state.background[:, 0], stable=True)
    return jax.tree.map(lambda leaf: leaf[order], episodes)


def draw_groups(episodes: Episodes, key: chex.PRNGKey, num_groups: int, group_size: int) -> chex.Array:
    """Draws episodes, `[num_groups, group_size]` indices, such that those of a group share a background.

    Args:
      episodes: from `by_background`.
      key: consumed.
      num_groups: each with the background of an episode drawn uniformly.
      group_size: drawn with replacement.
    """
    first_key, other_key = jax.random.split(key)
    background = episodes.state.background[:, 0]
    chosen = background[jax.random.randint(first_key, (num_groups, 1), 0, episodes.num_episodes)]
    begin, end = (jnp.searchsorted(background, chosen, side=side) for side in ("left", "right"))
    return jax.random.randint(other_key, (num_groups, group_size), begin, end)


def sample_frames(
    env: CatcherEnv, episodes: Episodes, key: chex.PRNGKey, num_windows: int, window_size: int, num_groups: int = 1
) -> Frames:
    """Draws runs of `window_size` consecutive frames with replacement; the key is consumed.

    With several groups the runs of a group, one after the other in the batch, are of episodes with one background.
    """
    num_episodes, num_steps = episodes.action.shape
    if window_size > num_steps + 1:
        raise ValueError(f"window_size must be at most {num_steps + 1}, the frames of an episode, got {window_size}")
    episode_key, start_key = jax.random.split(key)
    if num_groups > 1:
        episode = draw_groups(episodes, episode_key, num_groups, num_windows // num_groups).reshape(-1, 1)
    else:
        episode = jax.random.randint(episode_key, (num_windows, 1), 0, num_episodes)
    start = jax.random.randint(start_key, (num_windows, 1), 0, num_steps + 2 - window_size)
    step = start + jnp.arange(window_size)[None]
    state = jax.tree.map(lambda leaf: leaf[episode, step], episodes.state)
    return Frames(render_many(env, state), episodes.action[episode, jnp.minimum(step, num_steps - 1)])


def render_many(env: CatcherEnv, state: CatcherState) -> chex.Array:
    """Draws states of any batch dimensions `[...]`: `[..., S, S, C]` uint8."""
    batch = state.paddle_x.shape
    flat = jax.tree.map(lambda leaf: leaf.reshape(-1), state)
    images = jax.vmap(functools.partial(render, env))(flat)
    return images.reshape(*batch, *images.shape[1:])
