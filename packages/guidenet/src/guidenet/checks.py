"""Checks for what a user gives; each raises a `ValueError` of one line with the option and its value."""

import math
import numbers
from collections.abc import Sequence


def check_at_least(name: str, value: float, minimum: float) -> None:
    """Raises unless `value >= minimum` and finite."""
    if not (_is_number(value) and minimum <= value < math.inf):
        raise ValueError(f"{name} must be at least {minimum}, got {value if _is_number(value) else repr(value)}")


def check_positive(name: str, value: float) -> None:
    """Raises unless `value > 0` and finite."""
    if not (_is_number(value) and 0 < value < math.inf):
        raise ValueError(f"{name} must be positive, got {value if _is_number(value) else repr(value)}")


def check_choice(name: str, value: object, choices: Sequence[object]) -> None:
    """Raises unless `value` is one of `choices`."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(str, choices))}, got {value!r}")


def check_name(name: str, value: object) -> None:
    """Raises unless `value` is text with something in it; a null character would be cut off in files."""
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError(f"{name} must be text, got {value!r}")


def check_range(name: str, value: tuple[float, float], minimum: float) -> None:
    """Raises unless `value` is two numbers of at least `minimum`, in order."""
    low, high = value
    if not minimum <= low <= high:
        raise ValueError(f"{name} must be two numbers from {minimum}, in order, got {low}, {high}")


def _is_number(value: object) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)
