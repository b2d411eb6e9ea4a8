"""Trained networks, scored for `guidenet_results.py` on what is annotated with points, by clicks, or in many images."""

import dataclasses
import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from guidenet import fingerprint, load_model, pretrained
from guidenet.data.catalogue import Data
from guidenet.data.composites.benchmark import MIN_AREA, load_benchmark
from guidenet.data.composites.scenes import SceneConfig
from guidenet.data.dataset import class_masks, in_memory
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
from guidenet.metrics import masks as metrics
from guidenet.training import Material, load_material
from rlcore.experiment import tell

from support.guidenet_scores import METHODS, POINTS, SHOTS, get_kinds

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


def find_networks(folder: Path, methods: Sequence[str]) -> dict[str, Path | None]:
    """Networks of some methods, or of all, by `<method>-seed<number>`.

    Fine-tuning starts from the foreground-background network of its seed.
    """
    found: dict[str, Path | None] = {"prototype-seed0": None}
    for path in sorted(folder.glob("*-seed*/model.npz")):
        name = path.parent.name
        found[name] = path
        if name.startswith("none-"):
            found |= {name.replace("none", method, 1): path for method in ("fine-tuned", "first-frame")}
    chosen = methods or list(METHODS)
    return {name: path for name, path in found.items() if name.rpartition("-seed")[0] in chosen}


@dataclasses.dataclass(frozen=True, eq=False)
class Scorer:
    """Scores methods; those of one backbone share what it sees.

    data: the images.
    fold: which of their classes are held out.
    cache: a folder for drawings.
    num_tasks: semantic and interactive.
    num_clips: of video, at most.
    num_steps: of fine-tuning.
    """

    data: Data
    fold: int
    cache: str
    num_tasks: int
    num_clips: int
    num_steps: int
    _evaluations: dict[tuple[str, str, bool], Evaluation] = dataclasses.field(default_factory=dict, init=False)
    _materials: dict[tuple[str, str], Material] = dataclasses.field(default_factory=dict, init=False)

    def write_scores(self, part: str, networks: Mapping[str, Path | None], folder: Path) -> None:
        """Writes the scores of a part that are not there yet."""
        for name, path in networks.items():
            for kind in get_kinds(part, name.rpartition("-seed")[0], self.data.kinds):
                output = folder / f"{part}-{name}-{kind}.json"
                if output.exists():
                    continue
                method = self.make_method(name, path)
                if part == "points":
                    scores: dict[str, Any] = self.score_points(name, method, kind)
                elif part == "clicks":
                    scores = {"name": name, "clicks": self.get_evaluation(kind, method).clicks(method)}
                else:
                    scores = self.score_shots(name, method)
                output.parent.mkdir(parents=True, exist_ok=True)
                output.write_text(json.dumps(scores) + "\n")
                if part != "clicks":
                    tell(f"{output.name}: " + ", ".join(f"{row['positive_iu']:.3f}" for row in scores[part]))

    def make_method(self, name: str, path: Path | None) -> Guided | FineTuned:
        """The method that a network is for."""
        network, params = pretrained() if path is None else load_model(path)
        if name.startswith("first-frame"):
            return FineTuned(network, params, self.num_steps, _FIRST_FRAME_RATE, part="network")
        if name.startswith("fine-tuned"):
            return FineTuned(network, params, self.num_steps, batch_size=_BATCH_SIZE)
        return Guided(network, params)

    def get_evaluation(self, kind: str, method: Guided | FineTuned) -> Evaluation:
        """Tasks of a kind, seen through the backbone of a method."""
        key = kind, _fingerprint_backbone(method), method.needs_images
        if key not in self._evaluations:
            sizes = {"num_tasks": self.num_tasks, "max_side": MAX_SIDE}
            self._evaluations[key] = Evaluation.of(
                method.network, method.params, self.data, kind, with_images=method.needs_images, **sizes
            )
        return self._evaluations[key]

    def score_points(self, name: str, method: Guided | FineTuned, kind: str) -> dict[str, Any]:
        """Scores at every P."""
        evaluation = self.get_evaluation(kind, method)
        evaluation = dataclasses.replace(evaluation, clips=evaluation.clips[: self.num_clips])
        points = FIRST_FRAME_POINTS if name.startswith("first-frame") else POINTS
        return {"name": name, "kind": kind, "points": [evaluation.score(method, p) for p in points]}

    def view_subcategories(self, role: str, method: Guided | FineTuned) -> tuple[Viewer, dict[int, Halves]]:
        """Images of a role with subcategories for labels, seen by a method, and halves of them."""
        source, halves = _load_subcategories(role, self.fold, self.cache)
        key = role, _fingerprint_backbone(method)
        if key not in self._materials:
            backbone = method.params["backbone"]
            self._materials[key] = load_material(
                source, method.network, backbone, MAX_SIDE, with_images=False, with_features=True
            )
        return Viewer(method, self._materials[key]), halves

    def score_shots(self, name: str, method: Guided | FineTuned) -> dict[str, Any]:
        """Scores of subcategories at every S, one point of each kind in each image, and densely annotated."""
        (viewer, halves), test = (self.view_subcategories(role, method) for role in ("validation", "test"))
        slow = isinstance(method, FineTuned)
        chosen = dict(list(halves.items())[:: 3 if slow else 1])
        rows: list[dict[str, Any]] = []
        for points in (None,) if slow else (None, 1):
            for shots in FINE_TUNED_SHOTS if slow else SHOTS:
                threshold, reached = choose_threshold(viewer, chosen, shots, points)
                found = evaluate_shots(*test, shots, points, threshold=threshold)
                iu = metrics.positive_iu(found.counts)
                low, high = metrics.bootstrap_interval(found.counts, np.random.default_rng(0))
                row: dict[str, Any] = {"points": points, "shots": shots, "threshold": threshold}
                row |= {"validation_iu": reached, "positive_iu": iu, "interval": [low, high]}
                row["learn_seconds"] = float(np.median(np.sort(found.seconds)[-len(test[1]) :]))
                rows.append({**row, "counts": found.counts.tolist()})
                tell(
                    f"{name}, P {points or 'dense'}, S {shots}: {iu:.3f} ({low:.3f} to {high:.3f}); "
                    f"{reached:.3f} in validation at {threshold}"
                )
        sizes = [len(half.support) for half in test[1].values()]
        return {"name": name, "classes": len(sizes), "images_of_a_class": [min(sizes), max(sizes)], "shots": rows}


@functools.cache
def _load_subcategories(role: str, fold: int, cache: str) -> tuple[Source, dict[int, Halves]]:
    benchmark = load_benchmark(SceneConfig(appearances=_APPEARANCES), cache=cache)
    dataset = in_memory(benchmark.by_subcategory(benchmark.role(role, fold).dataset))
    masks = class_masks(dataset, min_area=MIN_AREA)
    return Source("semantic", dataset, lambda number, rng: (), masks), split_classes(masks, _NUM_QUERIES)


def _fingerprint_backbone(method: Guided | FineTuned) -> str:
    """The same for all methods that see the same features."""
    return fingerprint(method.network, {"backbone": method.params["backbone"], "projection": {}})
