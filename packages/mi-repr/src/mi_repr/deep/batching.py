"""Many rows, a few at a time."""

from collections.abc import Callable
from typing import Any

import chex
import jax
import jax.numpy as jnp

BATCH_SIZE = 512
"""Images that are encoded at once."""


def in_batches(apply: Callable[[Any], chex.Array], rows: Any, size: int = BATCH_SIZE) -> chex.Array:
    """`apply` of rows `[B, ...]`, `size` of them at a time: it compiles once, and few results exist at once.

    Args:
      apply: `(rows [size, ...]) -> [size, ...]`, each row of the row in that place.
      rows: a tree of arrays `[B, ...]`, at least one row.
      size: the last batch is filled up to it.

    Returns:
      `[B, ...]`
    """
    total = jax.tree.leaves(rows)[0].shape[0]

    def part(begin: int) -> Any:
        missing = max(0, begin + size - total)

        def cut(leaf: chex.Array) -> chex.Array:
            return jnp.pad(leaf[begin : begin + size], [(0, missing)] + [(0, 0)] * (leaf.ndim - 1), mode="edge")

        return jax.tree.map(cut, rows)

    return jnp.concatenate([apply(part(begin)) for begin in range(0, total, size)])[:total]
