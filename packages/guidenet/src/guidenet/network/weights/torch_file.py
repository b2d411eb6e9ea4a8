"""Reads tensors from files of `torch.save`, without PyTorch and without running what such a file may hold.

A file of this kind is a pickle, which can call any function. This reader knows the few names that tensors are made of,
and refuses a file with any other. Both formats are read: the zip archive, and the older row of pickles.
"""

import collections
import io
import pickle
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

_DTYPES = {
    "FloatStorage": np.dtype("<f4"),
    "DoubleStorage": np.dtype("<f8"),
    "HalfStorage": np.dtype("<f2"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
    "ShortStorage": np.dtype("<i2"),
    "CharStorage": np.dtype("i1"),
    "ByteStorage": np.dtype("u1"),
    "BoolStorage": np.dtype("?"),
}
_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001


class _Storage:
    """The values that tensors are views of; filled once they have been read."""

    def __init__(self, dtype: np.dtype[Any], size: int) -> None:
        self.dtype, self.size = dtype, size
        self.values: npt.NDArray[Any] | None = None


class _Tensor:
    """A view of a storage, checked when it is taken."""

    def __init__(self, storage: Any, offset: Any, shape: Any, strides: Any) -> None:
        numbers = (offset, *shape, *strides)
        if not isinstance(storage, _Storage) or not all(isinstance(number, int) and number >= 0 for number in numbers):
            raise ValueError("a tensor is not made of a storage and sizes")
        self.storage, self.offset, self.shape, self.strides = storage, offset, tuple(shape), tuple(strides)

    def array(self) -> npt.NDArray[Any]:
        values = self.storage.values
        if values is None or len(self.shape) != len(self.strides):
            raise ValueError("a tensor has no values")
        last = self.offset + sum((size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True))
        if 0 in self.shape:
            return np.zeros(self.shape, values.dtype)
        if last >= len(values):
            raise ValueError(f"a tensor reaches to value {last} of {len(values)}")
        strides = [stride * values.itemsize for stride in self.strides]
        return np.lib.stride_tricks.as_strided(values[self.offset :], self.shape, strides).copy()


def read_torch_file(path: str | Path) -> dict[str, npt.NDArray[Any]]:
    """The tensors of a state dict by their names.

    Args:
      path: a file of `torch.save(module.state_dict(), path)`.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: it is no such file, it is damaged, or it holds anything but tensors; the message names the file.
    """
    path = Path(path)
    try:
        if zipfile.is_zipfile(path):
            state = _read_archive(path)
        else:
            with path.open("rb") as file:
                state = _read_row(file)
        if not isinstance(state, Mapping):
            raise ValueError(f"it holds a {type(state).__name__}")
        return {str(name): value.array() for name, value in state.items() if isinstance(value, _Tensor)}
    except OSError:
        raise
    except Exception as error:  # a damaged pickle raises anything
        raise ValueError(f"{path} must be a state dict saved by PyTorch: {error}") from None


def _read_archive(path: Path) -> Any:
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        if len(names) != 1:
            raise ValueError("the archive has no data.pkl")
        root = names[0].removesuffix("data.pkl")
        if f"{root}byteorder" in archive.namelist() and archive.read(f"{root}byteorder") != b"little":
            raise ValueError("its byte order is not little-endian")
        storages: dict[str, _Storage] = {}
        state = _Unpickler(io.BytesIO(archive.read(names[0])), storages).load()
        for key, storage in storages.items():
            storage.values = _values(archive.read(f"{root}data/{key}"), storage)
        return state


def _read_row(file: io.BufferedReader) -> Any:
    storages: dict[str, _Storage] = {}
    if _Unpickler(file, {}).load() != _MAGIC or _Unpickler(file, {}).load() != _PROTOCOL:
        raise ValueError("it does not start as one")
    info = _Unpickler(file, {}).load()
    if not info.get("little_endian", True):
        raise ValueError("its byte order is not little-endian")
    state = _Unpickler(file, storages).load()
    for key in _Unpickler(file, {}).load():
        storage = storages[key]
        if int.from_bytes(file.read(8), "little") != storage.size:
            raise ValueError(f"storage {key} does not have {storage.size} values")
        storage.values = _values(file.read(storage.size * storage.dtype.itemsize), storage)
    return state


def _values(data: bytes, storage: _Storage) -> npt.NDArray[Any]:
    if len(data) != storage.size * storage.dtype.itemsize:
        raise ValueError(f"a storage has {len(data)} bytes for {storage.size} values")
    return np.frombuffer(data, storage.dtype)


def _rebuild_tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> _Tensor:
    return _Tensor(storage, offset, shape, strides)


def _rebuild_parameter(tensor: Any, *_: Any) -> Any:
    return tensor


class _Unpickler(pickle.Unpickler):
    """Knows ordered dicts, tensors, parameters and kinds of storage by name, and nothing else."""

    def __init__(self, file: Any, storages: dict[str, _Storage]) -> None:
        super().__init__(file, encoding="utf-8")
        self._storages = storages

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        known: dict[tuple[str, str], Callable[..., Any]] = {
            ("collections", "OrderedDict"): collections.OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
            ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
        }
        if module_name == "torch" and global_name in _DTYPES:
            return _DTYPES[global_name]
        if (module_name, global_name) not in known:
            _refuse(f"{module_name}.{global_name}")
        return known[module_name, global_name]

    def persistent_load(self, pid: Any, /) -> _Storage:
        if not isinstance(pid, tuple) or len(pid) < 5 or pid[0] != "storage" or not isinstance(pid[1], np.dtype):
            raise ValueError("it refers to something that is no storage")
        _, dtype, key, _, size = pid[:5]
        if len(pid) > 5 and pid[5] is not None:
            raise ValueError("it has storages that are views of others")
        if not isinstance(size, int) or size < 0:
            raise ValueError(f"a storage has the size {size!r}")
        storage = self._storages.setdefault(str(key), _Storage(dtype, size))
        if (storage.dtype, storage.size) != (dtype, size):
            raise ValueError(f"storage {key} has two sizes or kinds")
        return storage


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"it asks for {name}, and only tensors are read")
