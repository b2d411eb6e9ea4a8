"""Run directories: refusals come before anything is written."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from rlcore.experiment import RunError, load_config
from rlcore.experiment.directory import claim

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
    lock_file = claim(tmp_path, CONFIG)
    assert_refused(tmp_path, tmp_path, CONFIG, "another process is training")
    lock_file.close()
    claim(tmp_path, CONFIG).close()


def test_a_directory_left_half_made_by_a_kill(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("")
    (tmp_path / "config.json.tmp").write_text("{")
    claim(tmp_path, CONFIG).close()
    assert load_config(tmp_path) == CONFIG


def test_no_run_has_no_config(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"is not a run directory: it has no config\.json"):
        load_config(tmp_path / "nothing")
