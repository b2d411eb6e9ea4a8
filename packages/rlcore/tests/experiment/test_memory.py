"""Memory: what a run holds is counted, said, and refused where it does not fit."""

from pathlib import Path
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import pytest
from rlcore.experiment import RunError, check_memory, memory, num_bytes


def test_bytes_of_arrays_shapes_and_keys() -> None:
    tree = {"a": jnp.zeros((3, 5), jnp.float32), "b": jax.ShapeDtypeStruct((7,), jnp.int8), "key": jax.random.key(0)}
    assert num_bytes(tree) == 3 * 5 * 4 + 7 + 8


def test_this_machine_has_some() -> None:
    available = memory.available_bytes()
    assert available is None or available > 1e6


def test_a_run_that_fits_is_described(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: 8_000_000_000)
    line = check_memory({"replay": 2_500_000_000, "networks": 20_000_000}, "lower it")
    assert line == "memory: replay 2.50 GB, networks 0.02 GB; available: 8.00 GB"


def test_a_run_that_does_not_fit_is_refused_with_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: 1_000_000_000)
    with pytest.raises(RunError, match=r"does not fit into memory: replay 2.50 GB; available: 1.00 GB; lower it"):
        check_memory({"replay": 2_500_000_000}, "lower it")


def test_where_nobody_knows_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: None)
    assert check_memory({"replay": 10**15}, "lower it") == "memory: replay 1000000.00 GB"


def test_a_container_s_limit_counts(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("5000\n")
    (tmp_path / "memory.current").write_text("2000\n")
    assert memory._available_in_container(tmp_path) == 3000
    (tmp_path / "memory.max").write_text("max\n")
    assert memory._available_in_container(tmp_path) is None


def test_an_accelerator_says_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    stats = {"bytes_limit": 70, "bytes_in_use": 20}
    device = SimpleNamespace(platform="gpu", memory_stats=lambda: stats)
    monkeypatch.setattr(jax, "devices", lambda: [device])
    assert memory.available_bytes() == 50
    device.memory_stats = lambda: None
    assert memory.available_bytes() is None
