"""What the belief holds while trials are played (thesis, figure 24).

In the shape descriptions `N` denotes the tasks, `L` the frames of a trial, `S` the samples of a belief.
"""

from functools import partial
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
from rlcore.meta import Visit

from meld_jax.agent import AgentParams, MeldAgent
from meld_jax.filtering import Trial, filter_trials
from meld_jax.frames import make_trials


class Diagnosis(NamedTuple):
    """What the belief says of the training reward, by frame.

    expected: `[N, L]` mean over samples of the belief.
    variance: `[N, L]` of the reward's mean between samples, what the belief leaves open.
    reward: `[N, L]` the true one.
    image: `[N, L, H, W, C]` in [0, 1], the mean picture of one sample.
    """

    expected: np.ndarray
    variance: np.ndarray
    reward: np.ndarray
    image: np.ndarray


def diagnose(
    agent: MeldAgent, params: AgentParams, visit: Visit, key: chex.PRNGKey, num_samples: int = 16
) -> Diagnosis:
    """Filters what was played once more, and asks the belief for the training reward; the key is consumed.

    Args:
      agent: what played.
      params: its parameters.
      visit: leaves `[T, N, ...]`.
      key: consumed.
      num_samples: `S`.
    """
    frames = make_trials(agent.config, visit, agent.belief.num_frames)
    samples, image = _sample_rewards(agent, params, frames, jax.random.split(key, num_samples))
    samples = np.asarray(samples)
    return Diagnosis(samples.mean(axis=0), samples.var(axis=0), np.asarray(frames.training_reward), np.asarray(image))


@partial(jax.jit, static_argnums=0)
def _sample_rewards(
    agent: MeldAgent, params: AgentParams, frames: Trial, keys: chex.PRNGKey
) -> tuple[chex.Array, chex.Array]:
    """Expected rewards `[S, N, L]` by as many passes, and the pictures of the last one."""
    model, model_params = agent.model, params.model

    def filter_once(key: chex.PRNGKey) -> tuple[chex.Array, chex.Array]:
        latents, _ = filter_trials(model, model_params, frames, agent.belief.draw_noise(key, frames))
        return latents.z1, latents.z2

    z1, z2 = jax.lax.map(filter_once, keys)
    image = model.apply(model_params, z1[-1], z2[-1], method="decode_image")
    return model.apply(model_params, z1, z2, method="decode_reward"), jnp.clip(image, 0, 1)
