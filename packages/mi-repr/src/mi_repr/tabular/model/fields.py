"""What the fields of a finite MDP must be, with errors that name the field and the row.

In the shape descriptions `S` denotes the states and `A` the actions.
"""

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np

Axes = tuple[tuple[str, ...], ...]
"""The names along each axis of an array."""

Layout = Literal["state_action_next", "action_state_next"]
"""The order of the axes of a transition: `[S, A, S]`, or `[A, S, S]` as in pymdptoolbox."""

_ROUNDING = 1e-5  # probabilities written by hand: rows this close to 1 are scaled to 1
_LAST_DIGITS = 1e-15
_LARGEST = 1e300


def to_array(name: str, value: Any) -> np.ndarray:
    """`value` as float64; sparse matrices, alone or in a list, are filled up with zeros.

    Raises:
      ValueError: it has other things than real numbers, or rows of different length.
    """
    if hasattr(value, "toarray"):
        value = value.toarray()
    elif isinstance(value, Sequence) or (isinstance(value, np.ndarray) and value.dtype == object):
        value = [part.toarray() if hasattr(part, "toarray") else part for part in value]
    try:
        array = np.array(value)
        if array.dtype.kind not in "iuf":
            raise ValueError
        return array.astype(np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be real numbers in rows of equal length") from None


def read_layout(transition: np.ndarray, layout: Layout | None) -> Layout | None:
    """The order of the axes of a transition; None where both orders fit and mean different things.

    Raises:
      ValueError: the shape fits neither, or not the one that is named, or `layout` is none of them.
    """
    if layout is not None and layout not in get_args(Layout):
        raise ValueError(f"layout must be one of {', '.join(get_args(Layout))}, got {layout!r}")
    shape = list(transition.shape)
    by_rank = transition.ndim == 3 and transition.size > 0
    state_first, action_first = by_rank and shape[0] == shape[2], by_rank and shape[1] == shape[2]
    if not state_first and not action_first:
        raise ValueError(f"transition must have shape [S, A, S] or [A, S, S], got {shape}")
    if layout is not None and not (state_first if layout == "state_action_next" else action_first):
        raise ValueError(f"transition must have the layout {layout!r}, got shape {shape}")
    if layout is not None:
        return layout
    if state_first and action_first and not np.array_equal(transition, transition.swapaxes(0, 1)):
        return None
    return "state_action_next" if state_first else "action_state_next"


def check_names(name: str, names: Sequence[str], letter: str, number: int) -> tuple[str, ...]:
    """`number` different names, by default `letter` with a number.

    Raises:
      ValueError: they are too few or too many, or some are the same.
    """
    if names is None or (hasattr(names, "__len__") and not len(names)):
        return tuple(f"{letter}{i}" for i in range(number))
    if isinstance(names, str) or not hasattr(names, "__iter__"):
        raise ValueError(f"{name} must be {number} different names, got {names!r}")
    texts = tuple(map(str, names))
    if len(texts) != number or len(set(texts)) != number:
        raise ValueError(f"{name} must be {number} different names, got {list(names)}")
    return texts


def check_shape(name: str, value: Any, axes: Axes) -> np.ndarray:
    """`value` as float64 of the shape that the axes have.

    Raises:
      ValueError: it has another shape, or `to_array` refuses it.
    """
    array, shape = to_array(name, value), tuple(map(len, axes))
    if array.shape != shape:
        raise ValueError(f"{name} must have shape {list(shape)}, got {list(array.shape)}")
    return array


def check_allowed(value: Any, shape: tuple[int, int]) -> np.ndarray:
    """`[S, A]` bool.

    Raises:
      ValueError: it is neither true nor false somewhere, or of another shape.
    """
    try:
        array = np.array(value)
    except ValueError:
        raise ValueError("allowed must be true or false in rows of equal length") from None
    if array.dtype != bool and not (array.dtype.kind in "iuf" and np.isin(array, (0, 1)).all()):
        raise ValueError(f"allowed must be true or false, got {value!r}")
    if array.shape != shape:
        raise ValueError(f"allowed must have shape {list(shape)}, got {list(array.shape)}")
    return array.astype(bool)


def check_finite(name: str, array: np.ndarray, axes: Axes) -> None:
    """Refuses what is infinite or no number.

    Raises:
      ValueError: it says where.
    """
    for where in np.argwhere(~np.isfinite(array)):
        raise ValueError(f"{name}{_place(where, axes)} is {array[tuple(where)]}, must be finite")
    for where in np.argwhere(np.abs(array) > _LARGEST):
        raise ValueError(
            f"{name}{_place(where, axes)} is {array[tuple(where)]:g}, must be at most {_LARGEST:g} in size"
        )


def check_rows(name: str, array: np.ndarray, axes: Axes) -> np.ndarray:
    """Distributions over the last axis, scaled to sum to 1 exactly.

    Raises:
      ValueError: a row is none; it says which.
    """
    check_finite(name, array, axes)
    for where in np.argwhere(array < 0):
        raise ValueError(f"{name}{_place(where, axes)} is {array[tuple(where)]:g}, must not be negative")
    total = array.sum(axis=-1)
    for where in np.argwhere(np.atleast_1d(np.abs(total - 1) > _ROUNDING)):
        row = where[: array.ndim - 1]
        raise ValueError(f"{name}{_place(row, axes)} sums to {total[tuple(row)]:.12g}, must be 1")
    # What sums to 1 already keeps its digits.
    return np.where(np.abs(total - 1)[..., None] <= _LAST_DIGITS, array, array / total[..., None])


def _place(where: np.ndarray, axes: Axes) -> str:
    names = ", ".join(names[index] for names, index in zip(axes, where, strict=False))
    return f"[{names}]" if names else ""
