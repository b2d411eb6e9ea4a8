"""Masks of a data set, which must all be read in one way: as they are seen, or by their numbers.

In the shape descriptions `H, W` denote pixels.
"""

import contextlib
import dataclasses
import functools
from pathlib import Path
from typing import NamedTuple

import numpy as np

from guidenet.data.files import UNKNOWN, VOID, Labels, label_mask, open_mask, to_labels
from guidenet.reading import Decoded, Ids, ReadError, find_labels


class Ways(NamedTuple):
    """One mask, read in both ways.

    path: of the file.
    seen: `[H, W]` as it is seen, 1 where it is white; None where it is not black and white.
    numbers: `[H, W]` labels that its numbers are, 255 being unknown; None where they are none.
    plain: it can be nothing but black and white, by its one bit or its palette.
    largest: of its numbers as they are in the file.
    """

    path: Path
    seen: Ids | None
    numbers: Ids | None
    plain: bool
    largest: int

    @property
    def differ(self) -> bool:
        """Whether it can be read in either way, to other labels."""
        return self.seen is not None and self.numbers is not None and not np.array_equal(self.seen, self.numbers)

    @property
    def is_white_unknown(self) -> bool:
        """Whether what the numbers have otherwise is unknown: 255 is white."""
        if self.seen is None or self.numbers is None:
            return False
        return bool((self.numbers[self.seen != self.numbers] == UNKNOWN).all())

    @property
    def has_unknown(self) -> bool:
        """Whether 255 is unknown without doubt, as it is beside numbers."""
        if self.seen is not None or self.numbers is None:
            return False
        return bool((self.numbers == UNKNOWN).any() and (self.numbers > 0).any())


def read_both(mask: Decoded, what: str, *, indexed: bool = False, numbered: bool = False) -> Ways:
    """Reads a mask in both ways.

    Args:
      mask: as it is decoded.
      what: is expected, for messages.
      indexed: one number for a pixel is all that is taken as numbers, no colours.
      numbered: it must have numbers.

    Raises:
      ValueError: it can be read in neither way.
    """
    seen = numbers = None
    with contextlib.suppress(ReadError):
        found = find_labels(mask)
        seen = found.ids if found.reading == "binary" else None
    try:
        numbers = label_mask(mask, what, "classes", indexed=indexed).ids
    except ValueError:
        if seen is None or numbered:
            raise
    plain = seen is not None and mask.image.mode in ("1", "P")
    return Ways(Path(mask.name), seen, numbers, plain, int(np.asarray(mask.image).max(initial=0)))


@dataclasses.dataclass(frozen=True, eq=False)
class NumberedMasks:
    """Masks whose numbers are classes; what is black and white among them may be white in two ways.

    paths: of all masks of the data set; some may not be there.
    num_classes: that there are; 255 may be one of them.
    indexed: one number for a pixel is all that is taken, no colours.
    """

    paths: tuple[Path, ...]
    num_classes: int
    indexed: bool = True

    def read(self, path: Path, what: str) -> Labels:
        """The labels of one.

        Raises:
          FileNotFoundError: there is no such file; the message gives the path and `what` was expected.
          ValueError: it is damaged, has no numbers, or is black and white, and no other mask has 255 beside numbers.
        """
        ways = read_both(open_mask(path, what), what, indexed=self.indexed, numbered=True)
        assert ways.numbers is not None  # as it was asked for
        if self.num_classes >= VOID and ways.largest == VOID:
            raise ValueError(
                f"{path} has 255, which may be unknown or one of the {self.num_classes} classes: with so many, 255 "
                "must be in masks of 16 bits with a larger number too, such as 65535 for unknown"
            )
        if ways.differ and not (ways.is_white_unknown and self.with_unknown):
            number = "unknown, by its number 255" if ways.is_white_unknown else "another label, by its number"
            raise ValueError(
                f"{path} is black and white, where white may be the class 1 or {number}, and no other mask tells: "
                f"{what} must have the numbers of its classes, and a palette of colours where some pixels are unknown"
            )
        return to_labels(ways.numbers, path)

    @functools.cached_property
    def with_unknown(self) -> Path | None:
        """The first mask in which 255 is unknown without doubt."""
        for path in self.paths:
            with contextlib.suppress(OSError, ValueError):
                if read_both(open_mask(path, "a mask"), "a mask", indexed=self.indexed).has_unknown:
                    return path
        return None
