"""Many gradient steps in one dispatch."""

import functools
from collections.abc import Callable
from typing import Any

import chex
import jax
import jax.numpy as jnp

from rlcore.types import Metrics

_CPU_OPTIONS = {"xla_cpu_experimental_ynn_fusion_type": ""}
"""Leaves XLA's matrix products unfused: its fused ones cost wide networks a fifth more time."""


def make_update_many(
    update: Callable[[Any, Any, chex.PRNGKey], tuple[Any, Metrics]],
    sample: Callable[[Any, chex.PRNGKey], Any],
    *,
    with_convolutions: bool = False,
) -> Callable[[Any, Any, chex.PRNGKey, int], tuple[Any, Metrics]]:
    """Many gradient steps in one dispatch.

    Args:
      update: `(state, batch, key) -> (state, metrics)`, such as `SAC.update`.
      sample: `(replay, key) -> batch`.
      with_convolutions: whether a step learns XLA's convolutions, such as flax's layers, whose gradients are a hundred
        times slower inside of loops on a CPU. There each step is then dispatched for itself, to the same numbers.
        Layers of `rlcore.networks` are as fast inside.

    Returns:
      `update_many(state, replay, key, num_updates) -> (state, metrics)`: jitted, the state donated, compiled once for
      each `num_updates`; metrics are means over the steps; the key is consumed.
    """

    def step(state: Any, replay: Any, key: chex.PRNGKey) -> tuple[Any, Metrics]:
        sample_key, update_key = jax.random.split(key)
        return update(state, sample(replay, sample_key), update_key)

    def update_many(state: Any, replay: Any, key: chex.PRNGKey, num_updates: int) -> tuple[Any, Metrics]:
        keys = jax.random.split(key, num_updates)
        state, metrics = jax.lax.scan(lambda state, key: step(state, replay, key), state, keys)
        return state, jax.tree.map(jnp.mean, metrics)

    jit_step = jax.jit(step, donate_argnums=0, compiler_options=_compiler_options())

    def update_one_by_one(state: Any, replay: Any, key: chex.PRNGKey, num_updates: int) -> tuple[Any, Metrics]:
        rows = []
        for one in jax.random.split(key, num_updates):
            state, metrics = jit_step(state, replay, one)
            rows.append(metrics)
        return state, jax.tree.map(lambda *values: jnp.mean(jnp.stack(values)), *rows)

    if with_convolutions and jax.default_backend() == "cpu":
        return update_one_by_one
    return jax.jit(update_many, static_argnums=3, donate_argnums=0, compiler_options=_compiler_options())


def make_update_epochs(
    update: Callable[[Any, Any], tuple[Any, Metrics]],
) -> Callable[[Any, Any, chex.PRNGKey, int, int], tuple[Any, Metrics]]:
    """Several epochs over one batch in one dispatch.

    Args:
      update: `(state, minibatch) -> (state, metrics)`, such as `PPO.update`. Convolutions in it should be those of
        `rlcore.networks`: flax's are a hundred times slower inside of loops on a CPU.

    Returns:
      `update_epochs(state, batch, key, num_epochs, num_minibatches) -> (state, metrics)`: jitted, the state donated,
      compiled once for each pair of numbers; metrics are means over the steps; the key is consumed. Each epoch cuts the
      items of the batch, its leaves being `[B, ...]`, into minibatches of equal size at random; where they do not come
      out even, each epoch leaves others out.
    """

    def step(state: Any, batch: Any, ids: chex.Array) -> tuple[Any, Metrics]:
        return update(state, jax.tree.map(lambda leaf: leaf[ids], batch))

    def update_epochs(
        state: Any, batch: Any, key: chex.PRNGKey, num_epochs: int, num_minibatches: int
    ) -> tuple[Any, Metrics]:
        ids = _draw_minibatches(batch, key, num_epochs, num_minibatches)
        state, metrics = jax.lax.scan(lambda state, ids: step(state, batch, ids), state, ids)
        return state, jax.tree.map(jnp.mean, metrics)

    return jax.jit(update_epochs, static_argnums=(3, 4), donate_argnums=0, compiler_options=_compiler_options())


def _draw_minibatches(batch: Any, key: chex.PRNGKey, num_epochs: int, num_minibatches: int) -> chex.Array:
    """Numbers of items, `[num_epochs * num_minibatches, size]`; within an epoch all different; the key is consumed."""
    num_items = jax.tree.leaves(batch)[0].shape[0]
    size = num_items // num_minibatches
    keys = jax.random.split(key, num_epochs)
    order = jax.vmap(lambda key: jax.random.permutation(key, num_items))(keys)
    return order[:, : size * num_minibatches].reshape(num_epochs * num_minibatches, size)


@functools.cache
def _compiler_options() -> dict[str, str]:
    """Those for this backend; an XLA that does not know one of them does without."""
    if jax.default_backend() != "cpu":
        return {}
    try:
        jax.jit(jnp.negative, compiler_options=_CPU_OPTIONS).lower(jnp.zeros(())).compile()
    except jax.errors.JaxRuntimeError:
        return {}
    return _CPU_OPTIONS
