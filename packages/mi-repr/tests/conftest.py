"""Checks that JAX makes on request, on for all tests; quick compilation for tests that compute little; a kill."""

import jax
import pytest

jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_debug_key_reuse", True)


@pytest.fixture(autouse=True, scope="module")
def _quick_compilation(request):
    """Compiles 2 to 8 times faster, into slower code, except where a module says `OPTIMISE = True`."""
    jax.config.update("jax_disable_most_optimizations", not getattr(request.module, "OPTIMISE", False))
    yield
    jax.config.update("jax_disable_most_optimizations", False)
    jax.clear_caches()  # a process that keeps thousands of programs runs out of memory mappings, and aborts


@pytest.fixture
def stopped():
    """`stopped(run, last)`: the run, whose program is killed after iteration `last`."""

    def stop(run, last):
        finish = run.finish_iteration

        def finish_iteration(iteration, state, metrics):
            finish(iteration, state, metrics)
            if iteration == last:
                raise SystemExit

        run.finish_iteration = finish_iteration
        return run

    return stop
