"""What a trial tells the memory at each step, and how far its rewards are credited.

In the shape descriptions `B` denotes trials, `S` the steps of a trial, `...` any batch dimensions.
"""

from typing import Any, Literal, NamedTuple, Protocol

import chex
import jax
import jax.numpy as jnp
from gymnasium import spaces
from metarl_envs import is_picture
from rlcore.meta import Visit
from rlcore.rollout import find_ends


class TrialOptions(Protocol):
    """The options of an algorithm that say what a trial tells, and how far its rewards are credited."""

    @property
    def credit(self) -> Literal["trial", "episode"]:
        """How far credit reaches: `trial` counts what later episodes earn, `episode` ends with each episode."""
        ...

    @property
    def bootstrap_at_end(self) -> bool:
        """Whether what would follow on a trial counts too."""
        ...

    @property
    def border_in_memory(self) -> bool:
        """Whether the first input of an episode tells that one begins, and the last action and reward before."""
        ...


class Inputs(NamedTuple):
    """What a memory is told at a step.

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


def blank_trials(shape: tuple[int, ...], obs_space: spaces.Space[Any], action_size: int) -> Trials:
    """The shapes of trials `[*shape, ...]`, such as `(B, S)`."""
    obs_dtype = obs_space.dtype if is_picture(obs_space) else jnp.float32
    obs = jax.ShapeDtypeStruct((*shape, *(obs_space.shape or ())), obs_dtype)
    action = jax.ShapeDtypeStruct((*shape, action_size), jnp.float32)
    number, flag = (jax.ShapeDtypeStruct(shape, dtype) for dtype in (jnp.float32, bool))
    return Trials(obs, action, number, number, obs, number, flag)


def make_inputs(
    options: TrialOptions, obs: chex.Array, action: chex.Array, reward: chex.Array, begins: chex.Array
) -> Inputs:
    """What a memory is told of the step before; the options decide whether that crosses borders of episodes."""
    action = jnp.clip(action, -1, 1)
    if not options.border_in_memory:
        within = 1 - begins
        action, reward, begins = within[..., None] * action, within * reward, jnp.zeros_like(begins)
    return Inputs(obs, action, reward, begins)


def inputs_before(options: TrialOptions, trials: Trials) -> Inputs:
    """What the memory was told before each action, `[B, S, ...]`."""

    def shift(leaf: chex.Array, first: float) -> chex.Array:
        return jnp.concatenate([jnp.full_like(leaf[:, :1], first), leaf[:, :-1]], axis=1)

    begins = shift(trials.ended.astype(jnp.float32), 1.0)
    return make_inputs(options, trials.obs, shift(trials.action, 0.0), shift(trials.reward, 0.0), begins)


def append(told: Inputs, last: Inputs) -> Inputs:
    """Inputs `[B, S, ...]` and those `[B, 1, ...]` behind them as one, `[B, S + 1, ...]`."""
    return jax.tree.map(lambda *leaves: jnp.concatenate(leaves, axis=1), told, last)


def inputs_after(options: TrialOptions, trials: Trials) -> Inputs:
    """What follows on each step as far as credit reaches, `[B, S, ...]`.

    Within an episode that is the next observation. Where an episode ended it is the first one of the next episode if
    credit crosses the border, else the last one of this episode. Behind the trial's last step the next episode begins
    as the trial did: its first observation is another draw from the same distribution.
    """
    if options.credit == "episode":
        return make_inputs(options, trials.next_obs, trials.action, trials.reward, jnp.zeros_like(trials.discount))
    ended = trials.ended[:, -1].reshape(-1, *[1] * (trials.obs.ndim - 2))
    last = jnp.where(ended, trials.obs[:, 0], trials.next_obs[:, -1])
    obs = jnp.concatenate([trials.obs[:, 1:], last[:, None]], axis=1)
    return make_inputs(options, obs, trials.action, trials.reward, trials.ended.astype(jnp.float32))


def continues(options: TrialOptions, trials: Trials) -> chex.Array:
    """1 where what follows on a step counts, else 0, `[B, S]`: a trial goes on where its episodes end.

    Where credit ends with each episode, what follows counts unless the step terminated it; after a time limit it does.
    """
    if options.credit == "episode":
        return trials.discount
    return jnp.ones_like(trials.discount).at[:, -1].set(float(options.bootstrap_at_end))
