"""Checks that JAX makes on request, on for all tests; quick compilation and few examples, so that tests are quick."""

import importlib.util
from pathlib import Path

import jax
import pytest
from guidenet import GuidedNetwork, preset
from hypothesis import settings

jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_debug_key_reuse", True)
settings.register_profile("quick", max_examples=30, deadline=None)
settings.load_profile("quick")


@pytest.fixture(autouse=True, scope="module")
def _quick_compilation(request):
    """Compiles 2 to 8 times faster, into slower code, except where a module says `OPTIMISE = True`."""
    jax.config.update("jax_disable_most_optimizations", not getattr(request.module, "OPTIMISE", False))
    yield
    jax.config.update("jax_disable_most_optimizations", False)
    jax.clear_caches()  # a process that keeps thousands of programs runs out of memory mappings, and aborts


@pytest.fixture(scope="session", name="load_module")
def load_module_fixture():
    """A function from a path to the module there."""
    return load_module


def load_module(path):
    """A module of helpers: tests are not imported as a package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def model():
    """The smallest network, and parameters of it."""
    network = GuidedNetwork(preset("tiny"))
    return network, network.init(jax.random.key(0))


@pytest.fixture(scope="session")
def torch_files():
    """Files as PyTorch writes them."""
    return load_module(Path(__file__).with_name("torch_files.py"))


@pytest.fixture(scope="session")
def shapes():
    """Drawings of our own, for what is composed of them."""
    return load_module(Path(__file__).with_name("shapes.py"))
