"""What the fields of a finite MDP must be, with errors that name the field and the row.

In the shape descriptions `S` denotes the states and `A` the actions.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

_ROUNDING = 1e-5  # probabilities written by hand: rows this close to 1 are scaled to 1


def to_array(name: str, value: Any) -> np.ndarray:
    first = next(iter(value), None) if isinstance(value, Sequence) else value
    if hasattr(value, "toarray") or hasattr(first, "toarray"):
        raise ValueError(f"{name} must be an array of all its numbers, got a sparse one: toarray() makes it one")
    try:
        array = np.array(value)
        if array.dtype.kind not in "iuf":
            raise ValueError
        return array.astype(np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be real numbers in rows of equal length") from None


def check_names(name: str, names: Sequence[str], letter: str, number: int) -> tuple[str, ...]:
    if names is None or not len(names):
        return tuple(f"{letter}{i}" for i in range(number))
    if len(names) != number or len(set(names)) != number:
        raise ValueError(f"{name} must be {number} different names, got {list(names)}")
    return tuple(map(str, names))


def check_shape(name: str, value: Any, axes: tuple[tuple[str, ...], ...]) -> np.ndarray:
    array, shape = to_array(name, value), tuple(map(len, axes))
    if array.shape != shape:
        raise ValueError(f"{name} must have shape {list(shape)}, got {list(array.shape)}")
    return array


def check_allowed(value: Any) -> np.ndarray:
    array = np.array(value)
    if array.dtype != bool and not (array.dtype.kind in "iuf" and np.isin(array, (0, 1)).all()):
        raise ValueError(f"allowed must be true or false, got {value!r}")
    return array.astype(bool)


def check_finite(name: str, array: np.ndarray, axes: tuple[tuple[str, ...], ...]) -> None:
    for where in np.argwhere(~np.isfinite(array)):
        raise ValueError(f"{name}{_place(where, axes)} is {array[tuple(where)]}, must be finite")


def check_rows(name: str, array: np.ndarray, axes: tuple[tuple[str, ...], ...]) -> np.ndarray:
    """Distributions over the last axis, scaled to sum to 1 exactly."""
    check_finite(name, array, axes)
    for where in np.argwhere(array < 0):
        raise ValueError(f"{name}{_place(where, axes)} is {array[tuple(where)]:g}, must not be negative")
    total = array.sum(axis=-1)
    for where in np.argwhere(np.atleast_1d(np.abs(total - 1) > _ROUNDING)):
        row = where[: array.ndim - 1]
        raise ValueError(f"{name}{_place(row, axes)} sums to {total[tuple(row)]:.12g}, must be 1")
    return array / total[..., None]


def _place(where: np.ndarray, axes: tuple[tuple[str, ...], ...]) -> str:
    names = ", ".join(names[index] for names, index in zip(axes, where, strict=False))
    return f"[{names}]" if names else ""
