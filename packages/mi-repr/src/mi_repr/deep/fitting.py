"""The fit that probes and the regression onto Q* share: Adam on batches of rows, its step size along a cosine.

In the shape descriptions `B` denotes rows.
"""

from collections.abc import Callable

import chex
import jax
import optax
from rlcore.types import Params

Loss = Callable[[Params, chex.Array, chex.Array], chex.Array]
"""`(params, inputs, targets) -> scalar`, of a batch of rows."""


def fit(
    loss: Loss,
    params: Params,
    inputs: chex.Array,
    targets: chex.Array,
    key: chex.PRNGKey,
    *,
    num_updates: int,
    batch_size: int,
    learning_rate: float,
) -> Params:
    """Minimises a loss over rows; traceable; the key is consumed.

    Args:
      loss: what is minimised.
      params: to start from.
      inputs: `[B, ...]`
      targets: `[B, ...]`
      key: consumed.
      num_updates: gradient steps.
      batch_size: rows of a step, drawn with replacement.
      learning_rate: Adam's at first; it falls to 0.
    """
    chex.assert_equal_shape_prefix([inputs, targets], 1)
    optimiser = optax.adam(optax.cosine_decay_schedule(learning_rate, num_updates))

    def step(carry: tuple[Params, optax.OptState], key: chex.PRNGKey) -> tuple[tuple[Params, optax.OptState], None]:
        params, moments = carry
        rows = jax.random.randint(key, (batch_size,), 0, inputs.shape[0])
        grads = jax.grad(loss)(params, inputs[rows], targets[rows])
        updates, moments = optimiser.update(grads, moments)
        return (optax.apply_updates(params, updates), moments), None

    (params, _), _ = jax.lax.scan(step, (params, optimiser.init(params)), jax.random.split(key, num_updates))
    return params
