"""The linear baseline of the code behind the thesis's curves, in place of a network's values.

In the shape descriptions `B` denotes trials, `S` the steps of a trial.
"""

import chex
import jax
import jax.numpy as jnp
from rlcore.policy_gradient import fit_linear, generalised_advantages, linear_features

from metarl_baselines.rl2.config import RL2Config
from metarl_baselines.trials import Trials


def linear_values(config: RL2Config, trials: Trials) -> tuple[chex.Array, chex.Array]:
    """Values before and after each step, `[B, S]` each, fitted to what each trial earned, for that trial alone.

    They are linear in features of the observation and of the time since credit began: of an episode, or of the trial.
    Where credit ends, nothing follows; so a time limit counts as a termination, as in that code.
    """
    last = jnp.zeros_like(trials.ended).at[:, -1].set(True)
    ends = last | trials.ended if config.credit == "episode" else last
    features = linear_features(trials.obs, _count_steps(ends))
    zero, trace = jnp.zeros_like(trials.training_reward), config.ppo.discount * (1 - ends.astype(jnp.float32))
    earned = generalised_advantages(*(leaf.T for leaf in (trials.training_reward, zero, zero, zero, trace))).T
    coefficients = jax.vmap(fit_linear)(features, earned, jnp.ones_like(earned))
    value = jnp.einsum("bsf,bf->bs", features, coefficients)
    return value, jnp.where(ends, 0.0, jnp.roll(value, -1, axis=1))


def _count_steps(ends: chex.Array) -> chex.Array:
    """`[B, S]` int32: steps since the beginning, or since the last end before."""
    steps = jnp.broadcast_to(jnp.arange(ends.shape[1], dtype=jnp.int32), ends.shape)
    begins = jnp.concatenate([jnp.ones_like(ends[:, :1]), ends[:, :-1]], axis=1)
    return steps - jax.lax.cummax(jnp.where(begins, steps, 0), axis=1)
