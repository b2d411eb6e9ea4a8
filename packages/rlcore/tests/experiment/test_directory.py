"""Run directories: refusals come before anything is written."""

import fcntl
import importlib.metadata
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from rlcore.experiment import (
    Run,
    RunError,
    load_config,
    package_versions,
    read_metrics,
    restore_latest,
    restore_part,
)
from rlcore.experiment.directory import claim, run_path

CONFIG = {"seed": 0, "sac": {"discount": 0.99, "layers": [64, 64]}}


def snapshot(directory: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in directory.rglob("*")}


def assert_refused(tmp_path: Path, run_dir: Path, config: Mapping[str, object], message: str) -> None:
    before = snapshot(tmp_path)
    with pytest.raises(RunError, match=message):
        claim(run_dir, config)
    assert snapshot(tmp_path) == before


def test_a_new_run(tmp_path: Path) -> None:
    run_dir = tmp_path / "a" / "b"
    claim(run_dir, CONFIG).close()
    assert load_config(run_dir) == CONFIG


def test_the_same_config_goes_on(tmp_path: Path) -> None:
    claim(tmp_path, CONFIG).close()
    before = snapshot(tmp_path)
    claim(tmp_path, {"seed": 0, "sac": {"discount": 0.99, "layers": (64, 64)}}).close()
    assert snapshot(tmp_path) == before


def test_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert_refused(tmp_path, tmp_path / "file", CONFIG, "run_dir .*file is a file")
    assert_refused(tmp_path, tmp_path / "file" / "run", CONFIG, "cannot be created or written: Not a directory")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a place where even root cannot write")
def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    assert_refused(tmp_path, Path("/proc/run"), CONFIG, "run_dir /proc/run cannot be created or written")


def test_a_name_that_is_too_long(tmp_path: Path) -> None:
    assert_refused(tmp_path, tmp_path / ("b" * 300), CONFIG, "cannot be created or written: File name too long")


def test_a_directory_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    assert_refused(tmp_path, tmp_path, CONFIG, "is not empty and not a run")


def test_another_config(tmp_path: Path) -> None:
    claim(tmp_path, CONFIG).close()
    lines = r"another config.*\n  seed: 0 \(run\) != 1 \(now\)\n  sac.discount: 0.99 \(run\) != 0.9 \(now\)$"
    assert_refused(tmp_path, tmp_path, {"seed": 1, "sac": {"discount": 0.9, "layers": [64, 64]}}, lines)


def test_a_damaged_config(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    assert_refused(tmp_path, tmp_path, CONFIG, "config.json is damaged")


def test_a_run_that_is_going_on(tmp_path: Path) -> None:
    """flock belongs to the open file, so a second process is played by opening the lock file beside us."""
    claim(tmp_path, CONFIG).close()
    with (tmp_path / "lock").open("a") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert_refused(tmp_path, tmp_path, CONFIG, "^another process is training in run_dir ")
    claim(tmp_path, CONFIG).close()


def test_a_run_that_this_process_has_open(tmp_path: Path) -> None:
    lock = claim(tmp_path, CONFIG)
    assert_refused(tmp_path, tmp_path, CONFIG, "^this process already has run_dir .* open: close that Run first")
    (tmp_path.parent / "link").symlink_to(tmp_path)
    with pytest.raises(RunError, match="this process already has"):
        claim(tmp_path.parent / "link", CONFIG)
    lock.close()
    lock.close()
    claim(tmp_path, CONFIG).close()


def test_a_run_that_nobody_refers_to_is_given_up(tmp_path: Path) -> None:
    lock = claim(tmp_path, CONFIG)
    cycle: list[object] = [lock]
    cycle.append(cycle)
    del lock, cycle
    claim(tmp_path, CONFIG).close()


def test_other_versions_are_told_not_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    claim(tmp_path, CONFIG, {"jax": "1", "rlcore": "1", "gone": "3"}).close()
    claim(tmp_path, CONFIG, {"jax": "1", "rlcore": "1", "gone": "3"}).close()
    claim(tmp_path, CONFIG).close()
    assert capsys.readouterr().err == ""
    claim(tmp_path, CONFIG, {"jax": "2", "rlcore": "1", "new": "1"}).close()
    (line,) = capsys.readouterr().err.splitlines()
    assert "other versions (jax 1 -> 2, gone 3 -> none, new none -> 1): its numbers may differ to the bit" in line
    assert load_config(tmp_path) == {**CONFIG, "versions": {"jax": "1", "rlcore": "1", "gone": "3"}}


def test_a_run_without_versions_goes_on_with_some(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    claim(tmp_path, CONFIG).close()
    claim(tmp_path, CONFIG, {"jax": "2"}).close()
    assert capsys.readouterr().err == ""


def test_versions_are_no_difference_of_configs(tmp_path: Path) -> None:
    claim(tmp_path, CONFIG, {"jax": "1"}).close()
    with pytest.raises(RunError) as refusal:
        claim(tmp_path, {**CONFIG, "seed": 1}, {"jax": "2"})
    assert str(refusal.value).splitlines()[1:] == ["  seed: 0 (run) != 1 (now)"]
    with pytest.raises(ValueError, match="config must leave the name 'versions'"):
        claim(tmp_path / "new", {**CONFIG, "versions": "1"}, {"jax": "1"})


def test_a_config_of_its_own_called_versions_is_compared(tmp_path: Path) -> None:
    claim(tmp_path, {"versions": [1, 2]}).close()
    assert_refused(tmp_path, tmp_path, {"versions": [1, 3]}, "versions")


def test_versions_of_packages() -> None:
    assert package_versions("jax", "no-such-distribution") == {"jax": importlib.metadata.version("jax")}


@pytest.mark.parametrize("name", ["~/run", "~"])
def test_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert run_path(name) == tmp_path / name.replace("~", "home")
    with Run.open(name, CONFIG) as run:
        run.log(1, {"a": 1})
        run.save(1, {"n": 1})
    assert load_config(name) == CONFIG
    assert read_metrics(name) == [{"iteration": 1, "a": 1}]
    assert restore_latest(name, {"n": 0}) == ({"n": 1}, 1)
    assert restore_part(name, {"['n']": 0}) == ({"['n']": 1}, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_nobody_s_home() -> None:
    with pytest.raises(RunError, match="run_dir ~no-such-user/run cannot be found"):
        run_path("~no-such-user/run")


@pytest.mark.parametrize("content", ["[1]", "3", "null", "\xff"])
def test_a_config_that_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(RunError, match=r"config\.json is damaged"):
        load_config(tmp_path)


def test_a_config_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "config.json").mkdir()
    with pytest.raises(RunError, match=r"config\.json cannot be read: Is a directory"):
        load_config(tmp_path)


def test_metrics_that_cannot_be_written(tmp_path: Path) -> None:
    claim(tmp_path, CONFIG).close()
    (tmp_path / "metrics.jsonl").mkdir()
    with pytest.raises(RunError, match="cannot be written: Is a directory"):
        Run.open(tmp_path, CONFIG)
    (tmp_path / "metrics.jsonl").rmdir()
    Run.open(tmp_path, CONFIG).close()


def test_a_directory_left_half_made_by_a_kill(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("")
    (tmp_path / "config.json.tmp").write_text("{")
    claim(tmp_path, CONFIG).close()
    assert load_config(tmp_path) == CONFIG


def test_no_run_has_no_config(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"is not a run directory: it has no config\.json"):
        load_config(tmp_path / "nothing")


FORKED = """
import os, signal, sys, time
from pathlib import Path
from rlcore.experiment.lock import Lock

lock = Lock(Path(sys.argv[1]))
child = os.fork()
if child == 0:
    time.sleep(60)
    os._exit(0)
time.sleep(0.5)
lock.close()
try:
    Lock(Path(sys.argv[1]))
    print("free")
finally:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
"""


def test_a_forked_child_holds_no_lock(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-c", FORKED, str(tmp_path / "lock")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "free\n"


def test_two_directories_at_once(tmp_path: Path) -> None:
    locks = [claim(tmp_path / name, CONFIG) for name in "ab"]
    for lock in locks:
        lock.close()
