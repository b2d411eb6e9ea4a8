"""`guidenet train`: trains a network on a collection of images, in a directory that can be gone on with."""

import argparse
import sys
from pathlib import Path

from guidenet.cli.flags import Subparsers, add_command, add_data_flags, add_weights_flag
from guidenet.cli.progress import report
from guidenet.data.sources import KINDS
from guidenet.network.presets import PRESETS

_MORE = """examples:
  guidenet train
  guidenet train --kind semantic --override optimiser.learning_rate=3e-4 --run-dir runs/mine
  guidenet train --data cut-outs:cut-outs/drawings
  guidenet train --data voc:VOCdevkit/VOC2012 --fold 1 --kind semantic
  guidenet train --override network.fusion=none --override network.head.kind=concat \\
      --override network.head.products=false

The same command again goes on where it stopped. In the run directory are config.json, metrics.jsonl, checkpoints, and
at the end model.npz, for `guidenet predict --model`, `guidenet serve --model` and `guidenet.load_model`."""


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Adds the subcommand and its flags."""
    parser = add_command(subparsers, "train", "train a network", __doc__, _MORE)
    add_data_flags(parser)
    add_weights_flag(parser)
    parser.add_argument(
        "--kind",
        action="append",
        default=[],
        choices=KINDS,
        help="tasks to train on, again for more; by default those of the preset that the data have",
    )
    purposes = "; ".join(f"{name}, {preset.purpose}" for name, preset in PRESETS.items())
    parser.add_argument("--preset", default="cpu", choices=list(PRESETS), help=f"{purposes} (default: cpu)")
    parser.add_argument("--seed", type=int, default=0, help="of all randomness (default: 0)")
    parser.add_argument("--run-dir", type=Path, metavar="DIRECTORY", help="by default runs/guidenet-<preset>-<seed>")
    parser.add_argument(
        "--override", action="append", default=[], metavar="NAME=VALUE", help="an option of the preset; again for more"
    )
    parser.add_argument(
        "--checkpoint-every", type=int, default=0, metavar="N", help="iterations; 0: a twentieth of the time (default)"
    )
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Trains and returns the exit code, see `guidenet.cli.main`."""
    try:
        from rlcore.experiment import NonFiniteError, RunError, enable_compilation_cache

        from guidenet.training import set_up
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"{error.name} is missing: pip install 'guidenet[train,data]'") from None
    enable_compilation_cache()
    try:
        training = set_up(
            arguments.preset,
            arguments.override,
            kinds=arguments.kind,
            data=arguments.data,
            fold=arguments.fold,
            seed=arguments.seed,
            directory=arguments.run_dir or Path("runs") / f"guidenet-{arguments.preset}-{arguments.seed}",
            checkpoint_every=arguments.checkpoint_every,
            cache=arguments.cache,
            weights=arguments.weights,
        )
        try:
            path = training.run()
        except RunError:
            raise
        except ValueError as error:  # what the user asked for has been checked: keep the traceback
            raise RuntimeError("training failed, which is a mistake in guidenet") from error
    except RunError as error:
        raise ValueError(str(error)) from None
    except NonFiniteError as error:
        report([f"guidenet: {error}"], sys.stderr)
        return 3
    report([f"guidenet: wrote {path}"], sys.stderr)
    return 0
