"""`guidenet predict`: segments image files by annotated images, or by guidance that was saved."""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from guidenet.cli.flags import Subparsers, add_command, add_model_flags, load_network
from guidenet.cli.progress import report, track
from guidenet.reading import read_image, read_labels
from guidenet.segmenter.guidance import Guidance
from guidenet.segmenter.prediction import Prediction
from guidenet.segmenter.segmenter import DEFAULT_CLASS, Segmenter

_EXAMPLES = """examples:
  guidenet predict --support a.png --mask a_mask.png images/*.png -o out/
  guidenet predict --support a.png --point 120,80+ --point 10,10- images/*.png -o out/
  guidenet predict --guidance cat.npz images/*.png -o out/

A mask is black and white, or a palette image whose index is the class and 255 unknown. A point is row,column in px and
+ or -, with a class if there are several: cat:120,80+. Points and a mask belong to the support before them. What is
written for each image is a PNG of its name: 0 and 255 for one class, for several a palette image, with classes.txt
beside it."""

_PALETTE = np.array(
    [
        [(label >> bit & 1) << 7 - bit // 3 for bit in (channel, channel + 3, channel + 6)]
        for label in range(256)
        for channel in range(3)
    ]
).sum(axis=1)
"""The colours of PASCAL VOC: bits of the label, spread over red, green and blue."""


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


def _point(text: str) -> tuple[str, int, int, bool]:
    match = re.fullmatch(r"(?:(.+):)?(\d+),(\d+)([+-])", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} must look like 120,80+ or cat:120,80-")
    cls, y, x, sign = match.groups()
    return cls or DEFAULT_CLASS, int(y), int(x), sign == "+"


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Adds the subcommand and its flags."""
    parser = add_command(subparsers, "predict", "segment image files by annotated ones", __doc__, _EXAMPLES)
    parser.add_argument("images", nargs="*", type=Path, metavar="IMAGE", help="to segment")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIRECTORY", help="where masks go")
    parser.add_argument(
        "--support", action=_Support, type=Path, default=[], metavar="IMAGE", help="annotated; again for more"
    )
    parser.add_argument("--mask", action=_ForSupport, type=Path, metavar="FILE", help="dense annotation of the support")
    parser.add_argument("--point", action=_ForSupport, type=_point, metavar="Y,X±", help="one pixel of the support")
    parser.add_argument("--classes", type=_names, default=[], metavar="A,B", help="names of the indices 1, 2 in masks")
    parser.add_argument(
        "--guidance", action="append", type=Path, default=[], metavar="NPZ", help="saved; again for more"
    )
    parser.add_argument("--save-guidance", type=Path, metavar="NPZ", help="write all guidance, without images, here")
    add_model_flags(parser)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Segments the images and returns the exit code, see `guidenet.cli.main`."""
    outputs = _outputs(arguments.images, arguments.output)
    if not arguments.support and not arguments.guidance:
        raise ValueError("--support or --guidance must say what to look for, got neither")
    segmenter = Segmenter(*load_network(arguments), max_side=arguments.max_side)
    for path in arguments.guidance:
        segmenter.add_guidance(Guidance.load(path))
    for path, annotations in arguments.support:
        _annotate(segmenter, path, annotations, arguments.classes)
    if not segmenter.classes:
        raise ValueError("--support must have a --mask with something in it or a --point, got no annotation")
    if arguments.save_guidance is not None:
        segmenter.guidance.save(arguments.save_guidance)
    if not outputs:
        return 0
    arguments.output.mkdir(parents=True, exist_ok=True)
    if len(segmenter.classes) > 1:
        (arguments.output / "classes.txt").write_text("".join(f"{name}\n" for name in segmenter.classes))
    broken: list[str] = []
    for path, output in track(list(outputs.items()), sys.stderr):
        try:
            _write(segmenter.predict(read_image(path)), output)
        except (ValueError, OSError) as error:
            broken.append(str(path))
            report([f"guidenet: skipped: {error}"], sys.stderr)
    if broken:
        report(
            [f"guidenet: {len(broken)} of {len(outputs)} images could not be segmented: {', '.join(broken)}"],
            sys.stderr,
        )
    return 1 if broken else 0


def _outputs(images: Sequence[Path], directory: Path) -> dict[Path, Path]:
    """Where the mask of each image goes.

    Raises:
      ValueError: two would go to the same place, or one onto an image.
    """
    outputs: dict[Path, Path] = {}
    taken: dict[Path, Path] = {}
    for path in dict.fromkeys(images):
        output = directory / f"{path.stem}.png"
        if output in taken:
            raise ValueError(f"images must have different names, as masks do, got {taken[output]} and {path}")
        if output.exists() and any(output.samefile(image) for image in images if image.exists()):
            raise ValueError(f"--output must not be the folder of an image: the mask would replace {output}")
        outputs[path] = taken[output] = output
    return outputs


def _annotate(segmenter: Segmenter, path: Path, annotations: Sequence[Any], classes: Sequence[str]) -> None:
    """Adds a support image with its masks and points."""
    name = segmenter.add_image(read_image(path), str(path))
    for annotation in annotations:
        if not isinstance(annotation, Path):
            cls, y, x, label = annotation
            segmenter.click(name, y, x, label, cls)
            continue
        labels = read_labels(annotation)
        for index in range(1, int(labels.max(initial=0)) + 1):
            if not (labels == index).any():
                continue
            cls = classes[index - 1] if index <= len(classes) else DEFAULT_CLASS if index == 1 else f"class-{index}"
            segmenter.paint(name, labels == index, cls=cls)
            segmenter.paint(name, labels == 0, label=False, cls=cls)


def _write(prediction: Prediction, output: Path) -> None:
    """Writes the mask, whole or not at all."""
    if len(prediction.classes) == 1:
        image = Image.fromarray(prediction.labels * np.uint8(255))
    else:
        image = Image.fromarray(prediction.labels)
        image.putpalette(_PALETTE.astype(np.uint8).tobytes())
    unfinished = output.with_name(f".{output.name}.part")
    image.save(unfinished, format="PNG")
    unfinished.replace(output)
