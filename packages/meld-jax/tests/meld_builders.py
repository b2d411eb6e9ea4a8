"""Small agents and made-up trials."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from meld_jax import preset
from meld_jax.agent import MeldAgent
from meld_jax.filtering import Trial
from metarl_envs import benchmark
from rlcore.experiment import override

SHAPE, ACTION_SIZE, HORIZON = (8, 8, 3), 2, 3
NUM_FRAMES = 2 * (HORIZON + 1)
SMALL = override(preset("tiny", benchmark("point-image-dense-32-v1")).config, ["model.depth=2", "model.hidden_sizes=8"])


@functools.cache
def make_small_agent(*overrides):
    """An agent for pictures of 8 x 8, two actions and episodes of three steps, two in a trial."""
    return MeldAgent(override(SMALL, overrides), SHAPE, ACTION_SIZE, NUM_FRAMES)


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
    """Random trials; `lengths` of their episodes, a list for each trial, where they end early."""
    rng = np.random.default_rng(seed)
    num_frames = num_episodes * (HORIZON + 1)
    lengths = [[HORIZON] * num_episodes] * num_trials if lengths is None else lengths
    first, valid, ended = np.zeros((3, num_trials, num_frames), bool)
    for trial, episodes in enumerate(lengths):
        starts = np.cumsum([0, *(length + 1 for length in episodes)])
        first[trial, starts[:-1]] = True
        valid[trial, : starts[-1]] = True
        ended[trial, [end - 1 for end, length in zip(starts[1:], episodes, strict=True) if length < HORIZON]] = True
    earned = valid & ~first
    signals = (rng.normal(size=(num_trials, num_frames)).astype(np.float32) * earned for _ in range(3))
    return Trial(
        jnp.asarray(rng.integers(0, 256, (num_trials, num_frames, *SHAPE), np.uint8)),
        jnp.asarray(rng.uniform(-1, 1, (num_trials, num_frames, ACTION_SIZE)).astype(np.float32) * earned[..., None]),
        *map(jnp.asarray, signals),
        jnp.asarray(np.where(ended, 0, 1).astype(np.float32)),
        jnp.asarray(first),
        jnp.asarray(valid),
    )
