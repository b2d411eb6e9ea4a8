"""Ring buffers of transitions on the device: pure functions over one pytree.

In the shape descriptions `N` denotes the tasks of the buffer, `C` the rows that it keeps of each, `M` the tasks of a
call and `B` the rows of a call for each task. A single-task buffer has `N = 1`.
"""

import math
from typing import Any, NamedTuple, TypeVar

import chex
import jax
import jax.numpy as jnp
import numpy as np

Row = TypeVar("Row")


class Replay(NamedTuple):
    """The newest `C` rows of every task.

    data: a pytree of `[N, C, ...]`.
    num_added: `[N]` int32, rows ever written; the next one goes to this number modulo `C`.
    """

    data: chex.ArrayTree
    num_added: chex.Array

    @property
    def capacity(self) -> int:
        """`C`."""
        return jax.tree.leaves(self.data)[0].shape[1]

    @property
    def size(self) -> chex.Array:
        """`[N]` int32, rows that can be sampled."""
        return jnp.minimum(self.num_added, self.capacity)


def init_replay(example: chex.ArrayTree, capacity: int, num_tasks: int = 1) -> Replay:
    """An empty buffer for rows shaped as `example`, which has no batch dimensions.

    Raises:
      ValueError: `capacity` or `num_tasks` is below 1.
    """
    for name, value in (("capacity", capacity), ("num_tasks", num_tasks)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")

    def empty(leaf: chex.Array) -> chex.Array:
        return jnp.zeros((num_tasks, capacity, *jnp.shape(leaf)), jnp.result_type(leaf))

    return Replay(jax.tree.map(empty, example), jnp.zeros(num_tasks, jnp.int32))


def row_bytes(obs_space: Any, action_space: Any, *, num_numbers: int, num_flags: int = 0) -> int:
    """Bytes of a row that holds a transition: two observations and an action, beside numbers and flags.

    Args:
      obs_space: gymnasium's. Bytes, as of pictures, are kept as such; other numbers take 4 bytes each.
      action_space: gymnasium's, of numbers that take 4 bytes each.
      num_numbers: rewards, discounts and counts, of 4 bytes each.
      num_flags: of one byte each.
    """
    obs_bytes = math.prod(obs_space.shape or ()) * (1 if obs_space.dtype == np.uint8 else 4)
    return 2 * obs_bytes + 4 * (math.prod(action_space.shape or ()) + num_numbers) + num_flags


def add(replay: Replay, tasks: chex.Array, rows: chex.ArrayTree, valid: chex.Array | None = None) -> Replay:
    """Appends rows, oldest first; the oldest ones stored make room.

    Args:
      replay: the buffer.
      tasks: `[M]` int32, all different.
      rows: a pytree of `[M, B, ...]`, `B` at most `C`.
      valid: `[M, B]` bool; rows where it is False are left out. None means all.

    Raises:
      ValueError: `B` is above `C`.
    """
    num_tasks, num_rows = jax.tree.leaves(rows)[0].shape[:2]
    if num_rows > replay.capacity:
        raise ValueError(f"rows must be at most the capacity {replay.capacity}, got {num_rows}")
    if valid is None:
        valid = jnp.ones((num_tasks, num_rows), bool)
    chex.assert_shape(tasks, (num_tasks,))
    chex.assert_shape(valid, (num_tasks, num_rows))
    rank = jnp.cumsum(valid, axis=1, dtype=jnp.int32) - 1
    slot = (replay.num_added[tasks][:, None] + rank) % replay.capacity
    slot = jnp.where(valid, slot, replay.capacity)  # out of bounds: dropped

    def write(stored: chex.Array, new: chex.Array) -> chex.Array:
        return stored.at[tasks[:, None], slot].set(new, mode="drop")

    num_added = replay.num_added.at[tasks].add(jnp.sum(valid, axis=1, dtype=jnp.int32))
    return Replay(jax.tree.map(write, replay.data, rows), num_added)


def sample(
    replay: Replay,
    key: chex.PRNGKey,
    tasks: chex.Array,
    batch_size: int,
    newest: int | chex.Array | None = None,
    skipped: int | chex.Array = 0,
) -> chex.ArrayTree:
    """Rows drawn uniformly with replacement, a pytree of `[M, B, ...]`; the key is consumed.

    Args:
      replay: the buffer; every one of `tasks` must hold a row, which traced code cannot check.
      key: consumed.
      tasks: `[M]` int32, repeats allowed.
      batch_size: `B`.
      newest: draw among so many of the newest rows of each task only, a number or `[M]`.
      skipped: leave out so many of the very newest, a number or `[M]`.
    """
    return _rows_of_age(replay, tasks, _draw_age(replay, key, tasks, batch_size, newest, skipped))


def sample_episodes(
    replay: Replay,
    key: chex.PRNGKey,
    tasks: chex.Array,
    num_episodes: int,
    length: int,
    newest: int | chex.Array | None = None,
    skipped: int | chex.Array = 0,
) -> tuple[chex.ArrayTree, chex.Array]:
    """Whole episodes, oldest row first; those of more rows are drawn more often, with replacement.

    Args:
      replay: the buffer; its rows have a leaf `step`, int32, their place in their episode, counted from 0.
      key: consumed.
      tasks: `[M]` int32, repeats allowed.
      num_episodes: of each task.
      length: rows of the longest one.
      newest: as in `sample`; rows outside do not count.
      skipped: as in `sample`; these rows do not count.

    Returns:
      A pytree of `[M, num_episodes, length, ...]`, and which of its rows count, `[M, num_episodes, length]` bool.
    """
    youngest, num_rows = (part[:, None, None] for part in _range_of_ages(replay, tasks, newest, skipped))
    drawn = _draw_age(replay, key, tasks, num_episodes, newest, skipped)
    place = jnp.arange(length, dtype=jnp.int32)[None, None]
    age = (drawn + _rows_of_age(replay, tasks, drawn).step)[..., None] - place
    rows = _rows_of_age(replay, tasks, jnp.clip(age, youngest, youngest + num_rows - 1))
    # Behind the end of an episode lie rows of another one, whose places are not those that would follow.
    return rows, (age >= youngest) & (age < youngest + num_rows) & (rows.step == place)


def sample_windows(
    replay: Replay,
    key: chex.PRNGKey,
    tasks: chex.Array,
    num_windows: int,
    length: int,
    newest: int | chex.Array | None = None,
    skipped: int | chex.Array = 0,
) -> tuple[chex.ArrayTree, chex.Array]:
    """Runs of rows that were added one after the other, oldest first.

    The windows to draw from lie edge to edge, the first one ending at the newest row that is not skipped.

    Args:
      replay: the buffer; every one of `tasks` must hold a row, which traced code cannot check.
      key: consumed.
      tasks: `[M]` int32, repeats allowed.
      num_windows: of each task, drawn with replacement.
      length: rows of a window.
      newest: as in `sample`.
      skipped: as in `sample`.

    Returns:
      A pytree of `[M, num_windows, length, ...]`, and which of its rows count, `[M, num_windows, length]` bool: where a
      task has fewer than `length` rows to draw from, its oldest one stands for those that are missing.
    """
    youngest, num_rows = _range_of_ages(replay, tasks, newest, skipped)
    window = jax.random.randint(key, (tasks.shape[0], num_windows), 0, jnp.maximum(num_rows // length, 1)[:, None])
    age = window[..., None] * length + jnp.arange(length - 1, -1, -1, dtype=jnp.int32)[None, None]
    oldest = num_rows[:, None, None] - 1
    rows = _rows_of_age(replay, tasks, jnp.minimum(age, oldest) + youngest[:, None, None])
    return rows, age <= oldest


def _range_of_ages(
    replay: Replay, tasks: chex.Array, newest: int | chex.Array | None, skipped: int | chex.Array
) -> tuple[chex.Array, chex.Array]:
    """Of the rows to draw from, `[M]` int32 each: how many are newer than all of them, and their number, at least 1."""
    size = replay.size[tasks]
    youngest = jnp.broadcast_to(jnp.maximum(jnp.minimum(skipped, size - 1), 0), tasks.shape)
    left = size - youngest
    return youngest, jnp.maximum(left if newest is None else jnp.minimum(left, newest), 1)


def _draw_age(
    replay: Replay,
    key: chex.PRNGKey,
    tasks: chex.Array,
    num_rows: int,
    newest: int | chex.Array | None,
    skipped: int | chex.Array,
) -> chex.Array:
    """How many rows are newer than each one drawn, `[M, num_rows]` int32; the key is consumed."""
    youngest, bound = _range_of_ages(replay, tasks, newest, skipped)
    return jax.random.randint(key, (tasks.shape[0], num_rows), 0, bound[:, None]) + youngest[:, None]


def _rows_of_age(replay: Replay, tasks: chex.Array, age: chex.Array) -> chex.ArrayTree:
    tasks = tasks.reshape(-1, *[1] * (age.ndim - 1))
    slot = (replay.num_added[tasks] - 1 - age) % replay.capacity
    return jax.tree.map(lambda leaf: leaf[tasks, slot], replay.data)
