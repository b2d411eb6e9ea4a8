"""The command `guidenet`. Each subcommand is a module with `add_parser` and `run`."""

import argparse
import sys
from collections.abc import Sequence

from guidenet.cli import evaluate, predict, serve, train

_COMMANDS = (predict, serve, train, evaluate)


def make_parser() -> argparse.ArgumentParser:
    """The parser of all subcommands; what it reads has `run`, the function to call with it."""
    parser = argparse.ArgumentParser(prog="guidenet", description="Segment images from a few annotations.")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add_parser(subparsers).set_defaults(run=command.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a subcommand and returns the exit code.

    0: all done. 1: some inputs could not be used, the rest is done. 2: the command could not be carried out.
    """
    arguments = make_parser().parse_args(argv)
    try:
        return arguments.run(arguments)
    except (ValueError, OSError, ModuleNotFoundError) as error:
        print(f"guidenet: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("guidenet: stopped", file=sys.stderr)
        return 130
