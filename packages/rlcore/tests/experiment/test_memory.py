"""Memory: what a run holds is counted, said, and refused where it does not fit."""

import subprocess
import sys
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


@pytest.fixture
def small_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "resident_bytes", lambda: 300_000_000)
    monkeypatch.setattr(memory, "COMPILER_BYTES", 600_000_000)


@pytest.mark.usefixtures("small_program")
def test_a_run_that_fits_is_described(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: 8_000_000_000)
    line = check_memory({"replay": 2_500_000_000, "networks": 20_000_000}, "lower it")
    parts = "replay 2.50 GB, networks 0.02 GB, program 0.90 GB"
    assert line == f"memory: {parts}; 3.42 GB in all on cpu; available: 8.00 GB"


@pytest.mark.usefixtures("small_program")
def test_a_run_that_does_not_fit_is_refused_with_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: 3_000_000_000)
    numbers = r"replay 2.50 GB, program 0.90 GB; available: 3.00 GB on cpu; lower it"
    with pytest.raises(RunError, match=rf"does not fit into memory: {numbers}$"):
        check_memory({"replay": 2_500_000_000}, "lower it")
    # What the process has already is no longer available, so it is not asked for again.
    check_memory({"replay": 2_400_000_000}, "lower it")


@pytest.mark.usefixtures("small_program")
def test_where_nobody_knows_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: None)
    line = check_memory({"replay": 10**15}, "lower it")
    assert line == "memory: replay 1000000.00 GB, program 0.90 GB; 1000000.90 GB in all on cpu"


def test_the_program_is_on_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    stats = {"bytes_limit": 3 * 10**9, "bytes_in_use": 0}
    device = SimpleNamespace(platform="gpu", device_kind="NVIDIA H200", memory_stats=lambda: stats)
    monkeypatch.setattr(jax, "devices", lambda: [device])
    line = check_memory({"replay": 3 * 10**9}, "lower it")
    assert line == "memory: replay 3.00 GB; 3.00 GB in all on NVIDIA H200; available: 3.00 GB"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_what_is_announced_is_what_is_taken() -> None:
    """A process of its own: how much it takes at most, beside what it said."""
    done = subprocess.run([sys.executable, "-c", MEASURED], capture_output=True, text=True, check=True)
    announced, taken = map(float, done.stdout.split())
    assert announced == pytest.approx(taken, rel=0.25), done.stdout


MEASURED = """
import tempfile
import jax, jax.numpy as jnp
from rlcore.experiment import Run, check_memory, memory

memory.COMPILER_BYTES = 100_000_000  # for programs of one line
line = check_memory({"replay": 1_000_000_000}, "")
init = jax.jit(lambda: [jnp.full(12_500_000, i, jnp.float32) for i in range(20)])
step = jax.jit(lambda state: [x + 1 for x in state], donate_argnums=0)
directory = tempfile.mkdtemp()
for last in (2, 4):  # the second time it is restored
    with Run.open(directory, {}, keep=1) as run:
        state, start = run.restore_or_init(init)
        for iteration in run.iterations(start, last):
            state = step(state)
            run.finish_iteration(iteration, state, {})
    del state
# Not getrusage's maximum, which a process takes over from the one that started it.
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) * 1024 / 1e9
import shutil
shutil.rmtree(directory)
print(line.split("; ")[1].split()[0], peak)
"""


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
