"""All partitions of the states, and their values in jitted batches.

In the shape descriptions `S` denotes the states, `N` the partitions, `B` those of a batch and `O` the objectives.
"""

import contextlib
import importlib
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np

from mi_repr.tabular.search.tables import Tables

_BATCH_SIZE = 16_384


class PartitionValues(NamedTuple):
    """The value of every partition.

    values: `[N, 1 + O]` float64, I(Z;S) and the objectives in nats.
    flaws: `[N]` uint8, see `Tables.flaws`.
    lossy: `[N]` uint8, see `Tables.lossy_blocks`.
    """

    values: np.ndarray
    flaws: np.ndarray
    lossy: np.ndarray


def all_partitions(num_states: int) -> np.ndarray:
    """`[N, S]` uint8, the block of each state: every partition once, from the fewest blocks to the most.

    A row is a restricted growth string: a block's number is how many blocks have an earlier first member. `N` is the
    Bell number of `S`: 15 for 4, 115,975 for 10, 4,213,597 for 12.
    """
    labels, num_blocks = np.zeros((1, 1), np.uint8), np.ones(1, np.int64)
    for _ in range(1, num_states):
        choices = num_blocks + 1
        parent = np.repeat(np.arange(len(labels)), choices)
        last = np.arange(len(parent)) - np.repeat(np.cumsum(choices) - choices, choices)
        labels = np.concatenate([labels[parent], last[:, None].astype(np.uint8)], axis=1)
        num_blocks = np.maximum(num_blocks[parent], last + 1)
    return labels[np.argsort(num_blocks, kind="stable")]


def evaluate_partitions(tables: Tables, labels: np.ndarray, batch_size: int = _BATCH_SIZE) -> PartitionValues:
    """The values of partitions that are ordered by their number of blocks.

    Args:
      tables: of the MDP.
      labels: `[N, S]`, restricted growth strings as from `all_partitions`.
      batch_size: partitions evaluated at a time.
    """
    num_blocks = labels.max(axis=1).astype(np.int32) + 1
    batch_size = min(batch_size, 1 << (len(labels) - 1).bit_length())
    values = np.empty((len(labels), tables.blocks.shape[1]))
    flaws, lossy = np.empty((2, len(labels)), np.uint8)
    with _float64():
        on_device = jax.tree.map(jnp.asarray, tables)
        for start in range(0, len(labels), batch_size):
            rows = slice(start, start + batch_size)
            batch = labels[rows]
            missing = batch_size - len(batch)  # one shape, one compilation
            padded = np.pad(batch, ((0, missing), (0, 0)), mode="edge") if missing else batch
            result = _evaluate(on_device, jnp.asarray(padded), num_blocks[rows].max())
            values[rows], flaws[rows], lossy[rows] = (np.asarray(leaf)[: len(batch)] for leaf in result)
    return PartitionValues(values, flaws, lossy)


@jax.jit
def _evaluate(tables: Tables, labels: chex.Array, num_blocks: chex.Array) -> tuple[chex.Array, chex.Array, chex.Array]:
    """`[B, 1 + O]`, `[B]` and `[B]` of `labels: [B, S]`, none of which has more than `num_blocks: []` blocks."""
    num_states = labels.shape[1]
    states = jnp.arange(num_states, dtype=jnp.int32)
    in_block = (labels[None] == states.astype(labels.dtype)[:, None, None]).astype(jnp.int32)  # [block, B, S]
    subset = jnp.sum(in_block * (2**states)[None, None], axis=2, dtype=jnp.int32)
    ternary = jnp.sum(in_block * (3**states)[None, None], axis=2, dtype=jnp.int32)
    # Pairs sorted by their larger block: those of the first m blocks are the first m (m - 1) / 2.
    second, first = (jnp.asarray(index, jnp.int32) for index in np.tril_indices(max(num_states, 2), -1))

    def add_block(block: chex.Array, total: tuple[chex.Array, ...]) -> tuple[chex.Array, ...]:
        values, flaws, lossy = total
        rows = subset[block]
        return values + tables.blocks[rows], flaws | tables.flaws[rows], lossy | tables.lossy_blocks[rows]

    def add_pair(pair: chex.Array, total: tuple[chex.Array, chex.Array]) -> tuple[chex.Array, chex.Array]:
        values, lossy = total
        code = ternary[first[pair]] + 2 * ternary[second[pair]]
        return values + tables.pairs[:, code], lossy | tables.lossy_pairs[code] if len(tables.lossy_pairs) else lossy

    batch_size = labels.shape[0]
    nothing = jnp.broadcast_to(tables.constant[None], (batch_size, len(tables.constant)))
    no_flaw = jnp.zeros(batch_size, jnp.uint8)
    of_blocks, flaws, lossy = jax.lax.fori_loop(0, num_blocks, add_block, (nothing, no_flaw, no_flaw))
    num_pairs = num_blocks * (num_blocks - 1) // 2
    no_pairs = jnp.zeros((2, batch_size), tables.pairs.dtype)
    of_pairs, lossy = jax.lax.fori_loop(0, num_pairs, add_pair, (no_pairs, lossy))
    return of_blocks + jnp.einsum("op,pb->bo", tables.weights, of_pairs), flaws, lossy


def _float64() -> contextlib.AbstractContextManager[Any]:
    """A context in which JAX computes in float64, whatever the program around it does."""
    home: Any = jax if hasattr(jax, "enable_x64") else importlib.import_module("jax.experimental")  # before JAX 0.8
    return home.enable_x64(True)
