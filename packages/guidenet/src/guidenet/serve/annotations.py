"""What was said about the images, in order, and how a segmenter follows: undo, redo, and changes in between."""

import dataclasses
from collections.abc import Callable, Iterable, Sequence

from guidenet.segmenter.guidance import Guidance
from guidenet.segmenter.segmenter import Segmenter
from guidenet.serve.limits import NotFoundError
from guidenet.serve.marks import Click, Mark, covered

MAX_UNDO = 1000
"""Changes that can be taken back."""


@dataclasses.dataclass(frozen=True, eq=False)
class Loaded:
    """Guidance from a file.

    name: of the file.
    guidance: what it says.
    """

    name: str
    guidance: Guidance


@dataclasses.dataclass(frozen=True, eq=False)
class Step:
    """One thing that was said.

    number: its own among all.
    what: a mark on an image, or guidance from a file.
    """

    number: int
    what: Mark | Loaded

    @property
    def image(self) -> str | None:
        """Id of the image; None if it is of none."""
        return None if isinstance(self.what, Loaded) else self.what.image

    @property
    def classes(self) -> tuple[str, ...]:
        """Those that it speaks of."""
        return self.what.guidance.classes if isinstance(self.what, Loaded) else (self.what.cls,)


Steps = tuple[Step, ...]


class Annotations:
    """The steps as they are, as they were and as they would be again; a segmenter always says what the steps say.

    The segmenter takes its steps back in every bit, but only the last ones. So a step in the middle is changed by
    taking back all from there on, and saying again what stays. Labels, and with them the guidance, are then exactly as
    if the changed step had never been another.
    """

    def __init__(self, segmenter: Segmenter, sizes: Callable[[str], tuple[int, int]]) -> None:
        """Starts without steps.

        Args:
          segmenter: which nothing else may annotate.
          sizes: height and width in px of an image by its id.
        """
        self._segmenter, self._sizes = segmenter, sizes
        self._steps: Steps = ()
        self._past: list[Steps] = []
        self._future: list[Steps] = []
        self._said: list[Step] = []  # what the segmenter knows
        self._number = 0

    @property
    def steps(self) -> Steps:
        """As they are."""
        return self._steps

    @property
    def can_undo(self) -> bool:
        """Whether there is a change to take back."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether a change was taken back last."""
        return bool(self._future)

    def add(self, what: Mark | Loaded) -> None:
        """Says one thing more."""
        self._change((*self._steps, self._new(what)))

    def delete(self, number: int) -> None:
        """Takes one step out, as if it had never been; what it replaced comes back.

        Raises:
          NotFoundError: there is none of that number.
        """
        step = self._find(number)
        self._change(tuple(other for other in self._steps if other is not step))

    def flip(self, number: int) -> None:
        """Makes a mark say the opposite.

        Raises:
          NotFoundError: there is none of that number.
          ValueError: it is guidance.
        """
        step = self._find(number)
        if isinstance(step.what, Loaded):
            raise ValueError(f"{step.what.name!r} is guidance: it has no sign to change")
        flipped = Step(number, dataclasses.replace(step.what, positive=not step.what.positive))
        self._change(tuple(flipped if other is step else other for other in self._steps))

    def clear(self) -> None:
        """Takes all steps out; one change, to be undone like others."""
        if self._steps:
            self._change(())

    def undo(self) -> bool:
        """Takes the last change back; returns whether there was one."""
        return self._go(self._past, self._future)

    def redo(self) -> bool:
        """Makes the change again that was taken back last; returns whether there was one."""
        return self._go(self._future, self._past)

    def replace(self, whats: Iterable[Mark | Loaded]) -> None:
        """Starts anew with these steps, to be undone one by one."""
        steps = tuple(self._new(what) for what in whats)
        self._future = []
        self._past = [steps[:i] for i in range(len(steps))][-MAX_UNDO:]
        self._set(steps)

    def forget_image(self, image: str) -> None:
        """Takes out all that was said about an image that the segmenter no longer has, before and now."""
        self._said = [step for step in self._said if step.image != image]
        self._forget(lambda step: step.image == image)

    def forget_class(self, name: str) -> None:
        """Takes out what undo or redo would say about a class."""
        self._forget(lambda step: name in step.classes)

    def _new(self, what: Mark | Loaded) -> Step:
        self._number += 1
        return Step(self._number, what)

    def _find(self, number: int) -> Step:
        for step in self._steps:
            if step.number == number:
                return step
        raise NotFoundError(f"there is no mark {number}: it may have been taken back")

    def _change(self, steps: Steps) -> None:
        before = self._steps
        self._set(steps)
        self._past = [*self._past[-MAX_UNDO + 1 :], before]
        self._future = []

    def _go(self, source: list[Steps], target: list[Steps]) -> bool:
        if not source:
            return False
        target.append(self._steps)
        self._set(source.pop())
        return True

    def _forget(self, gone: Callable[[Step], bool]) -> None:
        def keep(steps: Steps) -> Steps:
            return tuple(step for step in steps if not gone(step))

        now = keep(self._steps)
        self._past = _distinct([keep(steps) for steps in self._past], now)
        self._future = _distinct([keep(steps) for steps in self._future], now)
        self._set(now)

    def _set(self, steps: Steps) -> None:
        """Has the segmenter say what the steps say."""
        same = 0
        while same < min(len(steps), len(self._said)) and steps[same] is self._said[same]:
            same += 1
        while len(self._said) > same:
            self._said.pop()
            self._segmenter.undo()
        for i in range(same, len(steps)):
            self._say(steps[i].what)
            self._said.append(steps[i])
        self._steps = steps

    def _say(self, what: Mark | Loaded) -> None:
        """Tells the segmenter; to it this is one step."""
        if isinstance(what, Loaded):
            self._segmenter.add_guidance(what.guidance)
        elif isinstance(what, Click):
            self._segmenter.click(what.image, what.y, what.x, what.positive, what.cls)
        else:
            self._segmenter.paint(what.image, covered(what, self._sizes(what.image)), what.positive, what.cls)


def _distinct(history: Sequence[Steps], now: Steps) -> list[Steps]:
    """Without those that equal the next one, the one after the last being `now`: to go there would change nothing."""
    following = [*history[1:], now]
    return [steps for steps, after in zip(history, following, strict=False) if steps != after]
