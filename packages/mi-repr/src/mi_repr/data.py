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


class Frames(NamedTuple):
    """A batch for an objective.

    image: `[W, L, S, S, C]` uint8.
    action: `[W, L]` int32 taken at each frame; the last one is not used.
    """

    image: chex.Array
    action: chex.Array


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


def sample_frames(env: CatcherEnv, episodes: Episodes, key: chex.PRNGKey, num_windows: int, window_size: int) -> Frames:
    """Draws runs of `window_size` consecutive frames, uniformly and with replacement; the key is consumed."""
    num_episodes, num_steps = episodes.action.shape
    if window_size > num_steps + 1:
        raise ValueError(f"window_size must be at most {num_steps + 1}, the frames of an episode, got {window_size}")
    episode_key, start_key = jax.random.split(key)
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
