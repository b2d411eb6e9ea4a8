"""What a trial tells the memory at each step, and how far its rewards are credited.

In the shape descriptions `B` denotes trials, `S` the steps of a trial, `...` any batch dimensions.
"""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
from rlcore.meta import Visit
from rlcore.policy_gradient import episode_discounts
from rlcore.rollout import find_ends

from metarl_baselines.rl2.config import RL2Config


class Inputs(NamedTuple):
    """What the network is told at a step.

    obs: `[..., Do]`, or pictures `[..., H, W, C]`.
    action: `[..., Da]` of the step before, as the environment was given it; 0 at the first step of a trial.
    reward: `[...]` that it earned.
    begins: `[...]` 1 where an episode begins, else 0.
    """

    obs: chex.Array
    action: chex.Array
    reward: chex.Array
    begins: chex.Array


class Trials(NamedTuple):
    """Trials `[B, S, ...]` from their first step on.

    obs, action, reward, discount, next_obs: see `rlcore.types.Transition`.
    training_reward: `[B, S]` what trains.
    ended: `[B, S]` bool, whether an episode ended with the step, by termination or a time limit.
    """

    obs: chex.Array
    action: chex.Array
    reward: chex.Array
    discount: chex.Array
    next_obs: chex.Array
    training_reward: chex.Array
    ended: chex.Array


def make_trials(visit: Visit, training_reward: chex.Array) -> Trials:
    """A visit `[S, B]` as trials.

    Args:
      visit: with the benchmark's own reward.
      training_reward: `[S, B]`
    """
    trials = Trials(*visit.trajectory.transition, training_reward, find_ends(visit.trajectory))
    return jax.tree.map(lambda leaf: jnp.swapaxes(leaf, 0, 1), trials)


def make_inputs(
    config: RL2Config, obs: chex.Array, action: chex.Array, reward: chex.Array, begins: chex.Array
) -> Inputs:
    """What the network is told of the step before; `config` decides whether that crosses borders of episodes."""
    action = jnp.clip(action, -1, 1)
    if not config.border_in_memory:
        within = 1 - begins
        action, reward, begins = within[..., None] * action, within * reward, jnp.zeros_like(begins)
    return Inputs(obs, action, reward, begins)


def inputs_before(config: RL2Config, trials: Trials) -> Inputs:
    """What the network was told before each action, `[B, S, ...]`."""

    def shift(leaf: chex.Array, first: float) -> chex.Array:
        return jnp.concatenate([jnp.full_like(leaf[:, :1], first), leaf[:, :-1]], axis=1)

    begins = shift(trials.ended.astype(jnp.float32), 1.0)
    return make_inputs(config, trials.obs, shift(trials.action, 0.0), shift(trials.reward, 0.0), begins)


def inputs_after(config: RL2Config, trials: Trials) -> Inputs:
    """What follows on each step as far as credit reaches, `[B, S, ...]`.

    Within an episode that is the next observation. Where an episode ended it is the first one of the next episode if
    credit crosses the border, else the last one of this episode. Behind the trial's last step the next episode begins
    as the trial did: its first observation is another draw from the same distribution.
    """
    if config.credit == "episode":
        return make_inputs(config, trials.next_obs, trials.action, trials.reward, jnp.zeros_like(trials.discount))
    ended = trials.ended[:, -1].reshape(-1, *[1] * (trials.obs.ndim - 2))
    last = jnp.where(ended, trials.obs[:, 0], trials.next_obs[:, -1])
    obs = jnp.concatenate([trials.obs[:, 1:], last[:, None]], axis=1)
    return make_inputs(config, obs, trials.action, trials.reward, trials.ended.astype(jnp.float32))


def credit_discounts(config: RL2Config, trials: Trials) -> tuple[chex.Array, chex.Array]:
    """Both discounts of `generalised_advantages`, `[B, S]` each: a trial goes on where its episodes end."""
    gamma, gae_lambda = config.ppo.discount, config.ppo.gae_lambda
    if config.credit == "episode":
        return episode_discounts(trials.discount, trials.ended, gamma, gae_lambda)
    follows = jnp.ones_like(trials.discount).at[:, -1].set(float(config.bootstrap_at_end))
    return gamma * follows, gamma * gae_lambda * follows
