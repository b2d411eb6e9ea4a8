"""Compiles ahead of time, so that no click waits for it."""

from collections.abc import Iterable, Sequence

from guidenet.images import BUCKET
from guidenet.segmenter.segmenter import Segmenter


class Rehearsal:
    """Clicks, looks and undoes, once for each kind of thing that is compiled.

    What is compiled depends on the size of the image up to a multiple of `BUCKET` px, and on the number of classes up
    to a power of two.
    """

    def __init__(self, segmenter: Segmenter) -> None:
        """Starts with nothing rehearsed."""
        self._segmenter = segmenter
        self._done: set[tuple[int, int, int]] = set()

    def rehearse(self, images: Iterable[tuple[str, tuple[int, int]]], classes: Sequence[str]) -> None:
        """Has all compiled that a click will need; the segmenter is then as it was.

        Args:
          images: their ids, and height and width in px.
          classes: of the page.
        """
        for image, size in images:
            height, width = (-(-side // BUCKET) for side in size)
            counts = [2**i for i in range((len(classes) - 1).bit_length() + 1)]
            new = [count for count in counts if (height, width, count) not in self._done]
            if not new:
                continue
            for i, cls in enumerate(classes, 1):
                self._segmenter.click(image, 0, 0, label=False, cls=cls)
                if i in new or i == len(classes):
                    self._segmenter.predict(image)
            for _ in classes:
                self._segmenter.undo()
            self._done.update((height, width, count) for count in new)
