"""What is imported when: the exact analyser alone is quick to import, and every public name is what it says."""

import ast
import importlib
import importlib.util
import subprocess
import sys
from pathlib import Path

import mi_repr
import pytest

pytestmark = pytest.mark.wheel


def test_the_exact_analyser_needs_neither_networks_nor_games():
    program = "import mi_repr.tabular, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert "mi_repr.tabular.analysis" in loaded
    assert not {"flax", "optax", "gymnasium", "metarl_envs", "rlcore"} & set(loaded)


def test_public_names_are_those_of_their_modules():
    tree = ast.parse(Path(mi_repr.__file__).read_text())
    declared = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("mi_repr"):
            declared |= {alias.name: node.module for alias in node.names}
    assert sorted(declared) == sorted(mi_repr.__all__)
    for name, module in declared.items():
        if module == "mi_repr":
            assert getattr(mi_repr, name) is importlib.import_module(f"mi_repr.{name}")
        else:
            assert getattr(mi_repr, name) is getattr(importlib.import_module(module), name)
            # A module of that name would take the place of what is meant once it is imported.
            assert importlib.util.find_spec(f"mi_repr.{name}") is None
    assert set(mi_repr.__all__) <= set(dir(mi_repr))


def test_other_names_do_not_exist():
    with pytest.raises(AttributeError, match="module 'mi_repr' has no attribute 'experiments'"):
        _ = mi_repr.experiments
    with pytest.raises(ImportError, match="cannot import name 'Experiments'"):
        exec("from mi_repr import Experiments")
