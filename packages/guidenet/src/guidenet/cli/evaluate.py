"""`guidenet evaluate`: scores networks on classes that were held out, against how much is annotated."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from guidenet.cli.flags import Subparsers, add_command, add_data_flags, add_weights_flag
from guidenet.cli.progress import report
from guidenet.data.sources import KINDS

_MORE = """examples:
  guidenet evaluate runs/guidenet-cpu-0/model.npz
  guidenet evaluate runs/guidenet-cpu-0/model.npz --kind video --points 5,dense --output video.json
  guidenet evaluate runs/guidenet-cpu-0/model.npz --data cut-outs:cut-outs/photos
  guidenet evaluate runs/unguided/model.npz --fine-tune 100
  guidenet evaluate --prototype --kind interactive --clicks

Scores are positive IU over all tasks, with the interval that 95% of bootstrap samples of tasks lie in. Each P has
annotations of its own, the same for every network. The update time is from annotations to the mask of an image that
was seen before, the median over tasks."""


def points(text: str) -> tuple[int | None, ...]:
    """Numbers of annotated pixels of `1,5,dense`; None for dense."""
    try:
        found = tuple(None if part.strip() == "dense" else int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} must look like 1,5,dense") from None
    if any(number is not None and number < 1 for number in found):
        raise argparse.ArgumentTypeError(f"{text!r} must have numbers of at least 1")
    return found


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Adds the subcommand and its flags."""
    parser = add_command(subparsers, "evaluate", "score a network on held-out classes", __doc__, _MORE)
    parser.add_argument("model", nargs="?", metavar="MODEL", help="model.npz of a training, or cut-outs")
    parser.add_argument("--prototype", action="store_true", help="instead of a model: the nearest prototype, untrained")
    parser.add_argument(
        "--fine-tune", type=int, default=0, metavar="N", help="optimise an unguided model for N steps on each support"
    )
    parser.add_argument("--learning-rate", type=float, default=1e-3, help="of fine-tuning (default: 0.001)")
    add_data_flags(parser)
    add_weights_flag(parser)
    parser.add_argument("--kind", default="semantic", choices=KINDS, help="of tasks")
    parser.add_argument("--role", default="test", choices=["validation", "test"], help="of classes (default: test)")
    parser.add_argument("--points", type=points, default=(1, 2, 5, 10, 25, None), help="P (default: 1,2,5,10,25,dense)")
    parser.add_argument("--tasks", type=int, default=1000, metavar="N", help="how many, video aside (default: 1000)")
    parser.add_argument("--seed", type=int, default=0, help="of tasks and annotations (default: 0)")
    parser.add_argument("--clicks", action="store_true", help="interactive: clicks to 85%% and 90%% IU too")
    parser.add_argument("--max-side", type=int, default=384, metavar="PX", help="images are shrunk to this")
    parser.add_argument("--output", type=Path, metavar="JSON", help="write all scores here")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Evaluates and returns the exit code, see `guidenet.cli.main`."""
    if (arguments.model is None) != arguments.prototype:
        raise ValueError("a MODEL or --prototype must be given, and only one of them")
    if arguments.clicks and arguments.kind != "interactive":
        raise ValueError(f"--clicks must be with --kind interactive, got {arguments.kind}")
    try:
        from rlcore.experiment import enable_compilation_cache

        from guidenet.data.catalogue import open_data
        from guidenet.evaluation import Evaluation, FineTuned, Guided
        from guidenet.network.models import load_model, pretrained
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"{error.name} is missing: pip install 'guidenet[train,data]'") from None
    enable_compilation_cache()
    if arguments.prototype:
        network, params = pretrained(weights=arguments.weights)
    else:
        network, params = load_model(arguments.model, arguments.weights)
    method = Guided(network, params)
    if arguments.fine_tune:
        method = FineTuned(network, params, arguments.fine_tune, arguments.learning_rate)
    data = open_data(arguments.data, arguments.fold, arguments.cache)
    evaluation = Evaluation.of(
        network,
        params,
        data,
        arguments.kind,
        role=arguments.role,
        num_tasks=arguments.tasks,
        max_side=arguments.max_side,
        seed=arguments.seed,
        with_images=method.needs_images,
    )
    rows = []
    for number in arguments.points:
        row = evaluation.score(method, number)
        rows.append(row)
        print(format_row(row), flush=True)
    result: dict[str, Any] = {"data": data.name, "kind": arguments.kind, "role": arguments.role, "points": rows}
    if arguments.clicks:
        result["clicks"] = evaluation.clicks(method)
        print(", ".join(f"{name} {value:.2f}" for name, value in result["clicks"].items()))
    if arguments.output is not None:
        arguments.output.write_text(json.dumps(result, indent=1) + "\n")
        report([f"guidenet: wrote {arguments.output}"], sys.stderr)
    return 0


def format_row(row: dict[str, Any]) -> str:
    """A line for one P."""
    name = row["points"] if row["points"] is not None else "dense"
    text = "P {:>5}: positive IU {:.3f} ({:.3f} to {:.3f})".format(name, row["positive_iu"], *row["interval"])
    for key, label in (("mean_iu", "mean IU"), ("fb_iu", "FB-IU"), ("j", "J"), ("f", "F")):
        if key in row:
            text += f", {label} {row[key]:.3f}"
    return f"{text}, update {1e3 * row['update_seconds']:.2f} ms"
