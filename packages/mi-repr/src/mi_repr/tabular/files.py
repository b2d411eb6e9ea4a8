"""Reads MDPs from JSON or npz files.

A file holds the fields of `FiniteMDP` by name. `next_state`, a table of the numbers of the next states, may stand for
`transition` where nothing is random. Rewards need their convention: a file says which it means. An example:

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

import json
from pathlib import Path
from typing import Any

import numpy as np

from mi_repr.tabular.mdp import FiniteMDP

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


def load_mdp(path: str | Path) -> FiniteMDP:
    """The MDP that a .json or .npz file describes.

    Raises:
      ValueError: the file cannot be read, a key is missing or unknown, or `FiniteMDP` refuses a value; the message
        names the file, the key and the row.
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
        if key not in _REQUIRED + _OPTIONAL:
            raise ValueError(f"key {key!r} is unknown, the keys are {', '.join(_REQUIRED + _OPTIONAL)}")
    for key in _REQUIRED:
        if key not in options:
            raise ValueError(f"key {key!r} is missing")
    if ("transition" in options) == ("next_state" in options):
        raise ValueError("one of the keys 'transition' and 'next_state' must be there, and only one")
    _check_scalar(options, "discount", (int, float), "a number")
    _check_scalar(options, "reward_convention", (str,), "a string")
    _check_scalar(options, "layout", (str,), "a string")
    for key in ("states", "actions"):
        if key in options:
            if not isinstance(options[key], list) or not all(isinstance(name, str) for name in options[key]):
                raise ValueError(f"{key} must be a list of strings, got {options[key]!r}")
            options[key] = tuple(options[key])
    if "next_state" in options:
        return FiniteMDP.deterministic(_to_table(options.pop("next_state")), options.pop("reward"), **options)
    return FiniteMDP(**options)


def _check_scalar(fields: dict[str, Any], key: str, types: tuple[type, ...], description: str) -> None:
    value = fields.get(key)
    if value is not None and (isinstance(value, bool) or not isinstance(value, types)):
        raise ValueError(f"{key} must be {description}, got {value!r}")


def _to_table(value: Any) -> np.ndarray:
    rows = value if isinstance(value, list) else [value]
    for number, row in enumerate(rows):
        if isinstance(value, list) and not (isinstance(row, list) and len(row) == len(np.atleast_1d(rows[0]))):
            raise ValueError(f"next_state[{number}] must be a list as long as the others, got {row!r}")
    return np.asarray(value)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        fields = json.loads(path.read_text(), object_pairs_hook=_refuse_twice)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"not JSON: {error}") from None
    if not isinstance(fields, dict):
        raise ValueError(f"must hold an object of keys and values, got {type(fields).__name__}")
    return fields


def _refuse_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"key {next(name for name in names if names.count(name) > 1)!r} is there twice")
    return fields


def _read_npz(path: Path) -> dict[str, Any]:
    names = ("discount", "reward_convention", "layout", "states", "actions")
    try:
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key].tolist() if key in names else file[key] for key in file.files}
    except (ValueError, EOFError, OSError, AttributeError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise ValueError(f"not an npz file of plain arrays: {error}") from None
