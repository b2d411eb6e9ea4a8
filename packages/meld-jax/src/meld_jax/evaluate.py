"""Meta-testing (thesis, Algorithm 4): how well tasks never seen are solved, and what the belief holds meanwhile.

In the shape descriptions `N` denotes the tasks, `K` the episodes of a trial, `T` the steps of an episode, `L` the
frames of a trial, `S` the samples of a belief.
"""

from functools import partial
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np
from metarl_envs import TaskFamily, Tasks, take_tasks
from rlcore.meta import Outcome, TrialPlayer, Trials
from rlcore.types import Metrics

from meld_jax.agent import AgentParams, MeldAgent
from meld_jax.collect import make_trials
from meld_jax.filtering import Trial, filter_trials
from meld_jax.policy import MeldPolicy


class Diagnosis(NamedTuple):
    """What the belief says of the training reward, by frame (thesis, figure 24).

    expected: `[N, L]` mean over samples of the belief.
    variance: `[N, L]` of the reward's mean between samples, what the belief leaves open.
    reward: `[N, L]` the true one.
    image: `[N, L, H, W, C]` in [0, 1], the mean picture of one sample.
    """

    expected: np.ndarray
    variance: np.ndarray
    reward: np.ndarray
    image: np.ndarray


def make_test_policy(agent: MeldAgent) -> MeldPolicy:
    """The policy that the config's test options describe."""
    return MeldPolicy(agent, agent.config.deterministic_test)


def make_test_player(agent: MeldAgent, family: TaskFamily) -> TrialPlayer:
    """Plays trials of as many episodes as the agent was trained on."""
    return TrialPlayer(make_test_policy(agent), family, agent.config.num_episodes)


def repeat_tasks(tasks: Tasks, num_tasks: int, num_trials: int) -> Tasks:
    """Each of the first tasks so many times, task by task: `N` is the product."""
    return take_tasks(tasks, np.repeat(np.arange(num_tasks), num_trials))


def outcome_metrics(outcome: Outcome) -> Metrics:
    """Means over tasks by episode: `test/return_1`, `test/success_1`, `test/found_1`, and `test/return` of the last."""
    metrics: dict[str, chex.Array] = {}
    for what, values in (("return", outcome.returns), ("success", outcome.success), ("found", outcome.found)):
        metrics |= {f"test/{what}_{k + 1}": values[:, k].mean() for k in range(values.shape[1])}
        metrics[f"test/{what}"] = values[:, -1].mean()
    return metrics


def diagnose(
    agent: MeldAgent, params: AgentParams, trials: Trials, key: chex.PRNGKey, num_samples: int = 16
) -> Diagnosis:
    """Filters what was played once more, and asks the belief for the training reward; the key is consumed.

    Args:
      agent: what played.
      params: its parameters.
      trials: leaves `[K, T, N, ...]`.
      key: consumed.
      num_samples: `S`.
    """
    frames = make_trials(agent.config, trials)
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
