"""What can be wrong with a file, said in parts: who shows the message may have other ways out than an option."""

from collections.abc import Sequence


class ReadError(ValueError):
    """A file that is not read: `NAME PROBLEM: REMEDY`.

    name: of the file.
    problem: what is the matter, as it follows the name.
    remedy: which option decides, or nothing.
    """

    def __init__(self, name: str, problem: str, remedy: str = "") -> None:
        super().__init__(f"{name} {problem}{': ' if remedy else ''}{remedy}")
        self.name, self.problem, self.remedy = name, problem, remedy


class UnreadableError(ReadError):
    """No image, or one that is cut off or damaged.

    reason: what the decoder says.
    """

    def __init__(self, name: str, what: str, reason: str) -> None:
        super().__init__(name, f"must be a readable {what}: {reason}")
        self.reason = reason


class TooManyPixelsError(ReadError):
    """More pixels than are taken."""


class AmbiguousError(ReadError):
    """A file that can be read in several ways, none of which goes without saying.

    readings: values of the option that decides.
    """

    def __init__(self, name: str, problem: str, remedy: str, readings: Sequence[str] = ()) -> None:
        super().__init__(name, problem, remedy)
        self.readings = tuple(readings)
