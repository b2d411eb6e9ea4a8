"""Reads MDPs from JSON or npz files.

A file holds the fields of `FiniteMDP` by name. `next_state`, a table of the numbers of the next states, may stand for
`transition` where nothing is random. `transition` is `[S, A, S]`, or what `layout` says, or `[A, S, S]` if its shape
allows nothing else. Rewards need their convention: a file says which it means. An example:

    {
      "states": ["left", "right"],
      "actions": ["stay", "go"],
      "next_state": [[0, 1], [1, 0]],
      "reward": [0, 1],
      "reward_convention": "arrival",
      "discount": 0.9
    }

An npz file holds arrays of the same names.
"""

import difflib
import json
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from mi_repr.tabular.model.fields import Layout
from mi_repr.tabular.model.mdp import FiniteMDP
from mi_repr.tabular.model.rewards import REWARD_KINDS

_REQUIRED = ("reward", "reward_convention")
_OPTIONAL = (
    "transition",
    "next_state",
    "policy",
    "discount",
    "state_distribution",
    "states",
    "actions",
    "allowed",
    "layout",
    "reward_values",
)
_KEYS = _REQUIRED + _OPTIONAL
_MOST_DIGITS = 308  # an integer of so many fits a float64
_MOST_SHOWN = 60  # characters of a value in a message
_UNREADABLE = (
    EOFError,
    KeyError,
    MemoryError,
    NotImplementedError,
    OSError,
    RuntimeError,
    SyntaxError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)  # what numpy and zipfile raise for a broken npz file


_Main = Literal["transition", "next_state"]
"""The key of the table that says where steps lead."""


class _Axis(NamedTuple):
    """What a level of a table counts, such as "state", and the names of these."""

    counted: str
    names: Sequence[str]


class _Entries(NamedTuple):
    """What the entries of a table are, in words and as a test; the array's type."""

    description: str
    accepts: Callable[[Any], bool]
    dtype: type


_NUMBERS = _Entries("a number", lambda entry: type(entry) in (int, float), float)
_TRUTHS = _Entries("true or false", lambda entry: type(entry) in (bool, int, float) and entry in (0, 1), bool)


def load_mdp(path: str | Path) -> FiniteMDP:
    """The MDP that a .json or .npz file describes.

    Raises:
      ValueError: the file cannot be read, a key is missing or unknown, a value is of the wrong kind or shape, or
        `FiniteMDP` refuses it; the message is one line that names the file, the key and the row.
    """
    path = Path(path)
    readers = {".json": _read_json, ".npz": _read_npz}
    if path.suffix not in readers:
        raise ValueError(f"{path}: must end in .json or .npz")
    try:
        return _from_fields(readers[path.suffix](path))
    except (ValueError, OSError) as error:
        reason = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
        raise ValueError(f"{path}: {reason}") from None


def _from_fields(fields: dict[str, Any]) -> FiniteMDP:
    options = {key: value for key, value in fields.items() if value is not None}
    for key in fields:
        if key not in _KEYS:
            close = difflib.get_close_matches(key, _KEYS, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise ValueError(f"key {_short(key)} is unknown, the keys are {', '.join(_KEYS)}{hint}")
    for key in _REQUIRED:
        if key not in options:
            raise ValueError(f"key {key!r} is missing")
    if ("transition" in options) == ("next_state" in options):
        raise ValueError("one of the keys 'transition' and 'next_state' must be there, and only one")
    _check_scalar(options, "discount", (int, float), "a number")
    for key, known in (("reward_convention", tuple(REWARD_KINDS)), ("layout", get_args(Layout))):
        _check_scalar(options, key, (str,), "a string")
        if options.get(key, known[0]) not in known:
            raise ValueError(f"{key} must be one of {', '.join(known)}, got {_short(options[key])}")
    return _from_tables(options)


def _from_tables(options: dict[str, Any]) -> FiniteMDP:
    """The MDP of `options`, whose keys and scalars are right."""
    main: _Main = "transition" if "transition" in options else "next_state"
    if main == "next_state" and "layout" in options:
        raise ValueError("key 'layout' is for 'transition', and there is 'next_state'")
    states, actions, action_first = _read_axes(options, main)
    last = len(states.names) - 1
    numbers = _Entries(f"an integer from 0 to {last}", lambda entry: type(entry) is int and 0 <= entry <= last, int)
    values = _Axis("reward value", [])
    if "reward_values" in options:
        names = _name_axis({}, "values", options["reward_values"], "reward_values")
        values = _Axis("reward value", names)
    by_letter = {"S": states, "A": actions, "R": values}
    steps = (actions, states, states) if action_first else (states, actions, states)
    axes_of_reward = REWARD_KINDS[options["reward_convention"]].axes
    tables: dict[str, tuple[_Entries, tuple[_Axis, ...]]] = {
        "transition": (_NUMBERS, steps),
        "next_state": (numbers, (states, actions)),
        "reward": (_NUMBERS, steps if axes_of_reward == "SAS" else tuple(by_letter[each] for each in axes_of_reward)),
        "reward_values": (_NUMBERS, (values,)),
        "policy": (_NUMBERS, (states, actions)),
        "state_distribution": (_NUMBERS, (states,)),
        "allowed": (_TRUTHS, (states, actions)),
    }
    for key, (entries, axes) in tables.items():
        if key in options:
            _check_table(options[key], entries, axes, key, ())
            options[key] = np.array(options[key], entries.dtype)
    if main == "next_state":
        return FiniteMDP.deterministic(options.pop("next_state"), options.pop("reward"), **options)
    return FiniteMDP(**options)


def _read_axes(options: dict[str, Any], main: _Main) -> tuple[_Axis, _Axis, bool]:
    """The states, the actions, and whether the actions come first in the table `main`."""
    table = options[main]
    shape, level = [], table
    while isinstance(level, list) and level:
        shape.append(len(level))
        level = level[0]
    action_first = main == "transition" and options.get("layout") == "action_state_next"
    if main == "transition" and "layout" not in options and len(shape) == 3:  # with as many actions, states come first
        names = options.get("actions")
        action_first = shape[0] != shape[2] and shape[1] == shape[2]
        action_first &= not isinstance(names, list) or len(names) == shape[0]
        options["layout"] = "action_state_next" if action_first else "state_action_next"
    outer, inner = ("actions", "states") if action_first else ("states", "actions")
    named: dict[str, Sequence[str]] = {outer: _name_axis(options, outer, table, main)}
    named[inner] = _name_axis(options, inner, table[0], f"{main}[{named[outer][0]}]")
    return _Axis("state", named["states"]), _Axis("action", named["actions"]), action_first


def _check_scalar(fields: dict[str, Any], key: str, types: tuple[type, ...], description: str) -> None:
    value = fields.get(key)
    if value is not None and (isinstance(value, bool) or not isinstance(value, types)):
        raise ValueError(f"{key} must be {description}, got {_short(value)}")


def _name_axis(options: dict[str, Any], key: str, rows: Any, place: str) -> Sequence[str]:
    """Names for the entries of `rows`, which the file has at `place`: its own, then a tuple in `options`, or s0, s1."""
    if not isinstance(rows, list) or not rows:
        raise ValueError(f"{place} must be a list with an entry for each of the {key}, got {_short(rows)}")
    if key not in options:
        return [f"{key[0]}{number}" for number in range(len(rows))]
    names = options[key]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{key} must be a list of strings, got {_short(names)}")
    for number, name in enumerate(names):
        if not name.strip() or not name.isprintable():
            raise ValueError(f"{key}[{number}] must be a name that can be printed in a line, got {_short(name)}")
        if name in names[:number]:
            raise ValueError(f"{key} must be {len(names)} different names, but {_short(name)} is there twice")
    if len(names) != len(rows):
        raise ValueError(f"{key} must name the {len(rows)} entries of {place}, got {len(names)} names")
    options[key] = tuple(names)
    return options[key]


def _check_table(value: Any, entries: _Entries, axes: tuple[_Axis, ...], key: str, place: tuple[str, ...]) -> None:
    """Checks nested lists level by level; `place` are the names on the way from the key to `value`."""
    where = f"{key}[{', '.join(place)}]" if place else key
    counted, names = axes[0]
    if not isinstance(value, list):
        raise ValueError(f"{where} must be a list with an entry for each {counted}, got {_short(value)}")
    if len(value) != len(names):
        raise ValueError(f"{where} must have {len(names)} entries, one for each {counted}, got {len(value)}")
    for name, entry in zip(names, value, strict=True):
        if len(axes) > 1:
            _check_table(entry, entries, axes[1:], key, (*place, name))
        elif not entries.accepts(entry):
            raise ValueError(f"{key}[{', '.join((*place, name))}] must be {entries.description}, got {_short(entry)}")


def _short(value: Any) -> str:
    """A value on one line, cut where it is long."""
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 4]} ..."


def _read_json(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    if not content.strip():
        raise ValueError("is empty")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text or text.startswith("\ufeff"):
        raise ValueError("not JSON: must be text in UTF-8, without a byte order mark")
    try:
        fields = json.loads(text, object_pairs_hook=_refuse_twice, parse_int=_parse_int)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error}") from None
    except RecursionError:
        raise ValueError("not JSON of an MDP: lists in lists in lists without end") from None
    if not isinstance(fields, dict):
        raise ValueError(f"must hold an object of keys and values, got {type(fields).__name__}")
    return fields


def _parse_int(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)


def _refuse_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise ValueError(f"key {_short(name)} is there twice")
    return dict(pairs)


def _read_npz(path: Path) -> dict[str, Any]:
    """The arrays of a file as nested lists: so they are checked as JSON's are."""
    with path.open("rb") as content:
        try:
            file = np.load(content, allow_pickle=False)
        except _UNREADABLE:
            raise ValueError("not an npz file") from None
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise ValueError("not an npz file, but one array")
        return _refuse_twice([(key, _read_array(file, key)) for key in file.files])


def _read_array(file: np.lib.npyio.NpzFile, key: str) -> Any:
    try:
        array = file[key]
    except _UNREADABLE:
        raise ValueError(f"key {_short(key)} cannot be read, must be an array of numbers or strings") from None
    if not isinstance(array, np.ndarray):
        raise ValueError(f"key {_short(key)} must be an array of numbers or strings")
    return array.astype(np.float64).tolist() if array.dtype.kind == "f" else array.tolist()
