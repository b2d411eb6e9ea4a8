"""`guidenet train`: trains a network on labelled images and tests it; a stopped training can be continued."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guidenet.checks import check_at_least
from guidenet.cli.flags import Subparsers, add_command, add_data_flags, add_weights_flag, need_extras
from guidenet.cli.progress import report
from guidenet.data.sources import KINDS
from guidenet.errors import FILES, UserError, user_errors
from guidenet.network.presets import PRESETS

if TYPE_CHECKING:
    from guidenet.training import Options, Training

_MORE = """examples:
  guidenet train
  guidenet train --kind semantic --override optimiser.learning_rate=3e-4 --run-dir runs/mine
  guidenet train --data cut-outs:cut-outs/drawings
  guidenet train --data voc:VOCdevkit/VOC2012 --fold 1 --kind semantic
  guidenet train --kind semantic --oracle
  guidenet train --preset late --override network.fusion=none --override network.head.kind=concat \\
      --override network.head.products=false

The same command again continues where it stopped. In the run directory are config.json, metrics.jsonl, checkpoints, and
at the end model.npz, for `guidenet predict --model`, `guidenet serve --model` and `guidenet.load_model`, and test.json,
positive IU on held-out classes against the number of annotated pixels."""

PURPOSES = "; ".join(f"{name}, {preset.purpose}" for name, preset in PRESETS.items())
"""Of the presets, for help."""

_TEST_POINTS = (1, 5, 25, None)


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
    parser.add_argument("--preset", default="cpu", choices=list(PRESETS), help=f"{PURPOSES} (default: cpu)")
    parser.add_argument(
        "--oracle", action="store_true", help="hold nothing out: train on the test classes too, in other images"
    )
    parser.add_argument("--seed", type=int, default=0, help="of all randomness (default: 0)")
    parser.add_argument("--run-dir", type=Path, metavar="DIRECTORY", help="by default runs/guidenet-<preset>-<seed>")
    parser.add_argument(
        "--override", action="append", default=[], metavar="NAME=VALUE", help="an option of the preset; again for more"
    )
    parser.add_argument(
        "--checkpoint-every", type=int, default=0, metavar="N", help="iterations; 0: a twentieth of the time (default)"
    )
    parser.add_argument(
        "--num-test-tasks",
        type=int,
        default=200,
        metavar="N",
        help="held-out tasks of each kind that are scored at the end; 0: none (default: 200)",
    )
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Trains and returns the exit code, see `guidenet.cli.main`; 3 is a loss that is not finite."""
    with need_extras():
        from rlcore.experiment import NonFiniteError, enable_compilation_cache

        from guidenet.training import Options
    enable_compilation_cache()
    options = Options(
        preset=arguments.preset,
        overrides=arguments.override,
        kinds=arguments.kind,
        data=arguments.data,
        fold=arguments.fold,
        hold_out=not arguments.oracle,
        seed=arguments.seed,
        directory=arguments.run_dir,
        checkpoint_every=arguments.checkpoint_every,
        cache=arguments.cache,
        weights=arguments.weights,
    )
    try:
        train_and_test(options, arguments.num_test_tasks)
    except NonFiniteError as error:
        report([f"guidenet: {error}"], sys.stderr)
        return 3
    return 0


def train_and_test(options: "Options", num_test_tasks: int) -> Path:
    """Trains from the newest checkpoint on, tests, and returns where the network was written; test.json is beside it.

    Args:
      options: what is trained.
      num_test_tasks: held-out tasks of each kind that are scored at the end; 0 is none.

    Raises:
      UserError: an option, the data, the weights or the directory are not as they must be.
      NonFiniteError: a loss is not finite; the last checkpoint is intact.
    """
    with need_extras():
        from rlcore.experiment import RunError

        from guidenet.training import set_up
    with user_errors():
        check_at_least("num_test_tasks", num_test_tasks, 0)
        training = set_up(options)
    try:
        path = training.run()
    except RunError as error:
        raise UserError(str(error)) from error
    report([f"guidenet: wrote {path}"], sys.stderr)
    if num_test_tasks:
        scores = _test(training, path, num_test_tasks)
        output = path.with_name("test.json")
        with user_errors(FILES):
            output.write_text(json.dumps(scores, indent=1) + "\n")
        report([f"guidenet: wrote {output}"], sys.stderr)
    return path


def _test(training: "Training", path: Path, num_tasks: int) -> dict[str, list[dict[str, Any]]]:
    """Scores of the network on held-out tasks of each kind, at several numbers of points; None is dense."""
    from guidenet.evaluation import Evaluation, Guided
    from guidenet.network.models import load_model

    network, params = load_model(path, training.experiment.weights)
    method, config = Guided(network, params), training.experiment.config
    scores: dict[str, list[dict[str, Any]]] = {}
    for kind in config.kinds:
        evaluation = Evaluation.of(
            network,
            params,
            training.data,
            kind,
            num_tasks=num_tasks,
            max_side=config.max_side,
            with_images=method.needs_images,
        )
        scores[kind] = []
        for points in _TEST_POINTS:
            row = {name: value for name, value in evaluation.score(method, points).items() if name != "counts"}
            scores[kind].append(row)
            print(f"{kind}, P {points or 'dense'}: positive IU {row['positive_iu']:.3f}", flush=True)
    return scores
