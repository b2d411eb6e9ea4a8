"""The head's warm-up: it learns first, on features of the untrained encoder.

Without it the encoder drops what the head cannot use yet, and never gets it back.
"""

import dataclasses
import functools
from typing import Any, cast

import chex
import jax
import optax
from rlcore.types import Metrics, Params

from mi_repr.deep.config import PretrainConfig
from mi_repr.deep.objectives import HeadFirst
from mi_repr.deep.sources import FeatureRuns


@functools.partial(jax.jit, static_argnums=(0, 1))
def warm_up_head(
    config: PretrainConfig, objective: HeadFirst, head: Params, runs: FeatureRuns, key: chex.PRNGKey
) -> tuple[Params, Metrics]:
    """Steps of the head on features that stay as they are; the key is consumed.

    Returns:
      The head, and the metrics of the last step.
    """
    size = min(config.warmup_batch_size, runs.num_at_once)
    # Groups as large as those to come.
    num_groups = objective.setting.num_groups
    if num_groups > 1:
        num_groups = max(1, size // (config.num_pairs // num_groups))
        setting = dataclasses.replace(objective.setting, num_groups=num_groups)
        objective = dataclasses.replace(cast(Any, objective), setting=setting)
    size -= size % num_groups
    optimiser = optax.adam(config.warmup_learning_rate)

    def step(carry: tuple[Params, optax.OptState], key: chex.PRNGKey) -> tuple[tuple[Params, optax.OptState], Metrics]:
        head, moments = carry
        features, action = runs.draw(key, size, objective.span + 1, num_groups, config.warmup_same_step_share)
        grads, metrics = jax.grad(objective.head_loss, has_aux=True)(head, features, action)
        updates, moments = optimiser.update(grads, moments)
        return (optax.apply_updates(head, updates), moments), metrics

    keys = jax.random.split(key, config.num_warmup_updates)
    (head, _), metrics = jax.lax.scan(step, (head, optimiser.init(head)), keys)
    return head, {f"warmup/{name.split('/')[-1]}": values[-1] for name, values in metrics.items()}
