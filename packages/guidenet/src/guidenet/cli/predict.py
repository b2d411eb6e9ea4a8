"""`guidenet predict`: segments image files by annotated images, or by guidance that was saved."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from guidenet.cli.flags import Subparsers, add_command, add_model_flags, load_network, make_segmenter
from guidenet.cli.outputs import Job, find_jobs, write_classes, write_mask
from guidenet.cli.progress import report, track
from guidenet.cli.supports import (
    Reader,
    add_reading_flags,
    add_size_flag,
    add_support_flags,
    annotate,
    check_classes,
    check_mask_flags,
    make_reader,
    read_supports,
)
from guidenet.errors import FILES, UserError, user_errors
from guidenet.reading import Pixels
from guidenet.segmenter.guidance import Guidance
from guidenet.segmenter.segmenter import Segmenter

_EXAMPLES = """examples:
  guidenet predict --support a.png --mask a_mask.png images/*.png -o out/
  guidenet predict --support a.png --point 120,80+ --point 10,10- images/ -o out/
  guidenet predict --support cells.tif --mask ids.tif --mask-labels instances plates/ -o out/
  guidenet predict --guidance cat.npz images/*.png -o out/

A mask is black and white, has 0 and 1, or is a palette image whose index is the class and 255 unknown; where its values
may mean several things it is refused, and --mask-labels says what they mean. A point is row,column in px and + or -,
with a class if there are several: cat:120,80+. Points and a mask belong to the support before them. An IMAGE that is a
folder stands for all images in it and in its subfolders, which the masks keep. What is written for each image is a PNG
of its name: 0 and 255 for one class, for several a palette image, with classes.txt beside it."""


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Adds the subcommand and its flags."""
    parser = add_command(subparsers, "predict", "segment image files by annotated ones", __doc__, _EXAMPLES)
    parser.add_argument("images", nargs="*", type=Path, metavar="IMAGE", help="to segment; a folder is all in it")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIRECTORY", help="where masks go")
    parser.add_argument(
        "--keep-folders", action="store_true", help="put masks in folders as their images are, for images of one name"
    )
    add_support_flags(parser)
    parser.add_argument(
        "--guidance", action="append", type=Path, default=[], metavar="NPZ", help="saved; again for more"
    )
    parser.add_argument("--save-guidance", type=Path, metavar="NPZ", help="write all guidance, without images, here")
    add_reading_flags(parser)
    add_size_flag(parser)
    add_model_flags(parser)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Segments the images and returns the exit code, see `guidenet.cli.main`."""
    with user_errors():
        reader = make_reader(arguments)
        masks = [found for _, annotations in arguments.support for found in annotations if isinstance(found, Path)]
        check_mask_flags(arguments, masks)
        jobs = find_jobs(arguments.images, arguments.output, arguments.keep_folders, masks)
        if not arguments.support and not arguments.guidance:
            raise ValueError("--support or --guidance must say what to look for, got neither")
        saved: Path | None = arguments.save_guidance
        if not jobs and saved is None:
            raise ValueError("IMAGE or --save-guidance must be given, got neither")
        if saved is not None and (saved.is_dir() or not saved.absolute().parent.is_dir()):
            raise ValueError(f"--save-guidance must be a file in a folder that is there, got {saved}")
        supports = read_supports(reader, arguments.support)
        network, params = load_network(arguments)
        segmenter = make_segmenter(arguments, network, params)
        for path in arguments.guidance:
            segmenter.add_guidance(Guidance.load(path))
        check_classes(supports, reader, segmenter.classes)
    # What was given has been checked: an error of the segmenter is a mistake of ours from here on.
    annotate(segmenter, supports, reader)
    if not segmenter.classes:
        raise UserError("--guidance must have a class, got none")
    with user_errors(FILES):
        if saved is not None:
            segmenter.guidance.save(saved)
        if not jobs:
            return 0
        arguments.output.mkdir(parents=True, exist_ok=True)
        if len(segmenter.classes) > 1:
            write_classes(arguments.output, segmenter.classes)
    known = [support.pixels for support in supports] if network.config.pooling == "local" else None
    return _segment(segmenter, reader, jobs, known)


def _segment(segmenter: Segmenter, reader: Reader, jobs: Sequence[Job], known: Sequence[Pixels] | None) -> int:
    """Segments the images and returns the exit code; `known` are the only ones that the network can segment, if any."""
    broken: list[str] = []
    for image, output in track(jobs, sys.stderr):
        try:
            with user_errors():
                pixels = reader.image(image)
                if known is not None and not any(np.array_equal(pixels, other) for other in known):
                    raise ValueError(f"{image} must be a --support too, as the --model has local pooling")
        except UserError as error:
            broken.append(str(image))
            report([f"guidenet: skipped: {error}"], sys.stderr)
            continue
        prediction = segmenter.predict(pixels)
        try:
            with user_errors(FILES):
                write_mask(prediction, output)
        except UserError as error:
            broken.append(str(image))
            report([f"guidenet: {output} could not be written: {error}"], sys.stderr)
    if broken:
        report(
            [f"guidenet: {len(broken)} of {len(jobs)} images could not be segmented: {', '.join(broken)}"],
            sys.stderr,
        )
    return 1 if broken else 0
