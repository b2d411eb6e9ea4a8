"""What there is to export of one image."""

import dataclasses

import numpy as np
import numpy.typing as npt

from guidenet.serve.classes import Colour


@dataclasses.dataclass(frozen=True, eq=False)
class Labelled:
    """The mask of one image at the size of its file.

    name: of the file, with folders.
    labels: `[height, width]`: 0 background, i + 1 for `classes[i]`.
    classes: those that something was said about.
    colours: of these.
    """

    name: str
    labels: npt.NDArray[np.uint8]
    classes: tuple[str, ...]
    colours: tuple[Colour, ...]
