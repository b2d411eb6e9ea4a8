"""A short name for what a value says, the same in every process and on every machine."""

import dataclasses
import enum
import functools
import hashlib
import pathlib
import pickle
import sys
import types
from typing import Any

import jax
import numpy as np
from gymnasium import spaces

from metarl_envs.tasks import Tasks

_DIGITS = 16


def fingerprint(tasks: Tasks) -> str:
    """16 hexadecimal digits that differ wherever two task sets do, in a value, a shape, a dtype, a name or the order.

    A function or a class counts by its name and its module; a script is the module that it is imported as. A JAX array
    counts as the NumPy array of its numbers, a `range` as the list of its numbers; the order in a dict or a set does
    not count.

    Args:
      tasks: a pytree of arrays, or a list of anything that is made of numbers, strings, arrays, containers,
        dataclasses, and objects that can be pickled.

    Raises:
      ValueError: something in `tasks` can be none of these, such as a lambda or a masked array, or contains itself.
    """
    return _digest(tasks, ()).hex()[:_DIGITS]


def describe_space(space: spaces.Space[Any]) -> str:
    """A short text that differs wherever two spaces do, such as `Box(6,) float32 0123456789abcdef`."""
    name = type(space).__name__
    shape = "" if space.shape is None else str(tuple(space.shape))
    dtype = "" if space.dtype is None else f" {np.dtype(space.dtype).name}"
    return f"{name}{shape}{dtype} {fingerprint([_space_parts(space)])}"


def _space_parts(space: spaces.Space[Any]) -> tuple[Any, ...]:
    """The kind of a space and all that fixes what is in it, but not its random numbers."""
    name = type(space).__name__
    match space:
        case spaces.Box():
            return name, np.dtype(space.dtype).name, space.shape, np.asarray(space.low), np.asarray(space.high)
        case spaces.Discrete():
            return name, int(space.n), int(space.start)
        case spaces.MultiDiscrete():
            return name, space.nvec.tolist(), space.start.tolist()
        case spaces.Dict():
            return name, {key: _space_parts(part) for key, part in space.spaces.items()}
        case spaces.Tuple() | spaces.OneOf():
            return name, [_space_parts(part) for part in space.spaces]
        case spaces.Text():
            return name, space.min_length, space.max_length, sorted(space.character_set)
        case spaces.Sequence():
            return name, _space_parts(space.feature_space), bool(space.stack)
    said = "" if type(space).__repr__ is object.__repr__ else repr(space)  # which would say where it is in memory
    return name, space.shape, str(space.dtype), said


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
    kind = type(value)
    name = _type_name(kind)
    if value is None or value is Ellipsis:
        return name, []
    if isinstance(value, enum.Enum):
        return "enum", [name.encode(), value.name.encode() if value.name else repr(value).encode()]
    if isinstance(value, np.ndarray | np.generic | jax.Array):
        return _array_parts(value)
    # Those of other types, such as a list that has attributes, are objects: what pickle would write says all of them.
    if kind in (bool, int, float, complex, str):
        return name, [_scalar_bytes(value)]
    if kind in (bytes, bytearray):
        return name, [bytes(value)]
    if kind is dict:
        pairs = [(_digest(key, ()), inner) for key, inner in value.items()]
        return f"dict {name}", [
            part for key, inner in sorted(pairs, key=lambda p: p[0]) for part in (key, _Inner(inner))
        ]
    if kind in (set, frozenset):
        return "set", [*sorted(_digest(inner, ()) for inner in value)]
    if kind in (list, range):
        return "list", [_Inner(inner) for inner in value]
    if kind is tuple or _is_named_tuple(value):
        fields = [field.encode() for field in getattr(value, "_fields", ())]
        return f"tuple {name if fields else ''}", [*fields, *(_Inner(inner) for inner in value)]
    return _object_parts(value, name)


def _is_named_tuple(value: Any) -> bool:
    """Whether a value is a named tuple that has nothing but its fields."""
    fields = getattr(value, "_fields", None)
    return (
        isinstance(value, tuple) and fields is not None and len(fields) == len(value) and not hasattr(value, "__dict__")
    )


_BARE = ("builtins", "metarl_envs")  # directories of runs record digests of tasks whose types are of these packages


def _type_name(kind: type) -> str:
    """The name of the type of a value, with its module."""
    if kind.__module__.partition(".")[0] in _BARE:
        return kind.__qualname__
    return f"{_module_name(kind.__module__)}.{kind.__qualname__}"


def _module_name(module: str) -> str:
    """The name of a module; that of a script is the one under which it is imported."""
    if module not in ("__main__", "__mp_main__"):
        return module
    main = sys.modules["__main__"]
    spec, file = getattr(main, "__spec__", None), getattr(main, "__file__", None)
    return spec.name if spec is not None else pathlib.Path(file).stem if file else "__main__"


def _scalar_bytes(value: bool | int | float | complex | str) -> bytes:
    # repr of a float is exact; a lone surrogate is no reason to fail
    return (value if isinstance(value, str) else repr(value)).encode("utf-8", "surrogatepass")


_PLAIN_ARRAYS = (np.ndarray, np.memmap, np.recarray)


def _array_parts(value: Any) -> tuple[str, list[bytes | _Inner]]:
    if isinstance(value, jax.Array) and jax.dtypes.issubdtype(value.dtype, jax.dtypes.prng_key):
        return "key", [str(value.dtype).encode(), _Inner(np.asarray(jax.random.key_data(value)))]
    is_plain = isinstance(value, jax.Array) or type(value) in _PLAIN_ARRAYS
    if not is_plain and not (isinstance(value, np.generic) and type(value) is value.dtype.type):
        raise ValueError(
            f"tasks: a {type(value).__name__} has no fingerprint, because it may say more than its numbers do: make it "
            "a plain NumPy array"
        )
    array = np.asarray(value)
    shape = repr(array.shape).encode()
    if array.dtype.hasobject:
        return "objects", [shape, *(_Inner(inner) for inner in array.ravel().tolist())]
    array = array.astype(array.dtype.newbyteorder("<"), order="C")
    description = repr(array.dtype.descr) if array.dtype.fields else array.dtype.str
    return "array", [f"{array.dtype.name} {description}".encode(), shape, array.tobytes()]


def _object_parts(value: Any, name: str) -> tuple[str, list[bytes | _Inner]]:
    if type(value) in _PATHS:
        return "path", [value.as_posix().encode("utf-8", "surrogatepass")]
    if isinstance(value, type | types.FunctionType):
        return _global_parts(value, value.__qualname__)
    if isinstance(value, (set, frozenset)):
        raise ValueError(f"tasks: a {name} has no fingerprint: make it a set")  # pickle would write it in any order
    if dataclasses.is_dataclass(value) and _has_nothing_else(value):
        fields = [field.name for field in dataclasses.fields(value)]
        return f"dataclass {name}", [
            part for field in fields for part in (field.encode(), _Inner(getattr(value, field)))
        ]
    try:
        reduced = value.__reduce_ex__(4)
    except Exception as error:
        raise ValueError(f"tasks: a {name} has no fingerprint: {error}") from error
    if isinstance(reduced, str):
        return _global_parts(value, reduced)
    # What pickle would write: how to make the object, its state, its items.
    make, arguments, state, items, pairs = (*reduced, None, None, None)[:5]
    assert arguments is not None
    return f"object {name}", [
        _Inner(make),
        _Inner(tuple(arguments)),
        _Inner(state),
        _Inner(None if items is None else list(items)),
        _Inner(None if pairs is None else dict(pairs)),
    ]


_PATHS = (pathlib.PurePosixPath, pathlib.PureWindowsPath, pathlib.PosixPath, pathlib.WindowsPath)


def _has_nothing_else(value: Any) -> bool:
    """Whether all that a dataclass says is in its fields, or is computed from them."""
    derived = {field.name for field in dataclasses.fields(value)}
    for base in type(value).__mro__[:-1]:
        derived |= {name for name, part in vars(base).items() if isinstance(part, functools.cached_property)}
        keeps_more = base.__module__ == "builtins" or vars(base).get("__slots__")
        if keeps_more and not dataclasses.is_dataclass(base):
            return False
    return set(getattr(value, "__dict__", ())) <= derived


def _global_parts(value: Any, qualname: str) -> tuple[str, list[bytes | _Inner]]:
    """Of what is found under its name in its module, as pickle asks for it too."""
    module = str(pickle.whichmodule(value, qualname))  # type: ignore[attr-defined]
    found: Any = sys.modules.get(module)
    for part in qualname.split("."):
        found = getattr(found, part, None)
    if found is not value:
        raise ValueError(f"tasks: {qualname} has no fingerprint, because its name does not say what it is")
    return "name", [f"{_module_name(module)}.{qualname}".encode()]
