"""A short name for what a value says, the same in every process and on every machine."""

import dataclasses
import enum
import functools
import hashlib
import pathlib
import types
from typing import Any

import jax
import numpy as np

from metarl_envs.tasks import Tasks

_DIGITS = 16


def fingerprint(tasks: Tasks) -> str:
    """16 hexadecimal digits that differ wherever two task sets do, in a value, a shape, a dtype, a name or the order.

    A type counts by its name, not by its module, so that a script and the module it is imported as agree; a JAX array
    counts as the NumPy array of its numbers, a `range` as the list of its numbers; the order in a dict or a set does
    not count.

    Args:
      tasks: a pytree of arrays, or a list of anything that is made of numbers, strings, arrays, containers,
        dataclasses, and objects that can be pickled.

    Raises:
      ValueError: something in `tasks` can be none of these, such as a lambda, or contains itself.
    """
    return _digest(tasks, ()).hex()[:_DIGITS]


def _digest(value: Any, parents: tuple[int, ...]) -> bytes:
    if id(value) in parents:
        raise ValueError(f"tasks: a {type(value).__name__} contains itself: it has no fingerprint")
    kind, parts = _parts(value)
    digest = hashlib.sha256(kind.encode())
    for part in parts:
        piece = part if isinstance(part, bytes) else _digest(part.value, (*parents, id(value)))
        digest.update(len(piece).to_bytes(8, "little") + piece)
    return digest.digest()


@dataclasses.dataclass(frozen=True)
class _Inner:
    """A part of a value that is looked into."""

    value: Any


def _parts(value: Any) -> tuple[str, list[bytes | _Inner]]:
    """The kind of a value, and what it consists of."""
    name = type(value).__qualname__
    if value is None or value is Ellipsis:
        return name, []
    if isinstance(value, enum.Enum):
        return "enum", [name.encode(), value.name.encode() if value.name else repr(value).encode()]
    if isinstance(value, np.ndarray | np.generic | jax.Array):
        return _array_parts(value)
    if isinstance(value, bool | int | float | complex | str) and type(value).__module__ == "builtins":
        return name, [_scalar_bytes(value)]
    if isinstance(value, bytes | bytearray):
        return name, [bytes(value)]
    if isinstance(value, dict):
        pairs = [(_digest(key, ()), inner) for key, inner in value.items()]
        return f"dict {name}", [
            part for key, inner in sorted(pairs, key=lambda p: p[0]) for part in (key, _Inner(inner))
        ]
    if isinstance(value, (set, frozenset)):
        return "set", [*sorted(_digest(inner, ()) for inner in value)]
    if isinstance(value, (list, range)):
        return "list", [_Inner(inner) for inner in value]
    if isinstance(value, tuple):
        fields = [field.encode() for field in getattr(value, "_fields", ())]
        return f"tuple {name if fields else ''}", [*fields, *(_Inner(inner) for inner in value)]
    return _object_parts(value, name)


def _scalar_bytes(value: bool | int | float | complex | str) -> bytes:
    # repr of a float is exact; a lone surrogate is no reason to fail
    return (value if isinstance(value, str) else repr(value)).encode("utf-8", "surrogatepass")


def _array_parts(value: Any) -> tuple[str, list[bytes | _Inner]]:
    if isinstance(value, jax.Array) and jax.dtypes.issubdtype(value.dtype, jax.dtypes.prng_key):
        return "key", [str(value.dtype).encode(), _Inner(np.asarray(jax.random.key_data(value)))]
    array = np.asarray(value)
    shape = repr(array.shape).encode()
    if array.dtype.hasobject:
        return "objects", [shape, *(_Inner(inner) for inner in array.ravel().tolist())]
    array = array.astype(array.dtype.newbyteorder("<"), order="C")
    description = repr(array.dtype.descr) if array.dtype.fields else array.dtype.str
    return "array", [f"{array.dtype.name} {description}".encode(), shape, array.tobytes()]


def _object_parts(value: Any, name: str) -> tuple[str, list[bytes | _Inner]]:
    if isinstance(value, pathlib.PurePath):
        return "path", [value.as_posix().encode("utf-8", "surrogatepass")]
    if isinstance(value, functools.partial):
        return "partial", [_Inner(value.func), _Inner(value.args), _Inner(value.keywords)]
    if isinstance(value, type | types.FunctionType | types.BuiltinFunctionType):
        if "<lambda>" in value.__qualname__ or "<locals>" in value.__qualname__:
            raise ValueError(
                f"tasks: {value.__qualname__} has no fingerprint, because its name does not say what it is"
            )
        return "name", [value.__qualname__.encode()]
    if dataclasses.is_dataclass(value):
        fields = [field.name for field in dataclasses.fields(value)]
        return f"dataclass {name}", [
            part for field in fields for part in (field.encode(), _Inner(getattr(value, field)))
        ]
    try:
        reduced = value.__reduce_ex__(4)
    except Exception as error:
        raise ValueError(f"tasks: a {name} has no fingerprint: {error}") from error
    if isinstance(reduced, str):
        return "name", [reduced.encode()]
    # What pickle would write: how to make the object, its state, its items.
    make, arguments, state, *items = (*reduced, None, None, None)[:5]
    assert arguments is not None
    return f"object {name}", [
        _Inner(getattr(make, "__qualname__", make)),
        _Inner(tuple(arguments)),
        _Inner(state),
        *(_Inner(None if one is None else list(one)) for one in items),
    ]
