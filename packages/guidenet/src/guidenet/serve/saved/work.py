"""Work as one file that can be gone on with: a zip of images, classes, marks and loaded guidance.

The images are in it as the segmenter looks at them, without loss, and as the page shows them. So marks lie where they
lay and say exactly what they said, and masks can be made at the size of the image files, which are not in it.
"""

import dataclasses
import io
import json
import lzma
import zipfile
import zlib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
from PIL import Image

from guidenet.checks import check_choice
from guidenet.segmenter.guidance import Guidance
from guidenet.segmenter.pieces import PIECES
from guidenet.serve.annotations import Loaded
from guidenet.serve.classes import Classes, Colour, parse_colour, write_colour
from guidenet.serve.limits import (
    Limits,
    TooLargeError,
    check_class_name,
    check_file_size,
    check_unpacked_size,
    too_many_images,
)
from guidenet.serve.marks import KINDS, Mark, as_dict, check_mark
from guidenet.serve.pictures import SHOWN_SIDE, Picture
from guidenet.serve.saved.guidance_file import dump_guidance, parse_guidance
from guidenet.serve.saved.names import clean_name, free_name

T = TypeVar("T")

_FORMAT, _VERSION, _INDEX = "guidenet work", 1, "work.json"

_LARGEST_SIDE = 1 << 16


@dataclasses.dataclass(frozen=True, eq=False)
class Work:
    """What a session is made of.

    pictures: by their ids.
    classes: their colours by their names, in order.
    steps: in order; the images of marks are ids.
    pieces: of masks, as for `Segmenter`.
    """

    pictures: dict[str, Picture]
    classes: dict[str, Colour]
    steps: Sequence[Mark | Loaded]
    pieces: str = "all"

    def check_encoder(self, name: str, guidance: Guidance) -> None:
        """Raises `ValueError`, with the name of the file, unless its guidance can be joined to `guidance`."""
        for step in self.steps:
            if isinstance(step, Loaded):
                try:
                    _ = guidance + step.guidance
                except ValueError as error:
                    raise ValueError(f"{name} was not opened: {error}") from None


def pack_work(work: Work) -> bytes:
    """The file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        images: list[dict[str, Any]] = []
        for number, (key, picture) in enumerate(work.pictures.items(), 1):
            seen, shown = f"images/{number}.png", f"images/{number}.jpg"
            archive.writestr(seen, _png(picture))
            archive.writestr(shown, picture.shown)
            images.append({"id": key, "name": picture.name, "size": list(picture.size), "seen": seen, "shown": shown})
        steps: list[dict[str, Any]] = []
        for number, what in enumerate(work.steps, 1):
            if isinstance(what, Loaded):
                path = f"guidance/{number}.npz"
                archive.writestr(path, dump_guidance(what.guidance))
                steps.append({"kind": "guidance", "name": what.name, "file": path})
            else:
                steps.append(as_dict(what))
        classes = [{"name": name, "colour": write_colour(colour)} for name, colour in work.classes.items()]
        content = {"images": images, "classes": classes, "steps": steps, "pieces": work.pieces}
        index = {"format": _FORMAT, "version": _VERSION, **content}
        archive.writestr(_INDEX, json.dumps(index, ensure_ascii=False), zipfile.ZIP_DEFLATED)
    return file.getvalue()


def unpack_work(name: str, data: bytes, limits: Limits) -> Work:
    """Reads the file, which may come from anywhere.

    Args:
      name: of the file, for messages.
      data: its bytes.
      limits: what is taken.

    Raises:
      TooLargeError: it is over a limit.
      ValueError: it is no such file, or does not fit together; the message has the name.
    """
    check_file_size(name, len(data), limits.work_bytes)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            check_unpacked_size("it", archive, limits.work_bytes)
            return _read(archive, name, limits)
    except TooLargeError as error:
        raise TooLargeError(f"{name} was not opened: {error}") from None
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError, EOFError, OSError):
        raise ValueError(f"{name} is no saved work: it must be a zip that was saved as such") from None
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{name} is no saved work that fits together: {error}"[:300]) from None
    except ValueError as error:
        raise ValueError(f"{name} was not opened: {error}"[:300]) from None


def _read(archive: zipfile.ZipFile, name: str, limits: Limits) -> Work:
    if _INDEX not in archive.namelist():
        raise ValueError(f"it is no saved work, as it has no {_INDEX}")
    index = json.loads(archive.read(_INDEX))
    if not isinstance(index, dict) or (index.get("format"), index.get("version")) != (_FORMAT, _VERSION):
        raise ValueError(f"{_INDEX} must be of the format {_FORMAT!r}, version {_VERSION}")
    if len(index["images"]) > limits.num_images:
        raise too_many_images(f"it has {len(index['images'])} images", limits.num_images)
    taken = set[str]()
    pictures = {_exactly(str, image["id"]): _picture(archive, image, taken, limits) for image in index["images"]}
    classes = {check_class_name(cls["name"]): parse_colour(cls["colour"]) for cls in index["classes"]}
    if not classes:
        raise ValueError("it must have at least one class")
    Classes(limits.num_classes).check(classes)
    steps = [_step(archive, step, pictures, limits) for step in index["steps"]]
    for step in steps:
        for cls in step.guidance.classes if isinstance(step, Loaded) else (step.cls,):
            if cls not in classes:
                raise ValueError(f"marks and guidance must be of its classes, got {cls!r}")
    pieces = index.get("pieces", "all")  # files of before have none
    check_choice("pieces", pieces, PIECES)
    return Work(pictures, classes, steps, pieces)


def _picture(archive: zipfile.ZipFile, image: dict[str, Any], taken: set[str], limits: Limits) -> Picture:
    name = free_name(clean_name(image["name"]), taken)
    height, width = (_exactly(int, side) for side in image["size"])
    if not (0 < height < _LARGEST_SIDE and 0 < width < _LARGEST_SIDE and height * width <= limits.image_pixels):
        raise TooLargeError(
            f"{name} has {width} x {height} pixels, and {limits.image_pixels / 1e6:g} million are the most"
        )
    seen = _decode(archive.read(image["seen"]), "PNG", name, max(height, width))
    shown = archive.read(image["shown"])
    _decode(shown, "JPEG", name, SHOWN_SIDE)
    return Picture(name=name, size=(height, width), pixels=np.asarray(seen), shown=shown)


def _step(
    archive: zipfile.ZipFile, step: dict[str, Any], pictures: dict[str, Picture], limits: Limits
) -> Mark | Loaded:
    if step["kind"] == "guidance":
        name = clean_name(step["name"], "guidance.npz")
        return Loaded(name, parse_guidance(name, archive.read(step["file"]), limits))
    fields = {key: value for key, value in step.items() if key != "kind"}
    mark = read_mark(KINDS[step["kind"]], fields)
    height, width = pictures[mark.image].pixels.shape[:2]
    check_mark(mark, (height, width))
    return mark


def read_mark(cls: Callable[..., T], fields: dict[str, Any]) -> T:
    """A mark from JSON, each field of exactly its kind.

    Raises:
      TypeError: there are other fields.
      ValueError: a field is of another kind; the message names it.
    """
    if "points" in fields:
        points = [tuple(_exactly(int, side) for side in point) for point in fields["points"]]
        if any(len(point) != 2 for point in points):
            raise ValueError("points must be pairs of y and x")
        fields = {**fields, "points": tuple(points)}
    for field, value in fields.items():
        if field != "points":
            expected = str if field in ("image", "cls") else bool if field == "positive" else int
            if type(value) is not expected:
                raise ValueError(f"{field} must be {expected.__name__}, got {value!r}"[:200])
    return cls(**fields)


def _exactly(kind: type[T], value: object) -> T:
    if type(value) is not kind:
        raise ValueError(f"expected {kind.__name__}, got {value!r}"[:200])
    return value


def _png(picture: Picture) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture.pixels).save(file, format="PNG", compress_level=1)
    return file.getvalue()


def _decode(data: bytes, kind: str, name: str, largest: int) -> Image.Image:
    try:
        with Image.open(io.BytesIO(data), formats=(kind,)) as file:
            if max(file.size) > largest:
                raise ValueError(f"it has {file.width} x {file.height} pixels")
            return file.convert("RGB")
    except Exception as error:  # the decoders raise many kinds for what is broken
        raise ValueError(f"its image {name} could not be read: {error}") from None
