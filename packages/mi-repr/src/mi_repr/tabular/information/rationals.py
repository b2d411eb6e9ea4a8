"""Which fractions the numbers of an MDP stand for.

People write 1/3, 0.1 or 1e-12, and a float64 is what is left of it. What they meant is found again: a fraction with a
denominator of at most a million that is as close as rounding allows, or a decimal of at most 15 digits. A random number
is neither, but for a chance of some hundredths of a percent.
"""

from fractions import Fraction

import numpy as np

_MOST_VALUES = 10_000
_LARGEST_DENOMINATOR = 10**6
_MOST_DIGITS = 15


def to_fractions(numbers: np.ndarray) -> tuple[list[Fraction], np.ndarray] | None:
    """The different fractions, the first of them 0, and which of them each of `numbers` is; None if some is none.

    All of the numbers are read in the same way.
    """
    some = numbers != 0  # in a large MDP nearly all are 0, and sorting takes its time
    values, number = np.unique(numbers[some], return_inverse=True)
    if len(values) > _MOST_VALUES:
        return None
    index = np.zeros(numbers.shape, np.int64)
    index[some] = number + 1
    for read in (_as_ratio, _as_decimal):
        fractions = [read(value) for value in values.tolist()]
        if all(each is not None for each in fractions):
            return [Fraction(0), *(each for each in fractions if each is not None)], index
    return None


def _as_ratio(value: float) -> Fraction | None:
    fraction = Fraction(value).limit_denominator(_LARGEST_DENOMINATOR)
    return fraction if abs(float(fraction) - value) <= 4 * np.spacing(abs(value)) else None


def _as_decimal(value: float) -> Fraction | None:
    text = repr(value)
    digits = text.partition("e")[0].replace(".", "").lstrip("-0")
    return Fraction(text) if len(digits) <= _MOST_DIGITS else None
