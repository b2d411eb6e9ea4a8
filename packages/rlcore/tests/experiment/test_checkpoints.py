"""Checkpoints: what is damaged is noticed, what is intact survives."""

import errno
import json
import os
import re
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
import pytest
from absl import logging
from rlcore.experiment import RunError, checkpoints
from rlcore.experiment.checkpoints import arrays, store
from rlcore.experiment.checkpoints.leaves import describe, to_host
from rlcore.experiment.files import measure

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
        patch.setattr(store, "sync", fail)
        with pytest.raises(RunError, match="cannot be written: disk full"):
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


def test_every_value_is_checked(saved: Path) -> None:
    """Whichever byte of a value changes, in whichever leaf."""
    checkpoint = checkpoints.find(saved)[0]
    table = json.loads((checkpoint / "arrays.json").read_text())
    path = checkpoint / "arrays.bin"
    content = path.read_bytes()
    for _, _, offset, _ in table:
        path.write_bytes(content[:offset] + bytes([content[offset] ^ 1]) + content[offset + 1 :])
        assert checkpoints.restore(saved, STATE)[1] == 2
    path.write_bytes(content)
    assert checkpoints.restore(saved, STATE)[1] == 3


def test_every_file_is_in_the_manifest(saved: Path) -> None:
    checkpoint = checkpoints.find(saved)[0]
    files = {path.relative_to(checkpoint).as_posix() for path in checkpoint.rglob("*") if path.is_file()}
    assert set(json.loads((checkpoint / "manifest.json").read_text())) == files - {"manifest.json", "arrays.bin"}


def test_a_full_disk_is_one_line_and_what_was_there_is_intact(
    saved: Path, monkeypatch: pytest.MonkeyPatch, assert_same: Any
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(arrays, "write", fail)
        with pytest.raises(RunError) as error:
            checkpoints.save(saved, 4, STATE, keep=1)
    line = r"the checkpoint of iteration 4 \(4e-06 GB\) cannot be written: No space left on device; .* has .* GB free"
    assert re.fullmatch(line, str(error.value))
    assert sorted(path.name for path in saved.iterdir()) == [f"{iteration:012d}" for iteration in (1, 2, 3)]
    assert_same(checkpoints.restore(saved, STATE)[0], {**STATE, "n": jnp.int32(3)})


@pytest.mark.parametrize("limit", [100, 3_000, 4_050, 4_200])
def test_no_room_for_a_part_of_it(saved: Path, limit: int, assert_same: Any) -> None:
    """Whichever file it is that finds no room, by a limit that the system sets on the size of files."""
    before = {path: path.read_bytes() for path in saved.rglob("*") if path.is_file()}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limits[1]))
    try:
        if limit > 4_100:
            checkpoints.save(saved, 3, STATE, keep=3)
            return
        with pytest.raises(RunError, match="cannot be written: File too large"):
            checkpoints.save(saved, 4, STATE, keep=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert {path: path.read_bytes() for path in saved.rglob("*") if path.is_file()} == before


def test_what_cannot_be_read_is_not_taken_for_damaged(saved: Path) -> None:
    path = checkpoints.find(saved)[0] / "leaves.json"
    path.unlink()
    path.mkdir()
    with pytest.raises(RunError, match=r"leaves\.json cannot be read: Is a directory"):
        checkpoints.restore(saved, STATE)


def test_a_state_that_cannot_be_saved_leaves_nothing(saved: Path) -> None:
    with pytest.raises(TypeError, match="a checkpoint holds arrays and numbers"):
        checkpoints.save(saved, 4, {"x": "text"}, keep=3)
    assert len(list(saved.iterdir())) == 3


def save_as_of_0_1_0(directory: Path, iteration: int, state: Any) -> None:
    """Writes a checkpoint as rlcore 0.1.0 did."""
    checkpoint = directory / f"{iteration:012d}"
    checkpoint.mkdir(parents=True)
    with ocp.Checkpointer(ocp.PyTreeCheckpointHandler(use_compression=False)) as checkpointer:
        values = {str(index): array for index, array in enumerate(to_host(state)) if array.size}
        checkpointer.save((checkpoint / "arrays").absolute(), args=ocp.args.PyTreeSave(values))
    (checkpoint / "leaves.json").write_text(json.dumps(describe(state)))
    files = sorted(path for path in checkpoint.rglob("*") if path.is_file())
    manifest = {path.relative_to(checkpoint).as_posix(): measure(path) for path in files}
    (checkpoint / "manifest.json").write_text(json.dumps(manifest))


def make_rich_state(number: int) -> Any:
    return {
        "agent": {"average": {"w": jnp.full((3, 2), number, jnp.bfloat16)}, "key": jax.random.key(number)},
        "empty": jnp.zeros((2, 0)),
        "count": number,
    }


@pytest.mark.parametrize("damage", [None, *DAMAGES])
def test_checkpoints_of_0_1_0_are_read(tmp_path: Path, damage: Callable[[Path], None] | None, assert_same: Any) -> None:
    for iteration in (1, 2):
        save_as_of_0_1_0(tmp_path, iteration, make_rich_state(iteration))
    if damage is not None:
        damage(checkpoints.find(tmp_path)[0])
    expected = 2 if damage is None else 1
    state, iteration, _ = checkpoints.restore(tmp_path, make_rich_state(0))
    assert iteration == expected
    assert_same(state, make_rich_state(expected))
    parts, _ = checkpoints.restore_part(
        tmp_path, {"['agent']['average']": {"w": jnp.zeros((3, 2), jnp.bfloat16)}}, None
    )
    assert_same(parts["['agent']['average']"], make_rich_state(expected)["agent"]["average"])
    checkpoints.save(tmp_path, 3, make_rich_state(3), keep=9)
    assert_same(checkpoints.restore(tmp_path, make_rich_state(0))[0], make_rich_state(3))


def test_parts_are_restored_by_name(tmp_path: Path, assert_same: Any) -> None:
    state = make_rich_state(5)
    checkpoints.save(tmp_path, 7, state, keep=1)
    templates = jax.eval_shape(lambda: {"['agent']": state["agent"], "['empty']": state["empty"]})
    parts, iteration = checkpoints.restore_part(tmp_path, {**templates, "['count']": 0}, None)
    assert iteration == 7
    assert_same(parts, {"['agent']": state["agent"], "['empty']": state["empty"], "['count']": 5})


def test_a_part_does_not_read_the_rest(saved: Path) -> None:
    newest = checkpoints.find(saved)[0]
    flip_a_bit(newest)  # in `x`
    assert checkpoints.restore_part(saved, {"['n']": jnp.int32(0)}, None) == ({"['n']": 3}, 3)
    assert checkpoints.restore_part(saved, {"['x']": STATE["x"]}, None)[1] == 2


def test_leaves_with_other_names_in_the_past(tmp_path: Path, assert_same: Any) -> None:
    checkpoints.save(tmp_path, 1, {"old": {"w": jnp.ones(2), "b": jnp.zeros(1)}, "n": 3}, keep=1)
    asked: list[str] = []

    def rename(name: str) -> str:
        asked.append(name)
        return name.replace("['new']", "['old']")

    template = {"w": jnp.zeros(2), "b": jnp.ones(1)}
    parts, _ = checkpoints.restore_part(tmp_path, {"['new']": template, "['n']": 0}, rename)
    assert_same(parts, {"['new']": {"w": jnp.ones(2), "b": jnp.zeros(1)}, "['n']": 3})
    assert sorted(asked) == ["['new']['b']", "['new']['w']"]


@pytest.mark.parametrize(
    ("templates", "message"),
    [
        ({"['x']": jnp.zeros(5)}, r"state\['x'\] is float32\[1000\] there and float32\[5\] here"),
        ({"['y']": jnp.zeros(5)}, r"state\['y'\] is missing there and float32\[5\] here"),
        ({"['x'": jnp.zeros(1000)}, r"state\['x' is missing there"),
    ],
)
def test_a_part_that_is_not_there(saved: Path, templates: Any, message: str) -> None:
    with pytest.raises(RunError, match=f"does not fit this program: {message}"):
        checkpoints.restore_part(saved, templates, None)


def test_values_of_every_layout_come_back(tmp_path: Path) -> None:
    values = [
        np.arange(12.0).reshape(3, 4).T,
        np.arange(8)[::2],
        np.array(3.0, ">f4"),
        np.zeros((2, 0, 3)),
        np.array(True),
    ]
    arrays.write(tmp_path, iter(values))
    for value, found in zip(values, arrays.read(tmp_path), strict=True):
        assert (found.dtype, found.shape) == (value.dtype, value.shape)
        np.testing.assert_array_equal(found, value)
    assert [found.shape for found in arrays.read(tmp_path, [3, 0])] == [(2, 0, 3), (4, 3)]
