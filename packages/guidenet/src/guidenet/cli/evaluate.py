"""`guidenet evaluate`: scores networks on classes that were held out, against how much is annotated."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from guidenet.checks import check_at_least
from guidenet.cli.flags import (
    Subparsers,
    add_command,
    add_data_flags,
    add_ridge_flag,
    add_weights_flag,
    load_network,
    need_extras,
)
from guidenet.cli.progress import report
from guidenet.data.sources import KINDS
from guidenet.errors import FILES, user_errors

_MORE = """examples:
  guidenet evaluate runs/guidenet-cpu-0/model.npz
  guidenet evaluate runs/guidenet-cpu-0/model.npz --kind video --points 5,dense --output video.json
  guidenet evaluate runs/guidenet-cpu-0/model.npz --kind video --frames 1,2,4 --points 1,5
  guidenet evaluate runs/guidenet-cpu-0/model.npz --data cut-outs:cut-outs/photos
  guidenet evaluate runs/unguided/model.npz --fine-tune 100
  guidenet evaluate runs/unguided/model.npz --fine-tune 100 --part network --learning-rate 1e-4 --kind video
  guidenet evaluate --prototype --kind interactive --clicks
  guidenet evaluate --prototype --ridge --points 5,dense
  guidenet evaluate --prototype --kind interactive --data real:coins --tasks 20

Scores are positive IU over all tasks, with the interval that 95% of bootstrap samples of tasks lie in, and F of the
edges within 2 px. Each P has annotations of its own, the same for every network. The update time is from annotations
to the mask of an image that was seen before, the median over tasks. --data real are three photos with masks, one after
the other (coins, nuclei, quokka): points on any of the objects are to find all of them. Fine-tuning of the whole
network on the first frame of a clip is what OSVOS does."""


def points(text: str) -> tuple[int | None, ...]:
    """Numbers of annotated pixels of `1,5,dense`; None for dense."""
    return tuple(None if part.strip() == "dense" else _number(part, text, "1,5,dense") for part in text.split(","))


def frames(text: str) -> tuple[int, ...]:
    """Numbers of annotated frames of `1,2,4`."""
    return tuple(_number(part, text, "1,2,4") for part in text.split(","))


def _number(part: str, text: str, example: str) -> int:
    try:
        found = int(part)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} must look like {example}") from None
    if found < 1:
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
    parser.add_argument("--learning-rate", type=float, help="of fine-tuning (default: 0.001)")
    parser.add_argument(
        "--part",
        default="head",
        choices=["head", "network"],
        help="that is fine-tuned: what comes after the backbone (default), or all",
    )
    add_ridge_flag(parser)
    add_data_flags(parser)
    add_weights_flag(parser)
    parser.add_argument("--kind", default="semantic", choices=KINDS, help="of tasks (default: semantic)")
    parser.add_argument("--role", default="test", choices=["validation", "test"], help="of classes (default: test)")
    parser.add_argument("--points", type=points, default=(1, 2, 5, 10, 25, None), help="P (default: 1,2,5,10,25,dense)")
    parser.add_argument("--frames", type=frames, default=(1,), help="video: S, annotated frames of a clip (default: 1)")
    parser.add_argument("--tasks", type=int, default=1000, metavar="N", help="how many; not for video (default: 1000)")
    parser.add_argument("--seed", type=int, default=0, help="of tasks and annotations (default: 0)")
    parser.add_argument("--clicks", action="store_true", help="interactive: clicks to 85%% and 90%% IU too")
    parser.add_argument(
        "--edges",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="masks end at the edges of the image, without specks and holes, as in predict and serve (default: yes)",
    )
    parser.add_argument("--max-side", type=int, default=384, metavar="PX", help="images are shrunk to this")
    parser.add_argument("--output", type=Path, metavar="JSON", help="write all scores here, those of each task too")
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Evaluates and returns the exit code, see `guidenet.cli.main`."""
    with need_extras():
        from rlcore.experiment import enable_compilation_cache

        from guidenet.data.guarded import open_guarded
        from guidenet.evaluation import Evaluation, FineTuned, Guided, Sharpened
    enable_compilation_cache()
    with user_errors():
        _check(arguments)
        network, params = load_network(arguments)
        method = Guided(network, params)
        if arguments.fine_tune:
            rate = 1e-3 if arguments.learning_rate is None else arguments.learning_rate
            method = FineTuned(network, params, arguments.fine_tune, rate, arguments.part)
        if arguments.edges:
            method = Sharpened(method, network.config.backbone.strides[0])
        data = open_guarded(arguments.data, arguments.fold, arguments.cache)
        _check_data(arguments, data)
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
    result: dict[str, Any] = {"data": data.name, "kind": arguments.kind, "role": arguments.role}
    result |= _score(evaluation, method, arguments)
    if arguments.output is not None:
        with user_errors(FILES):
            arguments.output.write_text(json.dumps(result) + "\n")
        report([f"guidenet: wrote {arguments.output}"], sys.stderr)
    return 0


def _score(evaluation: Any, method: Any, arguments: argparse.Namespace) -> dict[str, Any]:
    """Prints the scores, and returns them with the names of the images, or clips, that they are of."""
    rows: list[dict[str, Any]] = []
    for num_frames in arguments.frames:
        for number in arguments.points:
            rows.append(evaluation.score(method, number, num_frames))
            print(format_row(rows[-1]), flush=True)
    images = [task.query.id for task in evaluation.tasks] or [clip.name for clip in evaluation.clips]
    result: dict[str, Any] = {"points": rows, "images": images}
    if arguments.clicks:
        counted = evaluation.count_clicks(method)
        result["clicks"] = {name: sum(found) / len(found) for name, found in counted.items()}
        result["clicks_of_each"] = counted
        print(", ".join(f"{name} {value:.2f}" for name, value in result["clicks"].items()))
    return result


def _check_data(arguments: argparse.Namespace, data: Any) -> None:
    """Raises `ValueError` unless the data have what is to be scored."""
    for option, value, choices in (("kind", arguments.kind, data.kinds), ("role", arguments.role, data.roles)):
        if value not in choices:
            raise ValueError(f"--{option} must be among {', '.join(choices)} with --data {arguments.data}, got {value}")
    if arguments.frames == (1,):
        return
    shortest, most = min(len(clip) for clip in data.clips(arguments.role)), max(arguments.frames)
    if most >= shortest:
        raise ValueError(f"--frames must be below {shortest}, the length of the shortest clip, got {most}")


def _check(arguments: argparse.Namespace) -> None:
    """Raises `ValueError` for what can be said before anything is read."""
    if (arguments.model is None) != arguments.prototype:
        raise ValueError("a MODEL or --prototype must be given, and only one of them")
    if arguments.clicks and arguments.kind != "interactive":
        raise ValueError(f"--clicks must be with --kind interactive, got {arguments.kind}")
    if arguments.frames != (1,) and arguments.kind != "video":
        raise ValueError(f"--frames must be with --kind video, got {arguments.kind}")
    if arguments.ridge and arguments.fine_tune:
        raise ValueError(f"--ridge must be without --fine-tune, got {arguments.fine_tune} steps")
    if arguments.part == "network" and not arguments.fine_tune:
        raise ValueError("--part must be with --fine-tune, got network without")
    if arguments.learning_rate is not None and not arguments.fine_tune:
        raise ValueError(f"--learning-rate must be with --fine-tune, got {arguments.learning_rate:g} without")
    check_at_least("--fine-tune", arguments.fine_tune, 0)
    for name in ("tasks", "max_side"):
        check_at_least(f"--{name.replace('_', '-')}", getattr(arguments, name), 1)
    check_at_least("--seed", arguments.seed, 0)
    output = arguments.output
    if output is not None and (output.is_dir() or not output.absolute().parent.is_dir()):
        raise ValueError(f"--output must be a file in a folder that there is, got {output}")


def format_row(row: dict[str, Any]) -> str:
    """A line for one P, and S where there are several frames."""
    name = row["points"] if row["points"] is not None else "dense"
    text = f"S {row['frames']}, " if row.get("frames", 1) > 1 else ""
    text += "P {:>5}: positive IU {:.3f} ({:.3f} to {:.3f})".format(name, row["positive_iu"], *row["interval"])
    labels = {"mean_iu": "mean IU", "fb_iu": "FB-IU", "boundary_f": "edges", "j": "J", "f": "F"}
    for key, label in labels.items():
        if key in row:
            text += f", {label} {row[key]:.3f}"
    return f"{text}, update {1e3 * row['update_seconds']:.2f} ms"
