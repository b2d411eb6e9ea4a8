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
      with_convolutions: whether a step convolves. On CPU, where convolutions are many times slower inside XLA's loops,
        each step is then dispatched for itself, to the same numbers.

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
        for step_key in jax.random.split(key, num_updates):
            state, metrics = jit_step(state, replay, step_key)
            rows.append(metrics)
        return state, jax.tree.map(lambda *values: jnp.mean(jnp.stack(values)), *rows)

    if with_convolutions and jax.default_backend() == "cpu":
        return update_one_by_one
    return jax.jit(update_many, static_argnums=3, donate_argnums=0, compiler_options=_compiler_options())


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
