"""Scores trained networks on held-out classes, against annotation, shots and time, and draws the curves.

    uv run examples/train_guidenet.py --run_dir=runs/guidenet/late-seed0
    uv run examples/train_guidenet.py --run_dir=runs/guidenet/none-seed0 --override=network.fusion=none \
        --override=network.head.kind=concat --override=network.head.products=false --override=num_iterations=10
    uv run examples/guidenet_results.py

Networks are in --runs, one in each folder <method>-seed<number>, see METHODS in guidenet_scores.py. Scores go to
--output, a file for each part, network and kind of tasks; what is there already is not computed again, and pictures are
drawn of all of it:

- points: positive IU against P for semantic, interactive and video tasks, and update times (thesis figures 10, 11);
  look-alikes.json has objects with another object of their class in the image apart from those without;
- clicks: how many clicks objects take, each set where the mask found so far is most wrong;
- pictures: what late-seed0 finds in the first tasks;
- shots: one to hundreds of annotated images of subcategories, by networks that were trained on concepts or on single
  objects only (thesis 4.4.2, 4.4.3). For each number of images and points every method has the threshold that is best
  for it on the subcategories of validation.
"""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends what follows at once

import dataclasses
import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags
from guidenet import fingerprint, load_model, preset, pretrained
from guidenet.data import metrics
from guidenet.data.benchmark import MIN_AREA, load_benchmark
from guidenet.data.catalogue import Data, open_data
from guidenet.data.dataset import class_masks, in_memory
from guidenet.data.scenes import SceneConfig
from guidenet.data.sources import Source
from guidenet.evaluation import (
    Evaluation,
    FineTuned,
    Guided,
    Halves,
    Viewer,
    choose_threshold,
    evaluate_shots,
    split_classes,
)
from guidenet.training import Material, load_material
from rlcore.experiment import check_choice, enable_compilation_cache, main, tell, user_errors
from support.guidenet_pictures import draw_points, draw_shots, draw_tasks, draw_times
from support.guidenet_scores import (
    METHODS,
    POINTS,
    SHOTS,
    get_kinds,
    read_scores,
    summarise,
    summarise_look_alikes,
)

PARTS = ("points", "clicks", "shots", "pictures")

_RUNS = flags.DEFINE_string("runs", "runs/guidenet", "Folder of the trained networks.")
_OUTPUT = flags.DEFINE_string("output", "runs/guidenet-results", "Folder for scores and pictures.")
_DATA = flags.DEFINE_string("data", "cut-outs", "The images: cut-outs, cut-outs:FOLDER, voc:FOLDER or davis:FOLDER.")
_CACHE = flags.DEFINE_string("cache", "cache", "Folder for the drawings of cut-outs.")
_PARTS = flags.DEFINE_list("parts", list(PARTS), f"What to compute: {', '.join(PARTS)}.")
_METHODS = flags.DEFINE_list("methods", [], "Methods to compute, by default all whose networks are there.")
_NUM_TASKS = flags.DEFINE_integer("num_tasks", 300, "Semantic and interactive tasks.", lower_bound=1)
_NUM_CLIPS = flags.DEFINE_integer("num_clips", 30, "Video tasks, at most.", lower_bound=1)
_NUM_STEPS = flags.DEFINE_integer("num_steps", 100, "Gradient steps of fine-tuning.", lower_bound=1)
_FOLD = flags.DEFINE_integer("fold", 0, "Which classes are held out, 0 to 3.")

FINE_TUNED_SHOTS = (1, 20, 100)
"""Fewer, densely annotated only, and one in three subcategories for the threshold: each of them takes seconds."""
FIRST_FRAME_POINTS = (5, None)
"""Fewer as well."""
MAX_SIDE = 384

_APPEARANCES = 12
"""Of a concept in the scenes of each style for shots, so that there are hundreds of images of most subcategories."""

_NUM_QUERIES = 30
"""Of a subcategory."""

_FIRST_FRAME_RATE = 1e-4
"""Learning rate of the whole network."""

_BATCH_SIZE = 8
"""Images in a step of fine-tuning."""


def find_networks() -> dict[str, Path | None]:
    """Networks by `<method>-seed<number>`; fine-tuning starts from the foreground-background network of its seed."""
    found: dict[str, Path | None] = {"prototype-seed0": None}
    for path in sorted(Path(_RUNS.value).expanduser().glob("*-seed*/model.npz")):
        name = path.parent.name
        found[name] = path
        if name.startswith("none-"):
            found |= {name.replace("none", method, 1): path for method in ("fine-tuned", "first-frame")}
    chosen = _METHODS.value or list(METHODS)
    return {name: path for name, path in found.items() if name.rpartition("-seed")[0] in chosen}


def make_method(name: str, path: Path | None) -> Guided | FineTuned:
    """The method that a network is for."""
    network, params = pretrained(preset("cpu")) if path is None else load_model(path)
    if name.startswith("first-frame"):
        return FineTuned(network, params, _NUM_STEPS.value, _FIRST_FRAME_RATE, part="network")
    if name.startswith("fine-tuned"):
        return FineTuned(network, params, _NUM_STEPS.value, batch_size=_BATCH_SIZE)
    return Guided(network, params)


@functools.cache
def get_data() -> Data:
    """The images."""
    return open_data(_DATA.value, _FOLD.value, _CACHE.value)


def get_evaluation(kind: str, method: Guided | FineTuned) -> Evaluation:
    """Tasks of a kind, seen through the backbone of a method; methods of one backbone share it."""
    key = kind, fingerprint_backbone(method), method.needs_images
    if key not in _EVALUATIONS:
        _EVALUATIONS[key] = Evaluation.of(
            method.network,
            method.params,
            get_data(),
            kind,
            num_tasks=_NUM_TASKS.value,
            max_side=MAX_SIDE,
            with_images=method.needs_images,
        )
    return _EVALUATIONS[key]


_EVALUATIONS: dict[tuple[str, str, bool], Evaluation] = {}


def fingerprint_backbone(method: Guided | FineTuned) -> str:
    """The same for all methods that see the same features."""
    return fingerprint(method.network, {"backbone": method.params["backbone"], "projection": {}})


def score_points(name: str, method: Guided | FineTuned, kind: str) -> dict[str, Any]:
    """Scores at every P."""
    evaluation = get_evaluation(kind, method)
    evaluation = dataclasses.replace(evaluation, clips=evaluation.clips[: _NUM_CLIPS.value])
    points = FIRST_FRAME_POINTS if name.startswith("first-frame") else POINTS
    return {"name": name, "kind": kind, "points": [evaluation.score(method, p) for p in points]}


def count_clicks(name: str, method: Guided | FineTuned) -> dict[str, Any]:
    """Clicks on the same objects."""
    return {"name": name, "clicks": get_evaluation("interactive", method).clicks(method)}


@functools.cache
def get_subcategories(role: str) -> tuple[Source, dict[int, Halves]]:
    """Images of a role with subcategories for labels, and halves of them."""
    benchmark = load_benchmark(SceneConfig(appearances=_APPEARANCES), cache=_CACHE.value)
    dataset = in_memory(benchmark.by_subcategory(benchmark.role(role, _FOLD.value).dataset))
    masks = class_masks(dataset, min_area=MIN_AREA)
    return Source("semantic", dataset, lambda number, rng: (), masks), split_classes(masks, _NUM_QUERIES)


def view_subcategories(role: str, method: Guided | FineTuned) -> tuple[Viewer, dict[int, Halves]]:
    """The same seen by a method; methods of one backbone share the features."""
    source, halves = get_subcategories(role)
    key = role, fingerprint_backbone(method)
    if key not in _MATERIALS:
        backbone = method.params["backbone"]
        _MATERIALS[key] = load_material(
            source, method.network, backbone, MAX_SIDE, with_images=False, with_features=True
        )
    return Viewer(method, _MATERIALS[key]), halves


_MATERIALS: dict[tuple[str, str], Material] = {}


def score_shots(name: str, method: Guided | FineTuned) -> dict[str, Any]:
    """Scores of subcategories at every S, one point of each kind in each image, and densely annotated."""
    (viewer, halves), test = (view_subcategories(role, method) for role in ("validation", "test"))
    slow = isinstance(method, FineTuned)
    chosen = dict(list(halves.items())[:: 3 if slow else 1])
    rows: list[dict[str, Any]] = []
    for points in (None,) if slow else (None, 1):
        for shots in FINE_TUNED_SHOTS if slow else SHOTS:
            threshold, reached = choose_threshold(viewer, chosen, shots, points)
            found = evaluate_shots(*test, shots, points, threshold=threshold)
            row: dict[str, Any] = {"points": points, "shots": shots}
            row |= {"threshold": threshold, "validation_iu": reached}
            row["positive_iu"] = metrics.positive_iu(found.counts)
            row["interval"] = list(metrics.bootstrap_interval(found.counts, np.random.default_rng(0)))
            row["learn_seconds"] = float(np.median(np.sort(found.seconds)[-len(test[1]) :]))
            rows.append({**row, "counts": found.counts.tolist()})
            low, high = row["interval"]
            tell(
                f"{name}, P {points or 'dense'}, S {shots}: {row['positive_iu']:.3f} ({low:.3f} to {high:.3f}); "
                f"{reached:.3f} in validation at {threshold}"
            )
    sizes = [len(half.support) for half in test[1].values()]
    return {"name": name, "classes": len(sizes), "images_of_a_class": [min(sizes), max(sizes)], "shots": rows}


def compute(part: str, networks: Mapping[str, Path | None]) -> None:
    """Writes the scores that are not there yet."""
    for name, path in networks.items():
        for kind in get_kinds(part, name.rpartition("-seed")[0], get_data().kinds):
            output = Path(_OUTPUT.value).expanduser() / "scores" / f"{part}-{name}-{kind}.json"
            if output.exists():
                continue
            method = make_method(name, path)
            if part == "points":
                scores = score_points(name, method, kind)
            else:
                scores = count_clicks(name, method) if part == "clicks" else score_shots(name, method)
            output.parent.mkdir(parents=True, exist_ok=True)
            output.write_text(json.dumps(scores) + "\n")
            if part != "clicks":
                tell(f"{output.name}: " + ", ".join(f"{row['positive_iu']:.3f}" for row in scores[part]))


def run() -> None:
    """Computes what is missing and draws everything."""
    with user_errors():
        for part in _PARTS.value:
            check_choice("parts", part, PARTS)
        for method in _METHODS.value:
            check_choice("methods", method, list(METHODS))
        if "shots" in _PARTS.value and _DATA.value != "cut-outs":
            raise ValueError(f"parts must be points with data other than cut-outs, got shots with {_DATA.value}")
        get_data()
    enable_compilation_cache()
    networks = find_networks()
    for part in _PARTS.value:
        if part != "pictures":
            compute(part, networks)
    draw(networks.get("late-seed0"))


def draw(network: Path | None) -> None:
    """Draws all scores that there are, and what a network finds."""
    folder = Path(_OUTPUT.value).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    rows = summarise(folder / "scores")
    (folder / "points.json").write_text(json.dumps(rows, indent=0) + "\n")
    if "points" in _PARTS.value and "interactive" in get_data().kinds:
        look_alikes = summarise_look_alikes(folder / "scores", get_data().source("interactive", "test"))
        (folder / "look-alikes.json").write_text(json.dumps(look_alikes, indent=0) + "\n")
    if rows:
        draw_points(rows, folder)
        draw_times(rows, folder)
    if shots := read_scores(folder / "scores", "shots", "classes"):
        draw_shots(shots, folder)
    if "pictures" in _PARTS.value and network is not None:
        method = Guided(*load_model(network))
        for kind in ("semantic", "interactive"):
            if kind in get_data().kinds:
                draw_tasks(method, get_evaluation(kind, method), folder / f"{kind}-{network.parent.name}.png")


if __name__ == "__main__":
    main(run)
