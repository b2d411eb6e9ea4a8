"""What the page works on: images, classes, marks and the guidance that follows, behind one lock."""

import dataclasses
import itertools
import secrets
import threading
from collections.abc import Iterable, Iterator
from typing import Any

from guidenet.checks import check_choice
from guidenet.reading import Intensity
from guidenet.segmenter.guidance import Guidance
from guidenet.segmenter.pieces import PIECES
from guidenet.segmenter.segmenter import DEFAULT_CLASS, Segmenter
from guidenet.serve.annotations import Annotations, Loaded
from guidenet.serve.classes import Classes, parse_colour
from guidenet.serve.exports.labels import Labelled
from guidenet.serve.limits import Limits, NotFoundError, too_many_images
from guidenet.serve.marks import Mark, as_dict, check_mark
from guidenet.serve.masks import Masks
from guidenet.serve.pictures import Picture, read_picture
from guidenet.serve.rehearsal import Rehearsal
from guidenet.serve.saved.guidance_file import dump_guidance, parse_guidance
from guidenet.serve.saved.names import clean_name, free_name
from guidenet.serve.saved.work import Work, pack_work, unpack_work


class Session:
    """One segmenter and what was done with it; safe to use from several threads.

    An image goes through the encoder when it is added, and never again. Masks are kept until the guidance changes.
    """

    def __init__(
        self,
        segmenter: Segmenter,
        *,
        max_side: int = 512,
        limits: Limits | None = None,
        page: int | None = None,
        intensity: Intensity = "auto",
    ) -> None:
        """Starts without images and with one class.

        Args:
          segmenter: without images and guidance; nothing else may use it from now on.
          max_side: longest side in px to shrink images to before they reach the segmenter.
          limits: None is the usual ones.
          page: of image files that have several, from 1.
          intensity: how grey of more than 8 bits is read, see `guidenet.read_image`.
        """
        self.limits = Limits() if limits is None else limits
        self._segmenter, self._max_side = segmenter, max_side
        self._page, self._intensity = page, intensity
        self._lock = threading.Lock()
        self._token = secrets.token_hex(4)
        self._pictures: dict[str, Picture] = {}
        self._numbers = itertools.count(1)
        self._classes = self._new_classes([DEFAULT_CLASS])
        self._annotations = Annotations(segmenter, lambda image: self._pictures[image].seen_size)
        self._masks = Masks(segmenter)
        self._rehearsal = Rehearsal(segmenter)
        self._revision = self._saved = 0

    @property
    def revision(self) -> str:
        """Another one after each change, and in each session."""
        return f"{self._token}-{self._revision}"

    @property
    def unsaved(self) -> int:
        """The number of marks and loaded files of guidance, 0 if nothing changed since the work was saved or opened."""
        with self._lock:
            return 0 if self._revision == self._saved else len(self._annotations.steps)

    def add_image(self, name: str, data: bytes) -> str:
        """Adds an image file and returns its id. Equal images are as many images as there are files.

        Args:
          name: of the file, with folders between `/` if it came with some; what cannot be shown is left out of it, and
            a number is added if it is taken.
          data: its bytes.

        Raises:
          TooLargeError: the image is over a limit, or there are too many.
          ValueError: it is no image; the message has the name.
        """
        name = clean_name(name)
        picture = read_picture(name, data, self._max_side, self.limits, self._page, self._intensity)
        with self._lock:
            if len(self._pictures) >= self.limits.num_images:
                raise too_many_images(f"{name} was not added", self.limits.num_images)
            name = free_name(name, {other.name.lower() for other in self._pictures.values()})
            image = self._add_picture(dataclasses.replace(picture, name=name))
            self._changed(masks=False)
            return image

    def remove_image(self, image: str) -> None:
        """Forgets an image with its marks; this cannot be undone.

        Raises:
          NotFoundError: there is none of that id.
        """
        with self._lock:
            self._find(image)
            self._remove_image(image)
            self._changed()

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
            self._classes.add([name])
            self._rehearse(self._pictures)
            self._changed(masks=False)

    def paint_class(self, name: str, colour: str) -> None:
        """Chooses the colour of a class, `#rrggbb`.

        Raises:
          NotFoundError: there is none of that name.
          ValueError: it is no colour.
        """
        with self._lock:
            self._classes.paint(name, parse_colour(colour))
            self._changed(masks=False)

    def remove_class(self, name: str) -> None:
        """Removes a class that nothing was said about.

        Raises:
          NotFoundError: there is none of that name.
          ValueError: it has marks or guidance, or is the last one.
        """
        with self._lock:
            self._classes.find(name)
            if any(name in step.classes for step in self._annotations.steps):
                raise ValueError(f"{name!r} has clicks or guidance: undo them before the class is removed")
            if len(self._classes) == 1:
                raise ValueError(f"{name!r} is the last class: add another one before it is removed")
            self._classes.remove(name)
            self._annotations.forget_class(name)
            self._changed()

    def choose_pieces(self, pieces: str) -> None:
        """Which pieces masks have, see `Segmenter`: `all` or `annotated`. It is no change that undo takes back.

        Raises:
          ValueError: it is neither.
        """
        check_choice("pieces", pieces, PIECES)
        with self._lock:
            self._masks.pieces = pieces
            self._changed()

    def mark(self, mark: Mark) -> None:
        """Labels what is under a click, a box or a stroke.

        Raises:
          NotFoundError: there is no such image or class.
          ValueError: it lies outside of the image.
        """
        with self._lock:
            size = self._find(mark.image).seen_size
            self._classes.find(mark.cls)
            check_mark(mark, size)
            self._annotations.add(mark)
            self._changed()

    def delete(self, number: int) -> None:
        """Takes one mark or loaded guidance out; it can be undone.

        Raises:
          NotFoundError: there is none of that number.
        """
        with self._lock:
            self._annotations.delete(number)
            self._changed()

    def flip(self, number: int) -> None:
        """Makes a mark say the opposite; it can be undone.

        Raises:
          NotFoundError: there is none of that number.
          ValueError: it is guidance.
        """
        with self._lock:
            self._annotations.flip(number)
            self._changed()

    def undo(self) -> bool:
        """Takes back the last change of marks or guidance; returns whether there was one."""
        with self._lock:
            return self._annotations.undo() and self._changed()

    def redo(self) -> bool:
        """Makes the change again that was taken back last; returns whether there was one."""
        with self._lock:
            return self._annotations.redo() and self._changed()

    def clear(self) -> None:
        """Takes out all marks and all loaded guidance; images and classes stay. It can be undone."""
        with self._lock:
            self._annotations.clear()
            self._changed()

    def load_guidance(self, name: str, data: bytes) -> None:
        """Joins guidance from a file to what the marks say; it can be undone.

        Raises:
          TooLargeError: it is over a limit, or brings too many classes.
          ValueError: it is no guidance, or another encoder made it; the message has the name.
        """
        guidance = parse_guidance(name, data, self.limits)
        with self._lock:
            self._join(name, guidance)
            self._changed()

    def dump_guidance(self) -> bytes:
        """The npz of all guidance, that of marks and that which was loaded.

        Raises:
          ValueError: there is none.
        """
        with self._lock:
            guidance = self._segmenter.guidance
        if not guidance.classes:
            raise ValueError("there is no guidance to save: click on something first")
        return dump_guidance(guidance)

    def save_work(self) -> bytes:
        """A file with all images, classes, marks and loaded guidance, from which `open_work` goes on."""
        with self._lock:
            work = Work(
                dict(self._pictures),
                {name: self._classes.colour(name) for name in self._classes},
                [step.what for step in self._annotations.steps],
                self._masks.pieces,
            )
            revision = self._revision
        data = pack_work(work)
        with self._lock:
            self._saved = revision
        return data

    def open_work(self, name: str, data: bytes) -> None:
        """Replaces everything by the work of a file; this cannot be undone. If it is refused, all stays as it is.

        Raises:
          TooLargeError: it is over a limit.
          ValueError: it is no such file, or has guidance of another encoder; the message has the name.
        """
        work = unpack_work(name, data, self.limits)
        with self._lock:
            work.check_encoder(name, self._segmenter.guidance)
            self._masks.pieces = work.pieces
            self._annotations.replace([])
            for image in list(self._pictures):
                self._remove_image(image)
            self._classes = self._new_classes(work.classes)
            for cls, colour in work.classes.items():
                self._classes.paint(cls, colour)
            ids = {key: self._add_picture(picture) for key, picture in work.pictures.items()}
            self._annotations.replace(
                what if isinstance(what, Loaded) else dataclasses.replace(what, image=ids[what.image])
                for what in work.steps
            )
            self._changed()
            self._saved = self._revision

    def labels(self, image: str) -> Labelled:
        """The mask at the size of the image file.

        Raises:
          NotFoundError: there is no image of that id.
          ValueError: there is no guidance yet.
        """
        with self._lock:
            (labelled,) = self._masks.labels({image: self._find(image)}, self._classes)
        return labelled()

    def all_labels(self) -> Iterator[Labelled]:
        """The masks of all images as they are now, whatever is done before the last of them is taken.

        Raises:
          ValueError: there is no image, or no guidance yet.
        """
        with self._lock:
            if not self._pictures:
                raise ValueError("there are no masks to save: add an image first")
            found = self._masks.labels(self._pictures, self._classes)
        return (labelled() for labelled in found)

    def state(self) -> dict[str, Any]:
        """All that the page shows, ready for JSON; masks that are out of date are made anew.

        revision: see `revision`.
        images: in their order: id, name, height and width in px as looked at, and those of the file.
        classes: name and colour, `#rrggbb`.
        marks: in their order: id, kind, positive, index of the class, and the fields of that kind.
        masks: by the image's id, see `masks.encode_runs`; labels are 1 + index of the class.
        guidance: id and name of the files that were loaded.
        can_undo, can_redo: whether there is something to undo, or to do again.
        trained: whether there is any guidance.
        pieces: of masks, `all` or `annotated`.
        limits: the most images, and the most bytes of one.
        """
        with self._lock:
            steps = self._annotations.steps
            return {
                "revision": self.revision,
                "images": [{"id": image, **picture.describe()} for image, picture in self._pictures.items()],
                "classes": self._classes.describe(),
                "marks": [
                    {**as_dict(step.what), "id": step.number, "cls": self._classes.index(step.what.cls)}
                    for step in steps
                    if not isinstance(step.what, Loaded)
                ],
                "masks": self._masks.runs(self._pictures, self._classes),
                "guidance": [
                    {"id": step.number, "name": step.what.name} for step in steps if isinstance(step.what, Loaded)
                ],
                "can_undo": self._annotations.can_undo,
                "can_redo": self._annotations.can_redo,
                "trained": bool(self._segmenter.classes),
                "pieces": self._masks.pieces,
                "limits": {"images": self.limits.num_images, "image_bytes": self.limits.image_bytes},
            }

    def _find(self, image: str) -> Picture:
        if image not in self._pictures:
            raise NotFoundError(f"there is no image {image!r}")
        return self._pictures[image]

    def _changed(self, *, masks: bool = True) -> bool:
        """Notes that there is something new, `masks`: of the guidance, too."""
        self._revision += 1
        if masks:
            self._masks.forget()
        return True

    def _add_picture(self, picture: Picture) -> str:
        image = self._segmenter.add_image(picture.pixels, str(next(self._numbers)))
        self._pictures[image] = picture
        self._rehearse([image])
        return image

    def _remove_image(self, image: str) -> None:
        self._segmenter.remove_image(image)
        self._annotations.forget_image(image)
        del self._pictures[image]

    def _new_classes(self, names: Iterable[str]) -> Classes:
        classes = Classes(self.limits.num_classes)
        classes.add(names)
        return classes

    def _rehearse(self, images: Iterable[str]) -> None:
        sizes = [(image, self._pictures[image].seen_size) for image in images]
        self._rehearsal.rehearse(sizes, list(self._classes))

    def _join(self, name: str, guidance: Guidance) -> None:
        history = self._annotations.can_undo or self._annotations.can_redo
        unnamed = list(self._classes) == [DEFAULT_CLASS] and not history
        try:
            _ = self._segmenter.guidance + guidance
            if unnamed and guidance.classes:
                self._classes = self._new_classes(guidance.classes)  # nobody has named anything yet
            else:
                self._classes.add(guidance.classes)
        except ValueError as error:
            raise type(error)(f"{name} was not loaded: {error}") from None
        self._annotations.add(Loaded(clean_name(name, "guidance.npz"), guidance))
        self._rehearse(self._pictures)
