"""The linear baseline of the code behind the thesis's curves, in place of a network's values.

In the shape descriptions `B` denotes trials, `S` the steps of a trial.
"""

from functools import partial

import chex
import jax
import jax.numpy as jnp
from rlcore import policy_gradient

from metarl_baselines.rl2.config import RL2Config
from metarl_baselines.trials import Trials


def linear_values(config: RL2Config, trials: Trials) -> tuple[chex.Array, chex.Array]:
    """Values before and after each step, `[B, S]` each, fitted to what each trial earned, for that trial alone.

    They are linear in features of the observation and of the time since credit began: of an episode, or of the trial.
    Where credit ends, nothing follows; so a time limit counts as a termination, as in that code.
    """
    last = jnp.zeros_like(trials.ended).at[:, -1].set(True)
    ends = last | trials.ended if config.credit == "episode" else last
    fit = partial(policy_gradient.linear_values, discount=config.ppo.discount)
    counted = jnp.ones_like(trials.training_reward)
    return jax.vmap(fit)(trials.obs, _count_steps(ends), trials.training_reward, ends, counted)


def _count_steps(ends: chex.Array) -> chex.Array:
    """`[B, S]` int32: steps since the beginning, or since the last end before."""
    steps = jnp.broadcast_to(jnp.arange(ends.shape[1], dtype=jnp.int32), ends.shape)
    begins = jnp.concatenate([jnp.ones_like(ends[:, :1]), ends[:, :-1]], axis=1)
    return steps - jax.lax.cummax(jnp.where(begins, steps, 0), axis=1)
