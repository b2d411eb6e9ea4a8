"""What the page works on: images, classes, clicks and the guidance that follows, behind one lock."""

import dataclasses
import hashlib
import itertools
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from guidenet.images import BUCKET
from guidenet.segmenter.guidance import Guidance
from guidenet.segmenter.segmenter import DEFAULT_CLASS, Segmenter
from guidenet.serve.guidance_file import dump_guidance, parse_guidance
from guidenet.serve.limits import COLOURS, Limits, NotFoundError, TooLargeError, check_class_name
from guidenet.serve.masks import encode_png, encode_runs, free_name, full_labels
from guidenet.serve.pictures import Picture, read_picture


@dataclasses.dataclass(frozen=True)
class Click:
    """One labelled pixel.

    image: id of the image.
    y, x: row and column in px of the image as it is looked at.
    positive: of the class, or else not of the class.
    cls: name of the class.
    """

    image: str
    y: int
    x: int
    positive: bool
    cls: str


class Session:
    """One segmenter and what was done with it; safe to use from several threads.

    An image goes through the encoder when it is added, and never again. Masks are kept until the guidance changes.
    """

    def __init__(self, segmenter: Segmenter, *, max_side: int = 512, limits: Limits | None = None) -> None:
        """Starts without images and with one class.

        Args:
          segmenter: without images and guidance; nothing else may use it from now on.
          max_side: longest side in px to shrink images to before they reach the segmenter.
          limits: None is the usual ones.
        """
        self.limits = Limits() if limits is None else limits
        self._segmenter, self._max_side = segmenter, max_side
        self._lock = threading.Lock()
        self._pictures: dict[str, Picture] = {}
        self._digests: dict[bytes, str] = {}
        self._numbers = itertools.count(1)
        self._classes = [DEFAULT_CLASS]
        self._steps: list[Click | str] = []
        self._runs: dict[str, str] = {}
        self._rehearsed: set[tuple[int, int, int]] = set()

    def add_image(self, name: str, data: bytes) -> str:
        """Adds an image file and returns its id; one that is there already keeps its id.

        Args:
          name: of the file; a number is added if there is another one of that name.
          data: its bytes.

        Raises:
          TooLargeError: the image is over a limit, or there are too many.
          ValueError: it is no image; the message has the name.
        """
        picture = read_picture(name, data, self._max_side, self.limits)
        digest = hashlib.blake2b(picture.pixels.tobytes() + repr(picture.size).encode()).digest()
        with self._lock:
            if digest in self._digests:
                return self._digests[digest]
            if len(self._pictures) >= self.limits.num_images:
                raise TooLargeError(
                    f"{name} was not added: there are {self.limits.num_images} images, the most at once"
                )
            image = self._segmenter.add_image(picture.pixels, str(next(self._numbers)))
            name = free_name(name, {other.name.lower() for other in self._pictures.values()})
            self._pictures[image] = dataclasses.replace(picture, name=name)
            self._digests[digest] = image
            self._rehearse([image])
            return image

    def remove_image(self, image: str) -> None:
        """Forgets an image with its clicks; this cannot be undone.

        Raises:
          NotFoundError: there is none of that id.
        """
        with self._lock:
            self._find(image)
            self._segmenter.remove_image(image)
            del self._pictures[image]
            self._digests = {digest: other for digest, other in self._digests.items() if other != image}
            self._steps = [step for step in self._steps if isinstance(step, str) or step.image != image]
            self._runs.clear()

    def shown(self, image: str) -> bytes:
        """The JPEG that the page shows.

        Raises:
          NotFoundError: there is none of that id.
        """
        with self._lock:
            return self._find(image).shown

    def add_class(self, name: str) -> None:
        """Adds a class; one that is there already stays as it is.

        Raises:
          TooLargeError: there are too many.
          ValueError: the name is no name of a class.
        """
        with self._lock:
            self._add_classes([check_class_name(name)])
            self._rehearse(self._pictures)

    def remove_class(self, name: str) -> None:
        """Removes a class that nothing was said about.

        Raises:
          NotFoundError: there is none of that name.
          ValueError: it has clicks or guidance, or is the last one.
        """
        with self._lock:
            if name not in self._classes:
                raise NotFoundError(f"there is no class {name!r}")
            if name in self._segmenter.classes:
                raise ValueError(f"{name!r} has clicks or guidance: undo them before the class is removed")
            if len(self._classes) == 1:
                raise ValueError(f"{name!r} is the last class: add another one before it is removed")
            self._classes.remove(name)
            self._runs.clear()

    def click(self, click: Click) -> None:
        """Labels one pixel.

        Raises:
          NotFoundError: there is no such image or class.
          ValueError: the pixel lies outside of the image.
        """
        with self._lock:
            height, width = self._find(click.image).pixels.shape[:2]
            if click.cls not in self._classes:
                raise NotFoundError(f"there is no class {click.cls!r}")
            if not (0 <= click.y < height and 0 <= click.x < width):
                raise ValueError(f"y, x must lie in the image of {height} x {width} px, got {click.y}, {click.x}")
            self._segmenter.click(click.image, click.y, click.x, click.positive, click.cls)
            self._steps.append(click)
            self._runs.clear()

    def undo(self) -> bool:
        """Takes back the last click or loaded guidance; returns whether there was one."""
        with self._lock:
            if not self._steps:
                return False
            self._undo()
            return True

    def clear(self) -> None:
        """Takes back all clicks and all loaded guidance; images and classes stay."""
        with self._lock:
            while self._steps:
                self._undo()

    def load_guidance(self, name: str, data: bytes) -> None:
        """Joins guidance from a file to what the clicks say; it can be undone.

        Raises:
          TooLargeError: it is over a limit, or brings too many classes.
          ValueError: it is no guidance, or another encoder made it; the message has the name.
        """
        guidance = parse_guidance(name, data, self.limits)
        with self._lock:
            self._join(name, guidance)

    def dump_guidance(self) -> bytes:
        """The npz of all guidance, that of clicks and that which was loaded.

        Raises:
          ValueError: there is none.
        """
        with self._lock:
            guidance = self._segmenter.guidance
        if not guidance.classes:
            raise ValueError("there is no guidance to save: click on something first")
        return dump_guidance(guidance)

    def mask(self, image: str) -> bytes:
        """The mask as PNG at the size of the image file, see `masks.encode_png`.

        Raises:
          NotFoundError: there is no image of that id.
          ValueError: there is no guidance yet.
        """
        with self._lock:
            size, prediction = self._find(image).size, self._segmenter.predict(image)
            if not prediction.classes:
                raise ValueError("there are no masks to save: click on something first")
            order = [name for name in self._classes if name in prediction.classes]
        logits = prediction.logits[[prediction.classes.index(name) for name in order]]
        return encode_png(full_labels(logits, size), len(order))

    def masks(self) -> tuple[Iterator[tuple[str, bytes]], tuple[str, ...]]:
        """Name and mask of all images, and the names of the classes in the order of the labels."""
        with self._lock:
            names = {image: picture.name for image, picture in self._pictures.items()}
            used = self._segmenter.classes
            return ((name, self.mask(image)) for image, name in names.items()), tuple(
                name for name in self._classes if name in used
            )

    def state(self) -> dict[str, Any]:
        """All that the page shows, ready for JSON; masks that are out of date are made anew.

        images: in their order: id, name, height and width in px as looked at, and those of the file.
        classes: name and colour, `#rrggbb`.
        clicks: in their order: id of the image, y, x, whether positive, index of the class.
        masks: by the image's id, see `masks.encode_runs`; labels are 1 + index of the class.
        guidance: names of the files that were loaded.
        can_undo: whether there is something to undo.
        trained: whether there is any guidance.
        """
        with self._lock:
            for image in self._pictures:
                if image not in self._runs:
                    self._runs[image] = self._predict(image)
            clicks = [step for step in self._steps if isinstance(step, Click)]
            return {
                "images": [_describe(image, picture) for image, picture in self._pictures.items()],
                "classes": [
                    {"name": name, "colour": "#{:02x}{:02x}{:02x}".format(*colour)}
                    for name, colour in zip(self._classes, COLOURS, strict=False)
                ],
                "clicks": [
                    [click.image, click.y, click.x, click.positive, self._classes.index(click.cls)] for click in clicks
                ],
                "masks": dict(self._runs),
                "guidance": [step for step in self._steps if isinstance(step, str)],
                "can_undo": bool(self._steps),
                "trained": bool(self._segmenter.classes),
            }

    def _find(self, image: str) -> Picture:
        if image not in self._pictures:
            raise NotFoundError(f"there is no image {image!r}")
        return self._pictures[image]

    def _rehearse(self, images: Iterable[str]) -> None:
        """Has all compiled that a click will need, so that the click does not wait: clicks, looks, and undoes.

        What is compiled depends on the size of the image up to a multiple of `BUCKET` px, and on the number of classes
        up to a power of two.
        """
        for image in images:
            height, width = (-(-side // BUCKET) for side in self._pictures[image].pixels.shape[:2])
            sizes = [2**i for i in range((len(self._classes) - 1).bit_length() + 1)]
            new = [size for size in sizes if (height, width, size) not in self._rehearsed]
            if not new:
                continue
            for i, cls in enumerate(self._classes, 1):
                self._segmenter.click(image, 0, 0, label=False, cls=cls)
                if i in new or i == len(self._classes):
                    self._segmenter.predict(image)
            for _ in self._classes:
                self._segmenter.undo()
            self._rehearsed.update((height, width, size) for size in new)

    def _add_classes(self, names: Sequence[str]) -> None:
        new = [name for name in names if name not in self._classes]
        if len(self._classes) + len(new) > self.limits.num_classes:
            raise TooLargeError(f"{new[0]!r} was not added: {self.limits.num_classes} classes are the most at once")
        self._classes += new

    def _join(self, name: str, guidance: Guidance) -> None:
        before = list(self._classes)
        if self._classes == [DEFAULT_CLASS] and not self._segmenter.classes and guidance.classes:
            self._classes = []  # nobody has named anything yet
        try:
            self._add_classes(guidance.classes)
            self._segmenter.add_guidance(guidance)
        except ValueError as error:
            self._classes = before
            raise type(error)(f"{name} was not loaded: {error}") from None
        self._steps.append(name)
        self._runs.clear()
        self._rehearse(self._pictures)

    def _undo(self) -> None:
        self._segmenter.undo()
        self._steps.pop()
        self._runs.clear()

    def _predict(self, image: str) -> str:
        prediction = self._segmenter.predict(image)
        indices = [0, *(self._classes.index(name) + 1 for name in prediction.classes)]
        return encode_runs(np.array(indices, np.uint8)[prediction.labels])


def _describe(image: str, picture: Picture) -> dict[str, Any]:
    height, width = picture.pixels.shape[:2]
    return {
        "id": image,
        "name": picture.name,
        "height": height,
        "width": width,
        "file_height": picture.size[0],
        "file_width": picture.size[1],
    }
