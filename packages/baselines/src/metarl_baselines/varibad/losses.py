"""The equations of VariBAD, one function each.

In the shape descriptions `B` denotes trials, `S` the steps of a trial, `L` its beliefs that are decoded, `Dz` the size
of the task variable.
"""

import chex
import jax
import jax.numpy as jnp
from rlcore.distributions import Gaussian, standard_gaussian


def belief_divergence(belief: Gaussian) -> chex.Array:
    """KL(q_t || q_{t-1}) of each belief of a trial in nats, `[B, S]` (Zintgraf et al., 2020, section 3.2).

    The prior of a belief is the one before; of the first one it is N(0, I).

    Args:
      belief: `[B, S, Dz]` after each step.
    """
    chex.assert_rank(belief.mean, 3)
    first = standard_gaussian(belief.mean[:, :1].shape)
    prior = jax.tree.map(lambda first, rest: jnp.concatenate([first, rest[:, :-1]], axis=1), first, belief)
    return belief.kl_divergence(prior)


def decoding_error(decoded: chex.Array, target: chex.Array) -> chex.Array:
    """Sum over a whole trial of (decoded - target)^2, past and future alike, `[B, L]` (the same, equation 9).

    Args:
      decoded: `[B, L, S, D]` from a belief each.
      target: `[B, S, D]`
    """
    chex.assert_rank([decoded, target], [4, 3])
    return jnp.sum((decoded - target[:, None]) ** 2, axis=(-2, -1))
