"""Fixtures around the toy program, loaded by path so that the tests need no import settings."""

import runpy
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np
import pytest
from rlcore.experiment import read_metrics

PROGRAM = Path(__file__).with_name("program.py")


@pytest.fixture(scope="session")
def toy() -> SimpleNamespace:
    """The names that the toy program defines."""
    return SimpleNamespace(**runpy.run_path(str(PROGRAM)))


@pytest.fixture(scope="session")
def assert_same() -> Any:
    """A check that two trees are equal in structure, types and every bit."""

    def check(actual: Any, expected: Any) -> None:
        assert jax.tree.structure(actual) == jax.tree.structure(expected)
        for (path, one), two in zip(
            jax.tree_util.tree_leaves_with_path(actual), jax.tree.leaves(expected), strict=True
        ):
            name = jax.tree_util.keystr(path)
            assert type(one) is type(two), name
            assert getattr(one, "aval", None) == getattr(two, "aval", None), name
            if hasattr(one, "dtype") and jax.dtypes.issubdtype(one.dtype, jax.dtypes.prng_key):
                assert jax.random.key_impl(one) == jax.random.key_impl(two), name
                one, two = jax.random.key_data(one), jax.random.key_data(two)
            one, two = np.asarray(one), np.asarray(two)
            assert (one.dtype, one.shape, one.tobytes()) == (two.dtype, two.shape, two.tobytes()), name

    return check


@pytest.fixture(scope="session")
def read_timeless() -> Callable[[Path], list[dict[str, Any]]]:
    """A reader of a run's metrics without those that differ from run to run."""

    def read(run_dir: Path) -> list[dict[str, Any]]:
        entries = read_metrics(run_dir)
        return [{name: value for name, value in entry.items() if not name.startswith("time/")} for entry in entries]

    return read
