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
    registry._make.cache_clear()


@pytest.fixture(scope="module")
def quick_compilation():
    """Compiles faster, into slower code, for the modules that ask for it."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@pytest.fixture(scope="session")
def drawing():
    """Skips where nothing to draw with is installed."""
    mujoco = pytest.importorskip("mujoco")
    from metarl_envs.mujoco.rendering import BatchRenderer

    model = mujoco.MjModel.from_xml_string("<mujoco><worldbody><camera name='c'/></worldbody></mujoco>")
    try:
        renderer = BatchRenderer(model, ["c"])
        renderer.backend  # noqa: B018 (opens it)
        renderer.close()
    except RuntimeError as error:
        pytest.skip(str(error)) if str(error).startswith("no OpenGL library") else pytest.fail(str(error))
