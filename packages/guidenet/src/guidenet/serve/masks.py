"""The masks of a page: found when they are asked for, and kept until the guidance changes."""

from collections.abc import Callable, Iterable, Mapping

import numpy as np

from guidenet.segmenter.prediction import Prediction
from guidenet.segmenter.segmenter import Segmenter
from guidenet.serve.classes import Classes
from guidenet.serve.exports.labels import Labelled
from guidenet.serve.exports.masks import encode_runs, full_labels
from guidenet.serve.pictures import Picture


class Masks:
    """What a segmenter finds in pictures.

    pieces: of masks, see `Segmenter`: `all` or `annotated`.
    """

    def __init__(self, segmenter: Segmenter) -> None:
        """Starts with none found.

        Args:
          segmenter: is only looked at.
        """
        self.pieces = segmenter.pieces
        self._segmenter = segmenter
        self._runs: dict[str, str] = {}

    def forget(self) -> None:
        """Finds all anew when they are asked for: guidance, classes or pieces are others now."""
        self._runs.clear()

    def runs(self, images: Iterable[str], classes: Classes) -> dict[str, str]:
        """Of each image, see `encode_runs`; labels are 1 + index of the class."""
        wanted = list(images)
        for image in wanted:
            if image not in self._runs:
                prediction = self._predict(image)
                indices = [0, *(classes.index(name) + 1 for name in prediction.classes)]
                self._runs[image] = encode_runs(np.array(indices, np.uint8)[prediction.labels])
        return {image: self._runs[image] for image in wanted}

    def labels(self, pictures: Mapping[str, Picture], classes: Classes) -> list[Callable[[], Labelled]]:
        """Masks at the sizes of the image files, to be enlarged later: many large ones do not fit into memory together.

        Args:
          pictures: by the image's id.
          classes: of the page, whose order labels have; those without guidance have none.

        Raises:
          ValueError: there is no guidance yet.
        """
        used = tuple(name for name in classes if name in self._segmenter.classes)
        if not used:
            raise ValueError("there are no masks to save: click on something first")
        colours = tuple(classes.colour(name) for name in used)

        def later(picture: Picture, prediction: Prediction) -> Callable[[], Labelled]:
            logits = prediction.logits[[prediction.classes.index(name) for name in used]]
            return lambda: Labelled(picture.name, full_labels(logits, picture.size), used, colours)

        return [later(picture, self._predict(image)) for image, picture in pictures.items()]

    def _predict(self, image: str) -> Prediction:
        return self._segmenter.predict(image, pieces=self.pieces)
