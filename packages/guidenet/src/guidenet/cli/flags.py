"""What subcommands have in common: how their parsers look, and flags for networks and data."""

import argparse
import contextlib
from collections.abc import Generator
from pathlib import Path
from typing import Any

from guidenet.errors import UserError
from guidenet.network.guided_network import GuidedNetwork, Params
from guidenet.network.models import load_model, pretrained, pretrained_with_ridge, with_ridge
from guidenet.segmenter.pieces import MIN_AREA, PIECES
from guidenet.segmenter.segmenter import Segmenter

Subparsers = Any
"""Of argparse, which does not export the class."""


def add_command(
    subparsers: Subparsers, name: str, summary: str, description: str | None, more: str
) -> argparse.ArgumentParser:
    """A parser for a subcommand.

    Args:
      subparsers: of the command.
      name: of the subcommand.
      summary: for the list of all of them.
      description: what it does.
      more: examples and further text, printed as it is.
    """
    formatter = argparse.RawDescriptionHelpFormatter
    return subparsers.add_parser(name, help=summary, description=description, epilog=more, formatter_class=formatter)


def add_model_flags(parser: argparse.ArgumentParser) -> None:
    """Which network segments."""
    parser.add_argument(
        "--model",
        metavar="NAME",
        help="a network that was trained, a file or cut-outs; by default the nearest prototype",
    )
    add_weights_flag(parser)
    add_ridge_flag(parser)
    parser.add_argument(
        "--max-side", type=int, default=512, metavar="PX", help="images are shrunk to this (default: 512)"
    )
    parser.add_argument(
        "--edges",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="masks end at the edges of the image (default: yes)",
    )
    parser.add_argument(
        "--min-area",
        type=int,
        default=MIN_AREA,
        metavar="PX",
        help=f"smaller pieces of a mask are dropped and smaller holes filled (default: {MIN_AREA}; 0 keeps all)",
    )
    parser.add_argument(
        "--pieces",
        default="all",
        choices=PIECES,
        help="of masks: all (default), or annotated, of images with positive annotations those pieces that have one; "
        "saved work has its own choice",
    )


def add_weights_flag(parser: argparse.ArgumentParser) -> None:
    """Where the weights of the backbone are."""
    parser.add_argument("--weights", type=Path, metavar="FILE", help="of the backbone, where no package has them")


def add_ridge_flag(parser: argparse.ArgumentParser) -> None:
    """What many annotated images say."""
    parser.add_argument(
        "--ridge",
        action="store_true",
        help="fit a ridge regression to the annotations too, which keeps improving with tens and hundreds of images",
    )


def make_segmenter(arguments: argparse.Namespace, network: GuidedNetwork, params: Params) -> Segmenter:
    """A segmenter with a network, as `load_network` has it, and the other flags of `add_model_flags`."""
    options = {name: getattr(arguments, name) for name in ("max_side", "edges", "min_area", "pieces")}
    return Segmenter(network, params, **options)


def load_network(arguments: argparse.Namespace) -> tuple[GuidedNetwork, Params]:
    """The network that the flags name."""
    if arguments.model is None:
        return (pretrained_with_ridge if arguments.ridge else pretrained)(weights=arguments.weights)
    network, params = load_model(arguments.model, arguments.weights)
    if not arguments.ridge:
        return network, params
    try:
        return with_ridge(network), params
    except ValueError as error:
        raise ValueError(f"--ridge cannot be with {arguments.model}: {error}") from None


def add_data_flags(parser: argparse.ArgumentParser) -> None:
    """Which images a network is trained on, or scored on."""
    parser.add_argument(
        "--data",
        default="cut-outs",
        metavar="NAME",
        help="cut-outs (default), cut-outs:FOLDER; folder:FOLDER, with images/ and masks/ of your own, of the same "
        "names, and perhaps classes.txt; coco:FOLDER, voc:FOLDER, fss:FOLDER or davis:FOLDER, in their layouts; real, "
        "photos with masks, for tests only, or one of them, real:coins",
    )
    parser.add_argument(
        "--fold", type=int, default=0, help="classes that are held out, 0 to 3, where some are (default: 0)"
    )
    parser.add_argument(
        "--cache", type=Path, default=Path("cache"), metavar="DIRECTORY", help="of cut-outs (default: cache)"
    )


@contextlib.contextmanager
def need_extras() -> Generator[None]:
    """A module that is missing inside is one of the extras that training and scoring need."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "guidenet":  # a mistake of ours
            raise
        raise UserError(f"{error.name} is missing: pip install 'guidenet[train,data]'") from None
