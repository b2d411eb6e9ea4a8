"""What is imported when: the exact analyser alone is quick to import, and every public name is what it says."""

import importlib
import importlib.util
import subprocess
import sys

import pytest

pytestmark = pytest.mark.wheel


def _loaded(module):
    program = f"import {module}, sys; print(*sys.modules)"
    return set(
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    )


def test_the_exact_analyser_needs_neither_networks_nor_games():
    loaded = _loaded("mi_repr.tabular")
    assert "mi_repr.tabular.search.analysis" in loaded
    assert not {"flax", "optax", "gymnasium", "metarl_envs", "rlcore", "mi_repr.deep"} & loaded


def test_the_package_itself_imports_nothing():
    assert {name for name in _loaded("mi_repr") if name.startswith(("mi_repr", "jax"))} == {"mi_repr"}


def test_training_on_frames_needs_no_games():
    loaded = _loaded("mi_repr.deep")
    assert "mi_repr.deep.pretraining" in loaded
    assert not {"gymnasium", "metarl_envs"} & loaded


@pytest.mark.parametrize("package", ["mi_repr.deep", "mi_repr.deep.catcher"])
def test_no_public_name_hides_behind_a_module_of_its_name(package):
    public = importlib.import_module(package)
    for name in public.__all__:
        found = getattr(public, name)
        # A module of that name would take the place of what is meant once it is imported.
        if found is not sys.modules.get(f"{package}.{name}"):
            assert importlib.util.find_spec(f"{package}.{name}") is None
