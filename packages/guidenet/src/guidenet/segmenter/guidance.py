"""Guidance that is added, removed and merged exactly.

Sums of floats depend on their order, and adding a number then removing it leaves a rounding error. So features are
rounded once to multiples of 2^-16, and what is summed are integers: addition is exact, commutative and has inverses.

In the shape descriptions `K` denotes classes, `C` features, and behind them their products where a network has a ridge
regression; of two guides the first is of negatives.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from guidenet.archives import read_arrays
from guidenet.checks import check_name

Integers = npt.NDArray[np.int64]

FRACTION_BITS = 16
"""Features are counted in units of 2^-16."""

MAX_FEATURE = 2.0**12
"""Features beyond this cannot be counted: sums over the largest images stay below 2^63."""

_VERSION = 2

_LARGEST = 2**62
"""Two sums below it can be added."""

Sums = tuple[Integers, Integers, Integers]
"""Of a class: total `[2, C]`, weight `[2]` and count `[2]`, as in `Guidance`."""


def quantise(features: npt.NDArray[np.floating]) -> Integers:
    """Features in units of 2^-16, of the same shape.

    Raises:
      ValueError: a feature is not finite or beyond `MAX_FEATURE`.
    """
    largest = np.abs(features).max(initial=0.0)
    if not largest <= MAX_FEATURE:
        raise ValueError(f"features must be finite and at most {MAX_FEATURE:g} in size to be counted, got {largest}")
    return np.rint(features.astype(np.float64) * 2**FRACTION_BITS).astype(np.int64)


def divide(total: Integers, count: int) -> Integers:
    """`total / count`, rounded to the nearest integer, halves up; no float takes part."""
    quotient, rest = np.divmod(total, count)
    return quotient + (2 * rest >= count)


@dataclasses.dataclass(frozen=True)
class Guidance:
    """What a concept looks like, without the images that it was learnt from; sums are exact.

        a + b == b + a,  a + b - b == a

    Classes are in alphabetical order, and those without annotations are left out, so that equal guidance is equal in
    every bit.

    classes: `K` names.
    total: `[K, 2, C]` int64, sums of features in units of 2^-16.
    weight: `[K, 2]` int64, number of shots or of pixels in each sum.
    count: `[K, 2]` int64, number of annotated pixels.
    encoder: fingerprint of the encoder that made the features; guidance of different ones cannot be joined.
    shots: what is counted, as `Config.shots`: `equal` or `pixels`.
    """

    classes: tuple[str, ...]
    total: Integers
    weight: Integers
    count: Integers
    encoder: str
    shots: str

    def __post_init__(self) -> None:
        for field in ("total", "weight", "count"):  # segmenters share them
            view = getattr(self, field).view()
            view.flags.writeable = False
            object.__setattr__(self, field, view)

    @classmethod
    def empty(cls, feature_size: int, encoder: str, shots: str = "equal") -> "Guidance":
        """No annotations: the zero of the sum."""
        none = np.zeros((0, 2), np.int64)
        return cls((), np.zeros((0, 2, feature_size), np.int64), none, none, encoder, shots)

    @classmethod
    def of(cls, sums: Mapping[str, Sums], feature_size: int, encoder: str, shots: str = "equal") -> "Guidance":
        """Guidance of `Sums` by class name.

        Raises:
          ValueError: a weight is negative, or 0 where there is a sum: something was removed that had not been added.
        """
        for name, (total, weight, count) in sums.items():
            if (weight < 0).any() or (count < 0).any() or total[weight == 0].any():
                raise ValueError(f"guidance of {name!r} must have been added before it is removed, got weight {weight}")
        names = sorted(name for name, parts in sums.items() if any(part.any() for part in parts))
        if not names:
            return cls.empty(feature_size, encoder, shots)
        total, weight, count = (np.stack([sums[name][field] for name in names]) for field in range(3))
        return cls(tuple(names), total, weight, count, encoder, shots)

    @property
    def feature_size(self) -> int:
        """C."""
        return self.total.shape[-1]

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Guidance)
            and (self.classes, self.encoder, self.shots) == (other.classes, other.encoder, other.shots)
            and np.array_equal(self.total, other.total)
            and np.array_equal(self.weight, other.weight)
            and np.array_equal(self.count, other.count)
        )

    def __hash__(self) -> int:
        parts = (part.tobytes() for part in (self.total, self.weight, self.count))
        return hash((self.classes, self.encoder, self.shots, *parts))

    def __add__(self, other: "Guidance") -> "Guidance":
        return self._combine(other, np.add)

    def __sub__(self, other: "Guidance") -> "Guidance":
        return self._combine(other, np.subtract)

    def _combine(self, other: "Guidance", operation: Callable[[Integers, Integers], Integers]) -> "Guidance":
        for field in ("encoder", "shots", "feature_size"):
            mine, theirs = getattr(self, field), getattr(other, field)
            if mine != theirs:
                raise ValueError(f"guidance must have the same {field} to be joined, got {mine!r} and {theirs!r}")
        if max(int(np.abs(part.total).max(initial=0)) for part in (self, other)) >= _LARGEST:
            raise ValueError("guidance must be sums below 2^62 to be joined: it holds too many pixels for shots=pixels")
        mine, theirs = self._sums(), other._sums()
        zero = (np.zeros((2, self.feature_size), np.int64), np.zeros(2, np.int64), np.zeros(2, np.int64))
        sums: dict[str, Sums] = {}
        for name in {**mine, **theirs}:
            total, weight, count = map(operation, mine.get(name, zero), theirs.get(name, zero))
            sums[name] = total, weight, count
        return Guidance.of(sums, self.feature_size, self.encoder, self.shots)

    def _sums(self) -> dict[str, Sums]:
        return {name: (self.total[i], self.weight[i], self.count[i]) for i, name in enumerate(self.classes)}

    def select(self, classes: Iterable[str]) -> "Guidance":
        """The guidance of some classes only.

        Raises:
          ValueError: there is nothing for one of them.
        """
        mine, wanted = self._sums(), list(classes)
        for name in wanted:
            if name not in mine:
                raise ValueError(f"classes must be among {', '.join(self.classes) or 'none'}, got {name!r}")
        return Guidance.of({name: mine[name] for name in wanted}, self.feature_size, self.encoder, self.shots)

    def rename(self, old: str, new: str) -> "Guidance":
        """The same with another name for a class; if there is one of that name already, the two become one.

        Raises:
          ValueError: there is no class of the old name, or the new one is no text.
        """
        check_name("new", new)
        renamed = Guidance.of({new: self.select([old])._sums()[old]}, self.feature_size, self.encoder, self.shots)
        return self - self.select([old]) + renamed

    def sums(self, classes: Sequence[str]) -> tuple[npt.NDArray[np.float32], ...]:
        """The fields of a `Guide` as floats, `[len(classes), 2, ...]`; zeros for classes without annotations.

        Divided by the weight before it is rounded to a float, so that sums of many pixels lose nothing: the weight is 1
        where there are annotations.
        """
        mine = self._sums()
        total = np.zeros((len(classes), 2, self.feature_size), np.float32)
        weight, count = np.zeros((2, len(classes), 2), np.float32)
        for i, name in enumerate(classes):
            if name in mine:
                sums, weights, counts = mine[name]
                total[i] = sums / np.maximum(weights, 1)[:, None] / 2**FRACTION_BITS
                weight[i], count[i] = weights > 0, counts
        return total, weight, count

    def images(self, classes: Sequence[str]) -> npt.NDArray[np.float32]:
        """`[len(classes), 2]`: how many images have annotations, with shots=equal."""
        mine = self._sums()
        return np.array([mine[name][1] if name in mine else (0, 0) for name in classes], np.float32)

    def save(self, path: str | Path) -> None:
        """Writes an npz of a few kB."""
        with Path(path).open("wb") as file:
            np.savez_compressed(
                file,
                version=np.int64(_VERSION),
                classes=np.array(self.classes, np.str_),
                total=self.total,
                weight=self.weight,
                count=self.count,
                encoder=np.str_(self.encoder),
                shots=np.str_(self.shots),
            )

    @classmethod
    def load(cls, path: str | Path) -> "Guidance":
        """Reads what `save` wrote, in every bit.

        Files of version 1 do not say how many pixels were annotated: one in each shot, at least.

        Raises:
          FileNotFoundError: there is no such file.
          ValueError: it is not guidance, or of a later version.
        """
        found = read_arrays(path, "an npz of guidance")
        names = {"version", "classes", "total", "weight", "count", "encoder", "shots"}
        if "version" in found and found["version"].shape == () and found["version"] == 1 and "weight" in found:
            found.setdefault("count", found["weight"])
        elif "version" in found and found["version"].shape == () and found["version"] != _VERSION:
            raise ValueError(f"{path} must be guidance of version 1 or {_VERSION}, got {found['version']}")
        if set(found) != names:
            raise ValueError(f"{path} must be guidance with {sorted(names)}, got {sorted(found)}")
        total, weight, count, classes = *(found[name] for name in ("total", "weight", "count")), found["classes"]
        classes = tuple(map(str, np.atleast_1d(classes)))
        shapes = (
            len(set(classes)) == len(classes)
            and (len(classes), 2) == weight.shape == count.shape == total.shape[:2]
            and total.ndim == 3
        )
        if not shapes or {total.dtype, weight.dtype, count.dtype} != {np.dtype(np.int64)}:
            raise ValueError(f"{path} must hold int64 sums for {len(classes)} classes, got {total.shape} {total.dtype}")
        too_large = any(
            part.size and not -_LARGEST < part.min() <= part.max() < _LARGEST for part in (total, weight, count)
        )
        if too_large or weight.min(initial=0) < 0 or count.min(initial=0) < 0 or total[weight == 0].any():
            raise ValueError(f"{path} must hold weights of at least 0, above 0 where there are sums, all below 2^62")
        sums = {name: (total[i], weight[i], count[i]) for i, name in enumerate(classes)}
        return cls.of(sums, total.shape[-1], str(found["encoder"]), str(found["shots"]))
