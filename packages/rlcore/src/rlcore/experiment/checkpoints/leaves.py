"""A pytree of training state as named NumPy arrays and back, to the bit.

Leaves may be JAX arrays, typed random keys, NumPy arrays and scalars, and Python numbers.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

StateT = TypeVar("StateT")


class Leaf(NamedTuple):
    """What identifies a leaf in a checkpoint.

    name: its path in the tree, `.params['actor']`.
    type: its dtype and shape, `float32[64,64]`.
    weak: whether JAX may promote it to another dtype; a jitted step recompiles where this changes.
    """

    name: str
    type: str
    weak: bool


def describe(tree: Any) -> list[Leaf]:
    """Returns the leaves of `tree` in order. Leaves may also be `jax.ShapeDtypeStruct`s.

    Raises `TypeError` for a leaf that is not made of numbers.
    """
    leaves = []
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        name = jax.tree_util.keystr(path)
        array = leaf if hasattr(leaf, "dtype") and hasattr(leaf, "shape") else np.asarray(leaf)
        if not _is_key(array) and (array.dtype.kind in "OSUmM" or array.dtype.names):
            raise TypeError(f"state{name} is a {type(leaf).__name__}: a checkpoint holds arrays and numbers")
        shape = ",".join(str(size) for size in array.shape)
        leaves.append(Leaf(name, f"{array.dtype}[{shape}]", getattr(array, "weak_type", False)))
    return leaves


def to_host(tree: Any) -> Iterator[np.ndarray]:
    """Yields the values of the leaves of `tree` in order, of a random key its data; on CPU they are views."""
    for leaf in jax.tree.leaves(tree):
        yield np.asarray(jax.random.key_data(leaf) if _is_key(leaf) else leaf)


def from_host(template: StateT, arrays: Iterable[np.ndarray], leaves: list[Leaf]) -> StateT:
    """Returns a tree as `template` with the values of `arrays`, the inverse of `to_host`.

    Every leaf is of the same kind as in `template`, on the same device, and owns its memory, so it can be donated.

    Args:
      template: a tree whose leaves match `leaves`, see `find_mismatch`.
      arrays: from `to_host`, with any array of size 0 in place of another.
      leaves: from `describe`, of the tree that `arrays` came from.
    """
    targets, treedef = jax.tree.flatten(template)
    rows = zip(targets, arrays, leaves, strict=True)
    return jax.tree.unflatten(treedef, [_restore(target, array, leaf.weak) for target, array, leaf in rows])


def find_mismatch(template: Any, leaves: list[Leaf]) -> str | None:
    """Returns where `template` and `leaves` differ in names or types, in words, or None."""
    wanted = {leaf.name: leaf.type for leaf in describe(template)}
    stored = {leaf.name: leaf.type for leaf in leaves}
    for name in [*wanted, *stored]:
        if wanted.get(name) != stored.get(name):
            return f"state{name} is {stored.get(name, 'missing')} there and {wanted.get(name, 'missing')} here"
    return None


def _is_key(leaf: Any) -> bool:
    return hasattr(leaf, "dtype") and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def _restore(target: Any, array: np.ndarray, weak: bool) -> Any:
    if isinstance(target, np.ndarray):
        return np.array(array) if array.size else np.empty(target.shape, target.dtype)
    if isinstance(target, np.generic):
        return array[()]
    if isinstance(target, bool | int | float | complex):
        return array.item()
    value = jnp.array(array, copy=True) if array.size else jnp.empty(target.shape, target.dtype)
    if _is_key(target) and array.size:
        value = jax.random.wrap_key_data(value, impl=jax.random.key_impl(jnp.empty((), target.dtype)))
    elif weak:
        # An update keeps the weak type of the array that it goes into, here of one made from a Python number.
        value = jnp.full(value.shape, array.dtype.type(0).item()).at[...].set(value)
    return jax.device_put(value, target.sharding) if getattr(target, "committed", False) else value
