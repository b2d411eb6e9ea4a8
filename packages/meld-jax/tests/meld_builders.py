"""Small agents and made-up trials."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from meld_jax import MeldAgent, Trial, preset
from rlcore.experiment import override

SHAPE, ACTION_SIZE, HORIZON = (8, 8, 3), 2, 3
SMALL = override(preset("tiny", "point-image-dense-32-v1")[0], ["model.depth=2", "model.hidden_sizes=8"])


@functools.cache
def make_small_agent(*overrides):
    """An agent for pictures of 8 x 8, two actions and episodes of three steps, two in a trial."""
    return MeldAgent(override(SMALL, overrides), SHAPE, ACTION_SIZE, HORIZON)


def init_small(agent):
    """Its state before the first update, a copy for each who asks."""
    return jax.tree.map(jnp.copy, _init(agent))


@functools.cache
def _init(agent):
    return jax.jit(agent.init)(jax.random.key(0))


@functools.partial(jax.jit, static_argnums=0)
def infer(agent, params, trials, key):
    """The beliefs at all frames, `[B, L, Db]`."""
    return agent.belief.infer(params.model, trials, key)


def make_up_trials(num_trials, num_episodes=2, seed=0, lengths=None):
    """Random trials; `lengths` of their episodes, `[B, K]`, where they end early."""
    rng = np.random.default_rng(seed)
    num_frames = num_episodes * (HORIZON + 1)
    step = np.arange(num_frames) % (HORIZON + 1)
    first = np.broadcast_to(step == 0, (num_trials, num_frames))
    lengths = np.full((num_trials, num_episodes), HORIZON) if lengths is None else np.asarray(lengths)
    valid = step <= np.repeat(lengths, HORIZON + 1, axis=1)
    ended = (step == np.repeat(lengths, HORIZON + 1, axis=1)) & (np.repeat(lengths, HORIZON + 1, axis=1) < HORIZON)
    signals = (rng.normal(size=(num_trials, num_frames)).astype(np.float32) * ~first for _ in range(3))
    return Trial(
        jnp.asarray(rng.integers(0, 256, (num_trials, num_frames, *SHAPE), np.uint8)),
        jnp.asarray(rng.uniform(-1, 1, (num_trials, num_frames, ACTION_SIZE)).astype(np.float32) * ~first[..., None]),
        *map(jnp.asarray, signals),
        jnp.asarray(np.where(ended, 0, 1).astype(np.float32)),
        jnp.asarray(first),
        jnp.asarray(valid),
    )
