"""The classes of one page: their names, in the order of the labels, and their colours."""

import re
from collections.abc import Iterable, Iterator

from guidenet.serve.limits import COLOURS, NotFoundError, TooLargeError, check_class_name

Colour = tuple[int, int, int]

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def parse_colour(text: str) -> Colour:
    """RGB of `#rrggbb`.

    Raises:
      ValueError: it is written in another way.
    """
    if _COLOUR.fullmatch(text) is None:
        raise ValueError(f"a colour must be written as #rrggbb, got {text!r}"[:120])
    red, green, blue = bytes.fromhex(text[1:])
    return red, green, blue


def write_colour(colour: Colour) -> str:
    """`#rrggbb`."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


class Classes:
    """Names and colours. A class keeps its colour until another one is chosen."""

    def __init__(self, most: int) -> None:
        """Starts without classes.

        Args:
          most: of them at a time.
        """
        self._most = most
        self._colours: dict[str, Colour] = {}

    def __iter__(self) -> Iterator[str]:
        """The names, in their order."""
        return iter(self._colours)

    def __len__(self) -> int:
        return len(self._colours)

    def __contains__(self, name: object) -> bool:
        return name in self._colours

    def index(self, name: str) -> int:
        """Its place in the order, from 0."""
        return list(self._colours).index(name)

    def colour(self, name: str) -> Colour:
        """RGB."""
        return self._colours[name]

    def describe(self) -> list[dict[str, str]]:
        """Name and colour of each, ready for JSON."""
        return [{"name": name, "colour": write_colour(colour)} for name, colour in self._colours.items()]

    def check(self, names: Iterable[str]) -> None:
        """Raises `TooLargeError` if these were too many."""
        new = [name for name in dict.fromkeys(names) if name not in self._colours]
        if len(self._colours) + len(new) > self._most:
            raise TooLargeError(f"{new[0]!r} was not added: {self._most} classes are the most at once")

    def add(self, names: Iterable[str]) -> None:
        """Adds those that are new.

        Raises:
          TooLargeError: they are too many.
          ValueError: one is no name of a class.
        """
        checked = [check_class_name(name) for name in names]
        self.check(checked)
        for name in checked:
            if name not in self._colours:
                used = self._colours.values()
                self._colours[name] = next((colour for colour in COLOURS if colour not in used), COLOURS[0])

    def remove(self, name: str) -> None:
        """Removes one.

        Raises:
          NotFoundError: there is none of that name.
        """
        self.find(name)
        del self._colours[name]

    def paint(self, name: str, colour: Colour) -> None:
        """Chooses the colour of a class.

        Raises:
          NotFoundError: there is none of that name.
        """
        self.find(name)
        self._colours[name] = colour

    def find(self, name: str) -> None:
        """Raises `NotFoundError` if there is no class of that name."""
        if name not in self._colours:
            raise NotFoundError(f"there is no class {name!r}")
