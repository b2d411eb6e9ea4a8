"""Benchmarks by name."""

import difflib
import functools
import re
from collections.abc import Callable
from typing import NamedTuple

from metarl_envs.tasks import Benchmark


class Recipe(NamedTuple):
    """How a benchmark of this package is made.

    make: takes its name.
    horizon: of its family.
    """

    make: Callable[[str], Benchmark]
    horizon: int


_NAME = re.compile(r"[A-Za-z0-9][\w.+-]*")
_MAKERS: dict[str, Callable[[], Benchmark]] = {}


def register_benchmark(name: str, make: Callable[[], Benchmark]) -> None:
    """Makes `benchmark(name)` return `make()`.

    Args:
      name: by custom `<family>-v<version>`: a change to the tasks or the dynamics takes a new version.
      make: called at most once, when the benchmark is first asked for.

    Raises:
      ValueError: the name is taken, or is no name for a file; `make` is no function.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"benchmark name={name!r} must be letters, digits, '-', '_' and '.', such as 'mine-v0'")
    if isinstance(make, Benchmark):
        raise ValueError(f"benchmark {name!r}: make must be a function that returns the Benchmark, got the Benchmark")
    if not callable(make):
        raise ValueError(f"benchmark {name!r}: make={make!r} must be a function that returns the Benchmark")
    if name in _MAKERS:
        raise ValueError(f"benchmark name={name!r} is taken")
    _MAKERS[name] = make


def benchmark_names() -> tuple[str, ...]:
    """All registered names, sorted."""
    return tuple(sorted(_MAKERS))


def benchmark(name: str) -> Benchmark:
    """The benchmark of that name; the same object at every call.

    Raises:
      ValueError: no benchmark has this name, or what was registered makes none.
    """
    if not isinstance(name, str) or name not in _MAKERS:
        close = difflib.get_close_matches(str(name), _MAKERS, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise ValueError(f"unknown benchmark name={name!r}; {hint}allowed: {', '.join(benchmark_names())}")
    return _make(name)


@functools.cache
def _make(name: str) -> Benchmark:
    made = _MAKERS[name]()
    if not isinstance(made, Benchmark):
        raise ValueError(
            f"benchmark {name!r}: what was registered makes a {type(made).__name__}, must make a Benchmark"
        )
    if made.name != name:
        raise ValueError(f"benchmark {name!r}: what was registered makes one of the name {made.name!r}")
    return made
