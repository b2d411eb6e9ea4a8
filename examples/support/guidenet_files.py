"""Scores in small files: what is long, such as the counts of each task, as arrays, and all else as JSON beside them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_HEADER = "scores"
_LONG = 8
"""Lists from this length on are arrays, if they are of numbers."""


def write_file(path: Path, scores: dict[str, Any]) -> None:
    """Writes scores as an npz, whole or not at all; floats of long lists in single precision."""
    arrays: list[npt.NDArray[Any]] = []
    header = json.dumps(_pack(scores, arrays))
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.part")
    with unfinished.open("wb") as file:
        named: dict[str, Any] = {f"array{i}": array for i, array in enumerate(arrays)}
        np.savez_compressed(file, allow_pickle=False, **{_HEADER: np.array(header)}, **named)
    unfinished.replace(path)


def read_file(path: Path) -> dict[str, Any]:
    """Reads what `write_file` wrote.

    Raises:
      ValueError: it is no such file.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = [file[f"array{i}"].tolist() for i in range(len(file.files) - 1)]
            return _unpack(json.loads(str(file[_HEADER])), arrays)
    except OSError:
        raise
    except Exception as error:  # numpy raises several kinds for what is no npz
        raise ValueError(f"{path} must be a file of scores: {error!r}") from None


def _pack(value: Any, arrays: list[npt.NDArray[Any]]) -> Any:
    if isinstance(value, dict):
        return {key: _pack(item, arrays) for key, item in value.items()}
    if not isinstance(value, list):
        return value
    array = np.asarray(value) if len(value) >= _LONG and not isinstance(value[0], (dict, str)) else np.empty(0)
    if array.size == 0:
        return [_pack(item, arrays) for item in value]
    small = {"i": np.int32, "f": np.float32}.get(array.dtype.kind)
    arrays.append(array if small is None else array.astype(small))
    return {"array": len(arrays) - 1}


def _unpack(value: Any, arrays: list[Any]) -> Any:
    if isinstance(value, dict):
        if set(value) == {"array"}:
            return arrays[value["array"]]
        return {key: _unpack(item, arrays) for key, item in value.items()}
    return [_unpack(item, arrays) for item in value] if isinstance(value, list) else value
