"""Ring buffers: what is written comes back, and nothing else."""

from types import SimpleNamespace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rlcore import replay as rb

settings.register_profile("rlcore", deadline=None, max_examples=30)
settings.load_profile("rlcore")

CAPACITY = 5
EXAMPLE = {"id": jnp.zeros((), jnp.int32), "obs": jnp.zeros(2)}
jit_add = jax.jit(rb.add)
jit_sample = jax.jit(rb.sample, static_argnums=3)
jit_sample_windows = jax.jit(rb.sample_windows, static_argnums=(3, 4))


def rows_of(ids):
    """Rows `[M, B, ...]` that carry their number, which is never 0, in every leaf."""
    ids = np.asarray(ids, np.int32)
    return {"id": ids, "obs": np.stack([ids, -ids], -1).astype(np.float32)}


def filled(ids, capacity=CAPACITY):
    """One task, to which rows were added one at a time."""
    replay = rb.init_replay(EXAMPLE, capacity)
    for i in ids:
        replay = jit_add(replay, jnp.zeros(1, jnp.int32), rows_of([[i]]))
    return replay


def stored(replay, task=0, newest=None):
    """The numbers of all rows that sampling returns."""
    rows = jit_sample(replay, jax.random.key(0), jnp.asarray([task]), 256, newest)
    np.testing.assert_array_equal(rows["obs"][..., 0], rows["id"])
    np.testing.assert_array_equal(rows["obs"][..., 1], -rows["id"])
    return set(np.unique(rows["id"]).tolist())


@given(st.lists(st.tuples(st.lists(st.booleans(), min_size=6, max_size=6), st.integers(0, 1)), min_size=1, max_size=6))
def test_only_the_newest_rows_written_are_returned(calls):
    """Against a list for each task; each call adds 3 rows, some invalid, to two of three tasks."""
    replay, model, next_id = rb.init_replay(EXAMPLE, CAPACITY, 3), {0: [], 1: [], 2: []}, 1
    for valid, first in calls:
        tasks, valid = [first + 1, first], np.reshape(valid, (2, 3))
        ids = np.arange(next_id, next_id + 6).reshape(2, 3)
        replay, next_id = jit_add(replay, jnp.asarray(tasks), rows_of(ids), jnp.asarray(valid)), next_id + 6
        for task, row_ids, keep in zip(tasks, ids, valid, strict=True):
            model[task] += row_ids[keep].tolist()
    np.testing.assert_array_equal(replay.num_added, [len(model[task]) for task in range(3)])
    np.testing.assert_array_equal(replay.size, [min(len(model[task]), CAPACITY) for task in range(3)])
    for task in range(3):
        if model[task]:
            assert stored(replay, task) == set(model[task][-CAPACITY:])
            assert stored(replay, task, newest=2) == set(model[task][-2:])


def test_ring_wraps_around_in_the_middle_of_a_call():
    replay = rb.init_replay(EXAMPLE, CAPACITY)
    replay = jit_add(replay, jnp.zeros(1, jnp.int32), rows_of([[1, 2, 3, 4]]))
    assert stored(replay) == {1, 2, 3, 4}
    replay = jit_add(replay, jnp.zeros(1, jnp.int32), rows_of([[5, 6, 7]]))
    np.testing.assert_array_equal(replay.data["id"], [[6, 7, 3, 4, 5]])


def test_tasks_fill_independently():
    replay = rb.init_replay(EXAMPLE, CAPACITY, num_tasks=3)
    replay = jit_add(replay, jnp.asarray([2, 0]), rows_of([[1, 2], [3, 4]]))
    replay = jit_add(replay, jnp.asarray([2]), rows_of([[5, 6, 7, 8]]))
    np.testing.assert_array_equal(replay.num_added, [2, 0, 6])
    np.testing.assert_array_equal(replay.size, [2, 0, 5])
    assert replay.capacity == CAPACITY
    assert stored(replay, 0) == {3, 4}
    assert stored(replay, 2) == {2, 5, 6, 7, 8}


def test_invalid_rows_are_left_out():
    replay = rb.init_replay(EXAMPLE, CAPACITY)
    replay = jit_add(
        replay, jnp.zeros(1, jnp.int32), rows_of([[1, 2, 3, 4]]), jnp.asarray([[True, False, True, False]])
    )
    replay = jit_add(replay, jnp.zeros(1, jnp.int32), rows_of([[5]]), jnp.asarray([[False]]))
    np.testing.assert_array_equal(replay.data["id"], [[1, 3, 0, 0, 0]])
    np.testing.assert_array_equal(replay.num_added, [2])


def test_newest_restricts_what_is_drawn_and_may_be_traced():
    replay = filled(range(1, 8))
    assert stored(replay, newest=2) == {6, 7}
    assert stored(replay, newest=jnp.asarray(1)) == {7}
    assert stored(replay, newest=100) == {3, 4, 5, 6, 7}


def test_sampling_is_uniform_and_repeats_tasks_independently():
    replay = filled(range(1, 6))
    ids = np.asarray(jit_sample(replay, jax.random.key(1), jnp.zeros(2, jnp.int32), 2000)["id"])
    assert ids.shape == (2, 2000)
    np.testing.assert_allclose([(ids == i).mean() for i in range(1, 6)], 0.2, atol=0.03)
    assert (ids[0] != ids[1]).any()


def windows(replay, length, newest=None):
    """Every window that sampling returns, without the rows that do not count."""
    out, valid = jit_sample_windows(replay, jax.random.key(0), jnp.asarray([0]), 64, length, newest)
    drawn = zip(np.asarray(out["id"])[0], np.asarray(valid)[0], strict=True)
    return {tuple(ids[counts].tolist()) for ids, counts in drawn}


def test_windows_are_the_episodes_that_were_added_whole():
    replay = rb.init_replay(EXAMPLE, 9)
    for first in (1, 4, 7, 10):
        replay = jit_add(replay, jnp.zeros(1, jnp.int32), rows_of([[first, first + 1, first + 2]]))
    assert windows(replay, 3) == {(4, 5, 6), (7, 8, 9), (10, 11, 12)}
    assert windows(replay, 3, newest=6) == {(7, 8, 9), (10, 11, 12)}
    assert windows(replay, 3, newest=5) == {(10, 11, 12)}


@pytest.mark.parametrize("length", [1, 2, 3, 7])
@pytest.mark.parametrize("num_rows", [7, 8, 12])
def test_windows_lie_edge_to_edge_and_end_at_the_newest_row(length, num_rows):
    ids = list(range(1, num_rows + 1))[-7:]
    expected = [tuple(ids[i - length : i]) for i in range(len(ids), length - 1, -length)]
    assert windows(filled(range(1, num_rows + 1), capacity=7), length) == set(expected)


@pytest.mark.parametrize(("num_rows", "newest", "expected"), [(2, None, (1, 2)), (1, None, (1,)), (5, 2, (4, 5))])
def test_windows_longer_than_what_there_is_repeat_the_oldest_row_and_say_so(num_rows, newest, expected):
    replay = filled(range(1, num_rows + 1), capacity=7)
    assert windows(replay, 4, newest) == {expected}
    out, valid = jit_sample_windows(replay, jax.random.key(0), jnp.asarray([0]), 64, 4, newest)
    missing = 4 - len(expected)
    np.testing.assert_array_equal(out["id"][0, 0], [expected[0]] * missing + list(expected))
    np.testing.assert_array_equal(valid[0, 0], [False] * missing + [True] * len(expected))


def test_windows_have_one_row_of_shape_for_each_task_asked_for():
    replay = rb.init_replay(EXAMPLE, 4, num_tasks=2)
    replay = jit_add(replay, jnp.asarray([0, 1]), rows_of([[1, 2, 3, 4], [5, 6, 7, 8]]))
    out, valid = jit_sample_windows(replay, jax.random.key(0), jnp.asarray([1, 0, 1]), 6, 2)
    assert valid.shape == (3, 6, 2)
    assert valid.all()
    assert out["obs"].shape == (3, 6, 2, 2)
    first_ids = [set(np.unique(task)) for task in np.asarray(out["id"][..., 0])]
    assert first_ids == [{5, 7}, {1, 3}, {5, 7}]


def test_adding_in_place_equals_adding():
    rows, tasks = rows_of([[1, 2, 3]]), jnp.zeros(1, jnp.int32)
    expected = jit_add(rb.init_replay(EXAMPLE, CAPACITY), tasks, rows)
    before = rb.init_replay(EXAMPLE, CAPACITY)
    after = jax.jit(rb.add, donate_argnums=0)(before, tasks, rows)
    jax.tree.map(np.testing.assert_array_equal, after, expected)
    assert before.data["obs"].is_deleted()


def test_rows_keep_their_types():
    replay = rb.init_replay({"image": np.zeros((4, 4), np.uint8), "done": True, "x": 1.0}, 3, num_tasks=2)
    shapes = jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype.name), replay.data)
    assert shapes == {"image": ((2, 3, 4, 4), "uint8"), "done": ((2, 3), "bool"), "x": ((2, 3), "float32")}


@pytest.mark.parametrize("option", ["capacity", "num_tasks"])
def test_empty_buffers_are_refused(option):
    with pytest.raises(ValueError, match=f"{option} .* 0"):
        rb.init_replay(EXAMPLE, **{"capacity": 1, "num_tasks": 1, option: 0})


def test_more_rows_than_fit_are_refused():
    with pytest.raises(ValueError, match="capacity 5, got 6"):
        rb.add(rb.init_replay(EXAMPLE, CAPACITY), jnp.zeros(1, jnp.int32), rows_of([[1, 2, 3, 4, 5, 6]]))


def test_mismatched_tasks_and_masks_are_refused():
    replay = rb.init_replay(EXAMPLE, CAPACITY)
    with pytest.raises(AssertionError):
        rb.add(replay, jnp.zeros(2, jnp.int32), rows_of([[1]]))
    with pytest.raises(AssertionError):
        rb.add(replay, jnp.zeros(1, jnp.int32), rows_of([[1]]), jnp.ones((1, 2), bool))


class Placed(NamedTuple):
    """episode: its number, from 1. step: the place in it."""

    episode: jax.Array
    step: jax.Array


def test_whole_episodes_are_sampled_in_order_and_what_was_overwritten_or_is_hidden_does_not_count():
    lengths = [3, 1, 2, 4, 1, 3]
    episode = np.repeat(np.arange(1, 7), lengths).astype(np.int32)
    step = np.concatenate([np.arange(n) for n in lengths]).astype(np.int32)
    zero = jnp.zeros((), jnp.int32)
    replay = rb.add(
        rb.init_replay(Placed(zero, zero), 10), jnp.zeros(1, jnp.int32), Placed(episode[None, :7], step[None, :7])
    )
    replay = rb.add(replay, jnp.zeros(1, jnp.int32), Placed(episode[None, 7:], step[None, 7:]))  # 4 of 14 make room

    def sample(**options):
        rows, valid = rb.sample_episodes(replay, jax.random.key(0), jnp.zeros(1, jnp.int32), 200, 4, **options)
        found = {}
        for numbers, places, counts in zip(rows.episode[0], rows.step[0], valid[0], strict=True):
            assert len(set(np.asarray(numbers[counts]).tolist())) == 1
            found[int(numbers[counts][0])] = np.asarray(places[counts]).tolist()
        return found

    assert sample() == {3: [0, 1], 4: [0, 1, 2, 3], 5: [0], 6: [0, 1, 2]}
    assert sample(newest=6) == {4: [2, 3], 5: [0], 6: [0, 1, 2]}
    assert sample(newest=3, skipped=3) == {4: [2, 3], 5: [0]}
    assert sample(skipped=jnp.asarray([5])) == {3: [0, 1], 4: [0, 1, 2]}


def test_the_very_newest_rows_can_be_left_out():
    replay = filled([1, 2, 3, 4])
    rows = rb.sample(replay, jax.random.key(0), jnp.zeros(1, jnp.int32), 100, newest=2, skipped=1)
    assert set(np.asarray(rows["id"]).ravel().tolist()) == {2, 3}
    windows, valid = rb.sample_windows(replay, jax.random.key(0), jnp.zeros(1, jnp.int32), 5, 2, skipped=1)
    assert valid.all()
    np.testing.assert_array_equal(windows["id"], np.broadcast_to([2, 3], (1, 5, 2)))
    # Where all rows are to be left out the oldest one stays.
    rows = rb.sample(replay, jax.random.key(0), jnp.zeros(1, jnp.int32), 10, skipped=9)
    assert set(np.asarray(rows["id"]).ravel().tolist()) == {1}


def test_bytes_of_a_row_by_hand():
    """Two observations, an action of 2 numbers, then 3 numbers and a flag; pictures are kept in bytes."""
    action = SimpleNamespace(shape=(2,), dtype=np.float32)
    for shape, dtype, expected in (((5,), np.float64, 40 + 8 + 12 + 1), ((4, 4, 3), np.uint8, 96 + 8 + 12 + 1)):
        space = SimpleNamespace(shape=shape, dtype=np.dtype(dtype))
        assert rb.row_bytes(space, action, num_numbers=3, num_flags=1) == expected
