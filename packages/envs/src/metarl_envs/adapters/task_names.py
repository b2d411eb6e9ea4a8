"""Which tasks one environment may play in turn: only those that are the same beyond doubt."""

import dataclasses
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Any

import jax
import numpy as np

from metarl_envs.fingerprint import fingerprint
from metarl_envs.tasks import Task

_SCALARS = (bool, int, float, complex, str, bytes)


class TaskNames:
    """Names the tasks of one vector environment, for as long as it lives."""

    def __init__(self) -> None:
        """No task has a name yet."""
        self._met: dict[Hashable, list[Task]] = {}  # kept, so that no other task gets the id of one

    def __call__(self, tasks: Sequence[Task]) -> list[Hashable]:
        """Names the environment of each task: alike for the same task, but for a count where it stands twice."""
        seen: Counter[Hashable] = Counter()
        names: list[Hashable] = []
        for task in tasks:
            name = self._name(task)
            names.append((*name, seen[name]))
            seen[name] += 1
        return names

    def _name(self, task: Task) -> tuple[Hashable, int]:
        try:
            digest: Hashable = fingerprint(task)
        except ValueError:
            digest = id(task)
        alike = self._met.setdefault(digest, [])
        for i, other in enumerate(alike):
            if is_same(other, task):
                return digest, i
        alike.append(task)
        return digest, len(alike) - 1


def is_same(one: Any, other: Any) -> bool:
    """Whether two tasks are one object, or surely say the same: False where that cannot be told."""
    if one is other:
        return True
    kind = type(one)
    if kind is not type(other):
        return False
    if kind in _SCALARS:
        return one == other or (one != one and other != other)
    if kind in (np.ndarray, np.memmap) or isinstance(one, jax.Array | np.generic):
        return _is_same_array(one, other)
    if kind in (list, tuple) or (isinstance(one, tuple) and hasattr(one, "_fields")):
        return len(one) == len(other) and all(map(is_same, one, other)) and _are_same_attributes(one, other)
    if kind is dict:
        return one.keys() == other.keys() and all(is_same(value, other[key]) for key, value in one.items())
    if dataclasses.is_dataclass(one) and not isinstance(one, type):
        names = [field.name for field in dataclasses.fields(one)]
        return all(is_same(getattr(one, name), getattr(other, name)) for name in names) and _are_same_attributes(
            one, other
        )
    if kind.__eq__ is not object.__eq__:
        try:
            return bool(one == other)
        except Exception:
            return False
    return _is_same_object(one, other)


def _is_same_array(one: Any, other: Any) -> bool:
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    if isinstance(one, jax.Array):
        if jax.dtypes.issubdtype(one.dtype, jax.dtypes.prng_key):
            one, other = jax.random.key_data(one), jax.random.key_data(other)
        one, other = np.asarray(one), np.asarray(other)
    if np.asarray(one).dtype.hasobject:
        return all(map(is_same, np.ravel(one).tolist(), np.ravel(other).tolist()))
    return np.asarray(one).tobytes() == np.asarray(other).tobytes()


def _are_same_attributes(one: Any, other: Any) -> bool:
    return is_same(getattr(one, "__dict__", None), getattr(other, "__dict__", None))


def _is_same_object(one: Any, other: Any) -> bool:
    """Whether two objects that nothing but identity compares are made of the same parts."""
    kind = type(one)
    ways = ("__reduce_ex__", "__reduce__", "__getstate__")
    if any(getattr(kind, way, None) is not getattr(object, way, None) for way in ways):
        return False  # what pickle is told may be less than there is
    try:
        parts, others = one.__reduce_ex__(4), other.__reduce_ex__(4)
    except Exception:
        return False
    if not all(isinstance(found, tuple) and len(found) == 5 and found[3:] == (None, None) for found in (parts, others)):
        return False
    return is_same(parts[:3], others[:3])
