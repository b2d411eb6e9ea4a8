"""Checks for the `__post_init__` of a config; each raises a `ValueError` of one line with the option and its value."""

import dataclasses
import functools
import math
import numbers
import types
import typing
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from rlcore.experiment.parsing import describe


def check_positive(name: str, value: float) -> None:
    """Raises unless `value > 0` and finite."""
    if not 0 < value < math.inf:
        raise ValueError(f"{name} must be positive, got {value}")


def check_at_least(name: str, value: float, minimum: float) -> None:
    """Raises unless `value >= minimum` and finite."""
    if not minimum <= value < math.inf:
        raise ValueError(f"{name} must be at least {minimum}, got {value}")


def check_rate(name: str, value: float, *, zero: bool = False) -> None:
    """Raises unless `value` lies in (0, 1], or in [0, 1] where `zero` is allowed."""
    if zero and not 0 <= value <= 1:
        raise ValueError(f"{name} must be in [0, 1], got {value}")
    if not zero and not 0 < value <= 1:
        raise ValueError(f"{name} must be in (0, 1], got {value}")


def check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    """Raises unless `value` is one of `choices`."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, got {value!r}")


def check_seed(seed: Any) -> int:
    """Returns the seed as an int; raises unless it is a whole number in [0, 2^32).

    JAX takes any seed for the one with the same 32 lower bits, so others would give equal numbers.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < 2**32:
        raise ValueError(f"seed must be a whole number in [0, 2^32), got {seed!r}")
    return int(seed)


def check_types(config: Any) -> None:
    """Raises unless every field of a dataclass holds what its annotation says; call it before the other checks.

    Knows what `rlcore.experiment.parsing.parse` knows, and nested dataclasses. A whole number fits where a number is
    asked for, true and false do not.
    """
    for name, annotation in _annotations(type(config)).items():
        value = getattr(config, name)
        if not _fits(value, annotation):
            wanted = f"a {annotation.__name__}" if dataclasses.is_dataclass(annotation) else describe(annotation)
            raise ValueError(f"{name} must be {wanted}, got {value!r}")


@functools.cache
def _annotations(config_type: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(config_type)
    return {field.name: hints[field.name] for field in dataclasses.fields(config_type)}


def _fits(value: Any, annotation: Any) -> bool:
    origin, members = typing.get_origin(annotation), typing.get_args(annotation)
    if dataclasses.is_dataclass(annotation):
        return isinstance(value, annotation)
    if origin is Literal:
        return any(type(value) is type(member) and value == member for member in members)
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, member) for member in members)
    if origin is tuple:
        return isinstance(value, tuple) and all(_fits(item, members[0]) for item in value)
    if annotation in (int, float):
        kind = numbers.Integral if annotation is int else numbers.Real
        return isinstance(value, kind) and not isinstance(value, bool)
    return isinstance(value, annotation)
