"""Checkpoints: what is damaged is noticed, what is intact survives."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import pytest
from absl import logging
from rlcore.experiment import RunError, checkpoints

STATE = {"x": jnp.arange(1000.0), "n": jnp.int32(0)}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A directory with checkpoints of iterations 1, 2 and 3, `n` being the iteration."""
    for iteration in (1, 2, 3):
        checkpoints.save(tmp_path, iteration, {**STATE, "n": jnp.int32(iteration)}, keep=3)
    return tmp_path


def largest_file(checkpoint: Path) -> Path:
    return max((path for path in checkpoint.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)


def truncate(checkpoint: Path) -> None:
    path = largest_file(checkpoint)
    path.write_bytes(path.read_bytes()[:-1])


def flip_a_bit(checkpoint: Path) -> None:
    path = largest_file(checkpoint)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def lose_a_file(checkpoint: Path) -> None:
    largest_file(checkpoint).unlink()


def lose_the_manifest(checkpoint: Path) -> None:
    (checkpoint / "manifest.json").unlink()


def cut_the_manifest(checkpoint: Path) -> None:
    path = checkpoint / "manifest.json"
    path.write_text(path.read_text()[:-5])


def empty_the_manifest(checkpoint: Path) -> None:
    (checkpoint / "manifest.json").write_text("{}")


def garble_the_manifest(checkpoint: Path) -> None:
    (checkpoint / "manifest.json").write_bytes(b"\xff\x00[]")


def list_nothing_in_the_manifest(checkpoint: Path) -> None:
    (checkpoint / "manifest.json").write_text('"leaves.json"')


def become_a_file(checkpoint: Path) -> None:
    checkpoint.rename(checkpoint.with_name("moved"))
    checkpoint.write_text("garbage")


DAMAGES = [
    truncate,
    flip_a_bit,
    lose_a_file,
    lose_the_manifest,
    cut_the_manifest,
    empty_the_manifest,
    garble_the_manifest,
    list_nothing_in_the_manifest,
    become_a_file,
]


def test_the_newest_is_restored(saved: Path, assert_same: Any) -> None:
    state, iteration, damaged = checkpoints.restore(saved, STATE)
    assert_same(state, {**STATE, "n": jnp.int32(3)})
    assert (iteration, damaged) == (3, [])


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_one_is_skipped_with_a_warning(
    saved: Path, damage: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    warnings: list[str] = []
    monkeypatch.setattr(logging, "warning", lambda message, *values: warnings.append(message % values))
    newest = checkpoints.find(saved)[0]
    damage(newest)
    state, iteration, damaged = checkpoints.restore(saved, STATE)
    assert (int(state["n"]), iteration, damaged) == (2, 2, [newest])
    assert len(warnings) == 1
    assert str(newest) in warnings[0]


def test_all_damaged_is_an_error_not_a_new_start(saved: Path) -> None:
    for path in checkpoints.find(saved):
        truncate(path)
    with pytest.raises(RunError, match="are damaged"):
        checkpoints.restore(saved, STATE)
    assert len(checkpoints.find(saved)) == 3


def test_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no checkpoint"):
        checkpoints.restore(tmp_path, STATE)


def test_a_state_of_another_program_is_an_error(saved: Path) -> None:
    with pytest.raises(RunError, match=r"does not fit this program: state\['x'\] is float32\[1000\] there and float32"):
        checkpoints.restore(saved, {**STATE, "x": jnp.zeros(5)})


def test_the_last_few_are_kept(saved: Path) -> None:
    checkpoints.save(saved, 10, STATE, keep=2)
    assert [int(path.name) for path in checkpoints.find(saved)] == [10, 3]


def test_saving_an_iteration_again_replaces_it(saved: Path) -> None:
    checkpoints.save(saved, 3, {**STATE, "n": jnp.int32(7)}, keep=3)
    assert int(checkpoints.restore(saved, STATE)[0]["n"]) == 7


def test_a_save_that_fails_leaves_what_was_there(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "sync", fail)
        with pytest.raises(OSError, match="disk full"):
            checkpoints.save(saved, 4, STATE, keep=3)
    assert checkpoints.restore(saved, STATE)[1] == 3
    checkpoints.save(saved, 4, STATE, keep=3)
    assert sorted(path.name for path in saved.iterdir()) == [f"{iteration:012d}" for iteration in (2, 3, 4)]


def test_leftovers_are_no_checkpoints_and_are_cleaned(saved: Path) -> None:
    (saved / "tmp-4" / "arrays").mkdir(parents=True)
    assert checkpoints.restore(saved, STATE)[1] == 3
    checkpoints.clean(saved)
    assert not (saved / "tmp-4").exists()
    assert len(checkpoints.find(saved)) == 3


def test_every_file_is_in_the_manifest(saved: Path) -> None:
    checkpoint = checkpoints.find(saved)[0]
    files = {path.relative_to(checkpoint).as_posix() for path in checkpoint.rglob("*") if path.is_file()}
    assert set(json.loads((checkpoint / "manifest.json").read_text())) == files - {"manifest.json"}
