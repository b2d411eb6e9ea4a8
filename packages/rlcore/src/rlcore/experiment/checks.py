"""Checks for the `__post_init__` of a config; each raises a `ValueError` of one line with the option and its value."""

import math
from collections.abc import Sequence


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
