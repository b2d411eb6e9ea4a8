"""Writes files as `torch.save` does, without PyTorch: classes of the right names, and a pickler that knows storages."""

import collections
import contextlib
import pickle
import sys
import types
import zipfile

import numpy as np


class FloatStorage:
    def __init__(self, key, values):
        self.key, self.values = key, np.ascontiguousarray(values, "<f4").ravel()


def _rebuild_tensor_v2(*arguments):
    raise AssertionError("only its name is written")


class Tensor:
    def __init__(self, key, array, offset=0, shape=None, strides=None):
        self.storage, self.offset = FloatStorage(key, array), offset
        self.shape = array.shape if shape is None else shape
        self.strides = tuple(s // array.itemsize for s in array.strides) if strides is None else strides

    def __reduce__(self):
        arguments = (self.storage, self.offset, self.shape, self.strides, False, collections.OrderedDict())
        return _rebuild_tensor_v2, arguments


class Pickler(pickle.Pickler):
    def persistent_id(self, thing):
        if isinstance(thing, FloatStorage):
            tail = (None,) if self.legacy else ()
            return ("storage", FloatStorage, thing.key, "cpu", len(thing.values), *tail)
        return None


@contextlib.contextmanager
def torch_names():
    """For a while, `torch` and `torch._utils` are modules, and the classes here say that they come from there."""
    modules = {"torch": types.ModuleType("torch"), "torch._utils": types.ModuleType("torch._utils")}
    modules["torch"].FloatStorage = FloatStorage
    modules["torch._utils"]._rebuild_tensor_v2 = _rebuild_tensor_v2
    before = {name: sys.modules.get(name) for name in modules}
    here = FloatStorage.__module__, _rebuild_tensor_v2.__module__
    sys.modules.update(modules)
    FloatStorage.__module__, _rebuild_tensor_v2.__module__ = "torch", "torch._utils"
    try:
        yield
    finally:
        FloatStorage.__module__, _rebuild_tensor_v2.__module__ = here
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


def save(path, tensors, *, legacy=False, extra=None):
    """Writes arrays or `Tensor`s by name."""
    state = collections.OrderedDict(extra or {})
    for i, (name, value) in enumerate(tensors.items()):
        state[name] = value if isinstance(value, Tensor) else Tensor(str(i), np.asarray(value, np.float32))
    storages = {value.storage.key: value.storage for value in state.values() if isinstance(value, Tensor)}
    with torch_names():
        if legacy:
            with path.open("wb") as file:
                for thing in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
                    pickle.dump(thing, file, 2)
                dump(file, state, legacy=True)
                pickle.dump(list(storages), file, 2)
                for storage in storages.values():
                    file.write(len(storage.values).to_bytes(8, "little") + storage.values.tobytes())
        else:
            with zipfile.ZipFile(path, "w") as archive:
                with archive.open("archive/data.pkl", "w") as file:
                    dump(file, state, legacy=False)
                archive.writestr("archive/byteorder", "little")
                for key, storage in storages.items():
                    archive.writestr(f"archive/data/{key}", storage.values.tobytes())
    return path


def dump(file, state, *, legacy):
    pickler = Pickler(file, 2)
    pickler.legacy = legacy
    pickler.dump(state)
