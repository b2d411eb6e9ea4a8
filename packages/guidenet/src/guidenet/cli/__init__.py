"""The command `guidenet`. Each subcommand is a module with `add_parser` and `run`."""

import argparse
import os
import sys
from collections.abc import Sequence

from guidenet.cli import evaluate, predict, serve, train
from guidenet.errors import UserError

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

    0: all done. 1: some inputs could not be used, the rest is done. 2: the command could not be carried out as asked,
    and one line says why, which a subcommand raises as `UserError`. Any other error is a mistake in guidenet and keeps
    its traceback.
    """
    arguments = make_parser().parse_args(argv)
    try:
        return arguments.run(arguments)
    except UserError as error:
        print(f"guidenet: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # who reads the output has gone, as with `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("guidenet: stopped", file=sys.stderr)
        return 130
