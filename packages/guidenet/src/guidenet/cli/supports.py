"""Annotated images of a command line: their flags, and how they reach a segmenter.

In the shape descriptions `H, W` denote pixels.
"""

import argparse
import dataclasses
import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from guidenet.reading import (
    KINDS,
    MAX_PIXELS,
    AmbiguousError,
    Ids,
    Intensity,
    Pixels,
    num_pages,
    parse_colour,
    parse_intensity,
    read_image,
    read_labels,
    upright_size,
)
from guidenet.segmenter.prediction import MAX_CLASSES
from guidenet.segmenter.segmenter import DEFAULT_CLASS, Segmenter

T = TypeVar("T")


class Point(NamedTuple):
    """One annotated pixel of `--point`."""

    cls: str
    y: int
    x: int
    label: bool


@dataclasses.dataclass(frozen=True)
class Reader:
    """Reads the files of a command as its flags say.

    page: of files that have several.
    intensity: how grey of more than 8 bits is read.
    max_pixels: the most that are taken of one image.
    kind, colours: how masks are read.
    classes: names of the labels 1, 2, ..
    """

    page: int | None
    intensity: Intensity
    max_pixels: int
    kind: str
    colours: Sequence[tuple[int, int, int]]
    classes: Sequence[str]

    def image(self, path: Path) -> Pixels:
        """`[H, W, 3]` of an image. Raises as `read_image`."""
        return read_image(path, page=self._page(path), intensity=self.intensity, max_pixels=self.max_pixels)

    def mask(self, path: Path) -> Ids:
        """`[H, W]` labels of a mask. Where names of classes are given, values that may be these classes are.

        Raises:
          ValueError: as `read_labels`, or there is a label without a name, where others have names.
        """
        options = {"colours": self.colours, "page": self._page(path), "max_pixels": self.max_pixels}
        try:
            labels = read_labels(path, kind=self.kind, **options)
        except AmbiguousError as error:
            if not self.classes or "classes" not in error.readings:
                raise
            labels = read_labels(path, kind="classes", **options)
            if labels.max(initial=0) > len(self.classes):
                raise error from None
        if self.classes and labels.max(initial=0) > len(self.classes):
            raise ValueError(f"{path} has the label {labels.max()}, and --classes names {len(self.classes)}")
        return labels

    def name(self, label: int) -> str:
        """The class of a label."""
        if label <= len(self.classes):
            return self.classes[label - 1]
        return DEFAULT_CLASS if label == 1 else f"class-{label}"

    def _page(self, path: Path) -> int | None:
        return self.page if num_pages(path) > 1 else None


class _ForSupport(argparse.Action):
    """Keeps an annotation with the support that was named last."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: Any, values: Any, option_string: Any = None) -> None:
        supports: list[tuple[Path, list[Any]]] = namespace.support
        if not supports:
            parser.error(f"{option_string} must come after the --support that it belongs to")
        supports[-1][1].append(values)


class _Support(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, namespace: Any, values: Any, option_string: Any = None) -> None:
        namespace.support = [*namespace.support, (values, [])]


def add_support_flags(parser: argparse.ArgumentParser) -> None:
    """Which images are annotated, and how."""
    parser.add_argument(
        "--support", action=_Support, type=Path, default=[], metavar="IMAGE", help="annotated; again for more"
    )
    parser.add_argument("--mask", action=_ForSupport, type=Path, metavar="FILE", help="dense annotation of the support")
    parser.add_argument("--point", action=_ForSupport, type=_point, metavar="Y,X±", help="one pixel of the support")
    parser.add_argument("--classes", type=_names, default=[], metavar="A,B", help="names of the labels 1, 2 in masks")
    parser.add_argument(
        "--mask-labels",
        choices=KINDS,
        default="auto",
        help="what the values of masks are: binary, dark and light; classes; instances, objects of one class, one by "
        "one; alpha, what is opaque; by default what goes without saying",
    )
    parser.add_argument(
        "--mask-colours", type=_colours, default=[], metavar="A,B", help="of the classes 1, 2 in masks: red or #ff0000"
    )


def add_reading_flags(parser: argparse.ArgumentParser) -> None:
    """How image files are read."""
    parser.add_argument(
        "--page", type=_page, metavar="N", help="which one, from 1, of files with several pages or frames"
    )
    parser.add_argument(
        "--intensity",
        type=_told(parse_intensity),
        default="auto",
        metavar="HOW",
        help="grey of more than 8 bits: auto (default), from 0 to the fewest bits that hold all values; full, all "
        "that the type can hold; stretch, from the least value to the largest; LOW,HIGH, what is black and white",
    )


def add_size_flag(parser: argparse.ArgumentParser) -> None:
    """How large image files may be."""
    parser.add_argument(
        "--max-megapixels",
        type=float,
        default=MAX_PIXELS / 1e6,
        metavar="MP",
        help=f"the most that are taken of one image (default: {MAX_PIXELS / 1e6:g})",
    )


def check_mask_flags(arguments: argparse.Namespace, masks: Sequence[Path]) -> None:
    """Raises `ValueError` for a flag about masks where there are none, or two of which one decides nothing."""
    given = {
        "--classes": arguments.classes,
        "--mask-labels": arguments.mask_labels != "auto",
        "--mask-colours": arguments.mask_colours,
    }
    for flag in (flag for flag, value in given.items() if value and not masks):
        raise ValueError(f"{flag} must be with a --mask, got none")
    if given["--mask-labels"] and given["--mask-colours"]:
        raise ValueError(f"--mask-labels must be left out with --mask-colours, got {arguments.mask_labels}")


def make_reader(arguments: argparse.Namespace) -> Reader:
    """What the flags say."""
    if not arguments.max_megapixels > 0:
        raise ValueError(f"--max-megapixels must be positive, got {arguments.max_megapixels:g}")
    pixels = int(min(arguments.max_megapixels, 1e6) * 1e6)
    kind, colours = arguments.mask_labels, arguments.mask_colours
    return Reader(arguments.page, arguments.intensity, pixels, kind, colours, arguments.classes)


class Support(NamedTuple):
    """One annotated image that has been read.

    path: of the file.
    pixels: `[H, W, 3]`.
    masks: `[H, W]` labels each.
    points: single pixels.
    """

    path: Path
    pixels: Pixels
    masks: Sequence[Ids]
    points: Sequence[Point]


def read_supports(reader: Reader, supports: Sequence[tuple[Path, Sequence[Path | Point]]]) -> list[Support]:
    """Reads all supports and their masks, before anything is computed.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: a file cannot be read, a support has no annotation, a mask has nothing in it or another size, or a
        point lies outside.
    """
    found: list[Support] = []
    for path, annotations in supports:
        if not annotations:
            raise ValueError(
                f"--support must have a --mask with something in it or a --point after it, got none for {path}"
            )
        pixels = _read("--support", reader.image, path)
        masks: list[Ids] = []
        for annotation in annotations:
            if isinstance(annotation, Point):
                _check_point(annotation, pixels.shape[:2], path)
            else:
                masks.append(_read("--mask", reader.mask, annotation))
                _check_mask(masks[-1], annotation, pixels.shape[:2], path)
        found.append(Support(path, pixels, masks, [point for point in annotations if isinstance(point, Point)]))
    return found


def check_classes(supports: Sequence[Support], reader: Reader, known: Iterable[str]) -> None:
    """Raises `ValueError` if supports have, with those that are known, more classes than there can be."""
    names = {*known, *(point.cls for support in supports for point in support.points)}
    for support in supports:
        for labels in support.masks:
            names |= {reader.name(int(label)) for label in np.unique(labels[labels > 0])}
    if len(names) > MAX_CLASSES:
        raise ValueError(f"--support and --guidance must have at most {MAX_CLASSES} classes, got {len(names)}")


def annotate(segmenter: Segmenter, supports: Sequence[Support], reader: Reader) -> None:
    """Adds supports with their masks and points. Those of equal pixels are one image.

    What one mask of an image has as background is no object of another mask of it. All has been checked, by
    `read_supports` and `check_classes`.
    """
    names: dict[bytes, str] = {}
    inside: dict[tuple[str, str], npt.NDArray[np.bool_]] = {}
    outside: dict[tuple[str, str], npt.NDArray[np.bool_]] = {}
    for support in supports:
        key = hashlib.blake2b(repr(support.pixels.shape).encode() + support.pixels.tobytes()).digest()
        if key not in names:
            names[key] = segmenter.add_image(support.pixels, str(support.path))
        for labels in support.masks:
            for label in np.unique(labels[labels > 0]):
                of = names[key], reader.name(int(label))
                inside[of] = inside.get(of, np.zeros(labels.shape, bool)) | (labels == label)
                outside[of] = outside.get(of, np.zeros(labels.shape, bool)) | (labels == 0)
    for (name, cls), mask in inside.items():
        segmenter.label(name, np.where(mask, np.int8(1), -outside[name, cls].astype(np.int8)), cls)
    for support in supports:
        name = names[hashlib.blake2b(repr(support.pixels.shape).encode() + support.pixels.tobytes()).digest()]
        for point in support.points:
            segmenter.click(name, point.y, point.x, point.label, point.cls)


def _read(option: str, read: Callable[[Path], T], path: Path) -> T:
    try:
        return read(path)
    except FileNotFoundError:
        raise FileNotFoundError(f"{option} must be an image file, and there is no {path}") from None
    except ValueError as error:
        raise ValueError(f"{option} {error}") from None


def _check_point(point: Point, size: tuple[int, ...], photo: Path) -> None:
    if not (point.y < size[0] and point.x < size[1]):
        raise ValueError(
            f"--point {point.y},{point.x} must lie in the {size[0]} x {size[1]} px of {photo}, its --support"
        )


def _check_mask(labels: Ids, path: Path, size: tuple[int, ...], photo: Path) -> None:
    if labels.shape != size:
        turned = [str(file) for file in (photo, path) if upright_size(file)[2] != 1]
        hint = f"; EXIF data turn {' and '.join(turned)}" if turned else ""
        raise ValueError(
            f"--mask {path} must have the {size[0]} x {size[1]} px of {photo}, its --support, got "
            f"{labels.shape[0]} x {labels.shape[1]}{hint}"
        )
    if not (labels > 0).any():
        raise ValueError(f"--mask {path} must have an object in it, and all of it is background or unknown")


def _point(text: str) -> Point:
    match = re.fullmatch(r"(?:(.+):)?(\d+),(\d+)([+-])", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} must look like 120,80+ or cat:120,80-")
    cls, y, x, sign = match.groups()
    _check_text(cls or "")
    return Point(cls or DEFAULT_CLASS, int(y), int(x), sign == "+")


def _page(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number of at least 1")
    return int(text)


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise argparse.ArgumentTypeError(f"{text!r} must be names with commas between them")
    if len(set(names)) < len(names):
        raise argparse.ArgumentTypeError(f"{text!r} must name each class once")
    _check_text(text)
    return names


def _check_text(text: str) -> None:
    """Names are written to a file, one a line."""
    if len(text.splitlines()) > 1 or text.encode(errors="replace").decode() != text:
        raise argparse.ArgumentTypeError(f"{text!r} must be text that can be written in a line")


def _colours(text: str) -> list[tuple[int, int, int]]:
    return [_told(parse_colour)(colour.strip()) for colour in text.split(",")]


def _told(parse: Callable[[str], T]) -> Callable[[str], T]:
    """The same with the error that argparse shows."""

    def told(text: str) -> T:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return told
