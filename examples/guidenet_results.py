"""Scores trained networks on held-out classes, against annotation, shots and time, and draws the curves.

    uv run examples/train_guidenet.py --run_dir=runs/guidenet/late-seed0
    uv run examples/train_guidenet.py --run_dir=runs/guidenet/none-seed0 --override=network.fusion=none \
        --override=network.head.kind=concat --override=network.head.products=false --override=num_iterations=10
    uv run examples/guidenet_results.py

Networks are in --runs, one in each folder <method>-seed<number>, see METHODS. Scores go to --output, a file for each
part, network and kind of tasks; what is there already is not computed again, and pictures are drawn of all of it:

- points: positive IU against P for semantic, interactive and video tasks, and update times (thesis figures 10, 11);
  look-alikes.json has objects with another object of their class in the image apart from those without;
- pictures: what late-seed0 finds in the first tasks;
- shots: one to hundreds of annotated images of subcategories, by networks that were trained on concepts or on single
  objects only (thesis 4.4.2, 4.4.3). For each number of images and points every method has the threshold that is best
  for it on the subcategories of validation.
"""

import dataclasses
import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from absl import flags
from guidenet import fingerprint, load_model, preset, pretrained
from guidenet.data import metrics
from guidenet.data.benchmark import MIN_AREA, load_benchmark
from guidenet.data.catalogue import Data, open_data
from guidenet.data.dataset import class_masks, in_memory
from guidenet.data.episodes import annotate, as_masks, find_look_alikes
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

_RUNS = flags.DEFINE_string("runs", "runs/guidenet", "Folder of the trained networks.")
_OUTPUT = flags.DEFINE_string("output", "runs/guidenet-results", "Folder for scores and pictures.")
_DATA = flags.DEFINE_string("data", "cut-outs", "The images: cut-outs, cut-outs:FOLDER, voc:FOLDER or davis:FOLDER.")
_CACHE = flags.DEFINE_string("cache", "cache", "Folder for the drawings of cut-outs.")
_PARTS = flags.DEFINE_list("parts", ["points", "shots", "pictures"], "What to compute: points, shots, pictures.")
_METHODS = flags.DEFINE_list("methods", [], "Methods to compute, by default all whose networks are there.")
_NUM_TASKS = flags.DEFINE_integer("num_tasks", 300, "Semantic and interactive tasks.", lower_bound=1)
_NUM_CLIPS = flags.DEFINE_integer("num_clips", 30, "Video tasks, at most.", lower_bound=1)
_NUM_STEPS = flags.DEFINE_integer("num_steps", 100, "Gradient steps of fine-tuning.", lower_bound=1)
_FOLD = flags.DEFINE_integer("fold", 0, "Which classes are held out, 0 to 3.")

KINDS = ("semantic", "interactive", "video")
POINTS = (1, 2, 5, 10, 25, None)
SHOTS = (1, 2, 5, 10, 20, 50, 100, 200)
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

_NUM_SHOWN = 8

METHODS: Mapping[str, tuple[str, str]] = {
    "late": ("late-global guidance", "C0"),
    "late-concat": ("late-global, the thesis's metric", "C9"),
    "late-local": ("late-local guidance", "C4"),
    "late-semantic": ("late-global, trained on classes alone", "b"),
    "late-interactive": ("late-global, trained on objects alone", "C6"),
    "early-global": ("early fusion, global", "C1"),
    "early-local": ("early fusion, local (DIOS)", "C3"),
    "masking": ("masking (OSLSM)", "C5"),
    "oracle": ("late-global, no class held out", "C7"),
    "none": ("foreground-background", "C2"),
    "none-semantic": ("foreground-background, trained on classes alone", "olive"),
    "fine-tuned": ("fine-tuning on the support", "C8"),
    "first-frame": ("fine-tuning the whole network (OSVOS)", "k"),
    "prototype": ("nearest prototype, untrained", "0.5"),
}
"""By name: what it is called in pictures, and its colour."""

ONLY: Mapping[str, tuple[str, ...]] = {
    "late-semantic": ("semantic",),
    "none-semantic": ("semantic",),
    "late-interactive": ("interactive",),
    "late-local": ("interactive",),
    "early-local": ("interactive",),
    "first-frame": ("video",),
}
"""Kinds of tasks that a method is scored on, where these are not all: those that it was trained on."""

WITH_SHOTS = ("late", "late-semantic", "late-interactive", "none", "fine-tuned", "prototype")
"""Methods that are scored with many annotated images."""


def find_networks() -> dict[str, Path | None]:
    """Networks by `<method>-seed<number>`; fine-tuning starts from the foreground-background network of its seed."""
    found: dict[str, Path | None] = {"prototype-seed0": None}
    for path in sorted(Path(_RUNS.value).glob("*-seed*/model.npz")):
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
    result: dict[str, Any] = {"name": name, "kind": kind, "points": [evaluation.score(method, p) for p in points]}
    if kind == "interactive" and not name.startswith(("fine-tuned", "none")):
        result["clicks"] = evaluation.clicks(method)
    return result


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
        kind_name = name.rpartition("-seed")[0]
        for kind in get_data().kinds if part == "points" else ("classes",):
            output = Path(_OUTPUT.value) / "scores" / f"{part}-{name}-{kind}.json"
            fits = kind_name in WITH_SHOTS if part == "shots" else kind in ONLY.get(kind_name, KINDS)
            if output.exists() or not fits:
                continue
            method = make_method(name, path)
            scores = score_points(name, method, kind) if part == "points" else score_shots(name, method)
            output.parent.mkdir(parents=True, exist_ok=True)
            output.write_text(json.dumps(scores) + "\n")
            tell(f"{output.name}: " + ", ".join(f"{row['positive_iu']:.3f}" for row in scores[part]))


def read_scores(part: str, kind: str) -> dict[str, list[dict[str, Any]]]:
    """Scores by method, one for each seed."""
    found: dict[str, list[dict[str, Any]]] = {}
    for method in METHODS:
        paths = sorted((Path(_OUTPUT.value) / "scores").glob(f"{part}-{method}-seed*-{kind}.json"))
        if paths:
            found[method] = [json.loads(path.read_text()) for path in paths]
    return found


def pooled(rows: Sequence[dict[str, Any]]) -> tuple[float, float, float]:
    """Mean positive IU over seeds, and the interval of 95% over tasks, whose counts are those of all seeds together."""
    counts = np.array([row["counts"] for row in rows])
    interval = metrics.bootstrap_interval(counts.sum(axis=0), np.random.default_rng(0))
    return float(np.mean([metrics.positive_iu(seed) for seed in counts])), *interval


def summarise() -> list[dict[str, Any]]:
    """A row for each kind, method and P, over seeds."""
    rows: list[dict[str, Any]] = []
    for kind in KINDS:
        for method, seeds in read_scores("points", kind).items():
            for found in zip(*(seed["points"] for seed in seeds), strict=True):
                mean, low, high = pooled(found)
                row = {"kind": kind, "method": method, "seeds": len(seeds), "points": found[0]["points"]}
                row |= {"tasks": len(found[0]["counts"]), "positive_iu": mean}
                row |= {"interval": [low, high], "by_seed": [seed["positive_iu"] for seed in found]}
                row["update_ms"] = 1e3 * float(np.median([seed["update_seconds"] for seed in found]))
                for extra in ("mean_iu", "fb_iu", "j", "f"):
                    if extra in found[0]:
                        row[extra] = float(np.mean([seed[extra] for seed in found]))
                rows.append(row)
    return rows


def summarise_look_alikes() -> list[dict[str, Any]]:
    """The same for interactive tasks with a look-alike of the object in the image, and for those without."""
    rows: list[dict[str, Any]] = []
    for method, seeds in read_scores("points", "interactive").items():
        source = get_data().source("interactive", "test")
        tasks = source.sample(len(seeds[0]["points"][0]["counts"]), np.random.default_rng(0))
        alike = find_look_alikes(tasks, source.masks)
        for found in zip(*(seed["points"] for seed in seeds), strict=True):
            for look_alike in (True, False):
                chosen = alike == look_alike
                mean, low, high = pooled([{"counts": np.array(seed["counts"])[chosen]} for seed in found])
                row = {"method": method, "seeds": len(seeds), "points": found[0]["points"], "look_alike": look_alike}
                rows.append({**row, "tasks": int(chosen.sum()), "positive_iu": mean, "interval": [low, high]})
    return rows


def draw_points(rows: list[dict[str, Any]]) -> None:
    """Positive IU against P, a panel for each kind (thesis figures 10 and 11)."""
    kinds = [kind for kind in KINDS if any(row["kind"] == kind for row in rows)]
    figure, axes = plt.subplots(1, len(kinds), figsize=(4.6 * len(kinds), 4.4), layout="constrained", squeeze=False)
    for axis, kind in zip(axes[0], kinds, strict=True):
        for method, (label, colour) in METHODS.items():
            mine = [row for row in rows if row["kind"] == kind and row["method"] == method]
            if mine:
                x = [POINTS.index(row["points"]) for row in mine]
                axis.plot(x, [row["positive_iu"] for row in mine], "o-", color=colour, label=label, markersize=4)
                low, high = np.transpose([row["interval"] for row in mine])
                axis.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
        axis.set(title=kind, xlabel="points of each class", ylim=(0, None))
        axis.set_xticks(range(len(POINTS)), [str(p) if p else "dense" for p in POINTS])
        axis.grid(alpha=0.3)
    _save(figure, axes[0], "points.png")


def draw_times(rows: list[dict[str, Any]]) -> None:
    """Positive IU against the time of an update, at five points (thesis figure 11, left)."""
    kinds = [kind for kind in KINDS if any(row["kind"] == kind for row in rows)]
    figure, axes = plt.subplots(1, len(kinds), figsize=(4.6 * len(kinds), 3.6), layout="constrained", squeeze=False)
    for axis, kind in zip(axes[0], kinds, strict=True):
        for method, (label, colour) in METHODS.items():
            mine = [row for row in rows if row["kind"] == kind and row["method"] == method and row["points"] == 5]
            for row in mine:
                axis.plot(row["update_ms"], row["positive_iu"], "o", color=colour, label=label)
        axis.set(title=f"{kind}, 5 points", xlabel="update, ms", xscale="log", ylim=(0, None))
        axis.grid(alpha=0.3, which="both")
    _save(figure, axes[0], "times.png")


def _save(figure: Any, axes: Any, name: str) -> None:
    """Writes a picture whose panels share a legend below them."""
    axes[0].set_ylabel("positive IU, held-out classes")
    handles = {label: handle for axis in axes for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=4, frameon=False)
    figure.savefig(Path(_OUTPUT.value) / name, dpi=120)
    plt.close(figure)


def draw_shots() -> None:
    """Positive IU of subcategories against the number of annotated images (thesis 4.4.2, 4.4.3)."""
    scores = read_scores("shots", "classes")
    if not scores:
        return
    figure, axes = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained", sharey=True)
    for axis, points, title in zip(axes, (1, None), ("one point of each kind", "dense masks"), strict=True):
        for method, seeds in scores.items():
            label, colour = METHODS[method]
            mine = [[row for row in seed["shots"] if row["points"] == points] for seed in seeds]
            if not mine[0]:
                continue
            found = np.array([pooled(rows) for rows in zip(*mine, strict=True)])
            shots = [row["shots"] for row in mine[0]]
            axis.plot(shots, found[:, 0], "o-", color=colour, label=label, markersize=4)
            axis.fill_between(shots, found[:, 1], found[:, 2], color=colour, alpha=0.15, linewidth=0)
        axis.set(title=title, xlabel="annotated images", xscale="log", ylim=(0, None))
        axis.set_xticks(SHOTS, [str(s) for s in SHOTS])
        axis.minorticks_off()
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("positive IU, held-out subcategories")
    axes[1].legend(frameon=False, fontsize=8)
    figure.savefig(Path(_OUTPUT.value) / "shots.png", dpi=120)
    plt.close(figure)


def draw_tasks(name: str, method: Guided) -> None:
    """The first tasks of each kind at five points: supports with their points, and queries with the mask found."""
    for kind in ("semantic", "interactive"):
        if kind not in get_data().kinds:
            continue
        evaluation = get_evaluation(kind, method)
        viewer, tasks = Viewer(method, evaluation.material), evaluation.tasks[:_NUM_SHOWN]
        figure, axes = plt.subplots(2, len(tasks), figsize=(2.2 * len(tasks), 4.6), layout="constrained", squeeze=False)
        for number, task in enumerate(tasks):
            support, query = task.support[0], task.query
            rng = np.random.default_rng([evaluation.seed, 5, number])
            annotation = annotate(viewer.target(support.id, support.label), 5, rng)
            known = method.adapt([viewer.see(support.id)], as_masks(annotation)[None])
            size = evaluation.material.size
            found = np.asarray(method.segment(viewer.see(query.id), known, size))[0] > 0
            for axis, mask in zip(axes[:, number], (support, query), strict=True):
                axis.imshow(evaluation.material.source.dataset.image(mask.id))
                axis.axis("off")
            for label, colour in ((1, "lime"), (0, "red")):
                y, x = np.nonzero(annotation == label)
                axes[0][number].plot(x, y, "o", color=colour, markeredgecolor="white", markersize=5)
            axes[1][number].contourf(found, levels=(0.5, 1.5), colors="cyan", alpha=0.45)
            axes[1][number].contour(viewer.target(query.id, query.label) == 1, levels=(0.5,), colors="yellow")
        axes[0][0].set_title("support and points", fontsize=9, loc="left")
        axes[1][0].set_title("found (blue), wanted (yellow)", fontsize=9, loc="left")
        figure.savefig(Path(_OUTPUT.value) / f"{kind}-{name}.png", dpi=100)
        plt.close(figure)


def run() -> None:
    """Computes what is missing and draws everything."""
    with user_errors():
        for part in _PARTS.value:
            check_choice("parts", part, ("points", "shots", "pictures"))
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
    rows = summarise()
    Path(_OUTPUT.value).mkdir(parents=True, exist_ok=True)
    (Path(_OUTPUT.value) / "points.json").write_text(json.dumps(rows, indent=0) + "\n")
    if "points" in _PARTS.value and "interactive" in get_data().kinds:
        (Path(_OUTPUT.value) / "look-alikes.json").write_text(json.dumps(summarise_look_alikes(), indent=0) + "\n")
    if rows:
        draw_points(rows)
        draw_times(rows)
    draw_shots()
    path = networks.get("late-seed0")
    if "pictures" in _PARTS.value and path is not None:
        draw_tasks("late-seed0", Guided(*load_model(path)))


if __name__ == "__main__":
    main(run)
