"""Checks that JAX makes on request, on for all tests; a registry to write to."""

import jax
import pytest
from metarl_envs import registry

jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_debug_key_reuse", True)


@pytest.fixture
def scratch_registry(monkeypatch):
    """What a test registers is forgotten after it."""
    monkeypatch.setattr(registry, "_MAKERS", dict(registry._MAKERS))
    yield
    registry.benchmark.cache_clear()


@pytest.fixture(scope="module")
def quick_compilation():
    """Compiles faster, into slower code, for the modules that ask for it."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)
