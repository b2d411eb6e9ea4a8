"""Checks that JAX makes on request, on for all tests; quick compilation for tests that compute little."""

import sys
from pathlib import Path

import jax
import pytest

sys.path.insert(0, str(Path(__file__).parent))  # tests share a module of helpers

jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_debug_key_reuse", True)


@pytest.fixture(autouse=True, scope="module")
def _quick_compilation(request):
    """Compiles 2 to 8 times faster, into slower code, except where a module says `OPTIMISE = True`."""
    jax.config.update("jax_disable_most_optimizations", not getattr(request.module, "OPTIMISE", False))
    yield
    jax.config.update("jax_disable_most_optimizations", False)
    jax.clear_caches()  # a process that keeps thousands of programs runs out of memory mappings, and aborts
