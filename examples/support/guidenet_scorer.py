"""Trained networks, scored for `guidenet_results.py` on what is annotated with points, by clicks, or in many images."""

import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from guidenet import fingerprint
from guidenet.data.catalogue import open_data
from guidenet.data.collections.record import Data
from guidenet.data.composites.benchmark import MIN_AREA, load_benchmark
from guidenet.data.composites.scenes import SceneConfig
from guidenet.data.dataset import class_masks, in_memory
from guidenet.data.packages import DataMissingError
from guidenet.data.real import PHOTOS, photo_source
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

from support.guidenet_files import write_file
from support.guidenet_methods import FRAME_POINTS, FRAMES, METHODS, get_method, make_method
from support.guidenet_scores import get_kinds

MAX_SIDE = 384

_APPEARANCES = 12
"""Of a concept in the scenes of each style for shots, so that there are hundreds of images of most subcategories."""

_NUM_QUERIES = 30
"""Of a subcategory."""


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
            for kind in get_kinds(part, get_method(name), self.data.kinds):
                output = folder / f"{part}-{name}-{kind}.npz"
                if output.exists():
                    continue
                method = make_method(name, path, self.num_steps)
                scores = {
                    "points": self.score_points,
                    "frames": self.score_frames,
                    "clicks": self.score_clicks,
                    "shots": self.score_shots,
                    "photos": self.score_photos,
                }[part](name, method, kind)
                write_file(output, {"name": name, "data": self.data.name, **scores})
                if part != "clicks":
                    tell(f"{output.name}: " + ", ".join(f"{row['positive_iu']:.3f}" for row in scores[part]))

    def get_evaluation(self, kind: str, method: Guided | FineTuned) -> Evaluation:
        """Tasks of a kind, seen through the backbone of a method."""
        key = kind, _fingerprint_backbone(method), method.needs_images
        if key not in self._evaluations:
            data, tasks, num_tasks = self.data, kind, self.num_tasks
            if kind == "photos":
                data, tasks, num_tasks = _open_photos(), "interactive", self.num_tasks // 10 + 1
            self._evaluations[key] = Evaluation.of(
                method.network,
                method.params,
                data,
                tasks,
                num_tasks=num_tasks,
                max_side=MAX_SIDE,
                with_images=method.needs_images,
            )
        return self._evaluations[key]

    def score_points(self, name: str, method: Guided | FineTuned, kind: str) -> dict[str, Any]:
        """Scores at every P."""
        evaluation = self._with_clips(self.get_evaluation(kind, method))
        rows = [evaluation.score(method, points) for points in METHODS[get_method(name)].points]
        scores: dict[str, Any] = {"kind": kind, "points": rows}
        return scores if evaluation.look_alikes is None else {**scores, "look_alikes": evaluation.look_alikes}

    def score_frames(self, name: str, method: Guided | FineTuned, kind: str) -> dict[str, Any]:
        """Scores of video at every S and P."""
        evaluation = self._with_clips(self.get_evaluation(kind, method))
        shortest = min(len(clip) for clip in evaluation.clips)
        rows = [
            evaluation.score(method, points, frames)
            for frames in FRAMES
            for points in FRAME_POINTS
            if frames < shortest and points in METHODS[get_method(name)].points
        ]
        return {"kind": kind, "frames": rows}

    def score_clicks(self, name: str, method: Guided | FineTuned, kind: str) -> dict[str, Any]:
        """Clicks on each object."""
        del name
        return {"kind": kind, "clicks": self.get_evaluation(kind, method).count_clicks(method)}

    def score_photos(self, name: str, method: Guided | FineTuned, kind: str) -> dict[str, Any]:
        """Scores of the photos that are installed, each annotated anew many times."""
        evaluation = self.get_evaluation(kind, method)
        rows = [evaluation.score(method, points) for points in METHODS[get_method(name)].points]
        return {"kind": kind, "photos": rows, "images": [task.query.id for task in evaluation.tasks]}

    def _with_clips(self, evaluation: Evaluation) -> Evaluation:
        return dataclasses.replace(evaluation, clips=evaluation.clips[: self.num_clips])

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

    def score_shots(self, name: str, method: Guided | FineTuned, kind: str) -> dict[str, Any]:
        """Scores of subcategories at every S, one point of each kind in each image, and densely annotated."""
        (viewer, halves), test = (self.view_subcategories(role, method) for role in ("validation", "test"))
        record, slow = METHODS[get_method(name)], isinstance(method, FineTuned)
        chosen = dict(list(halves.items())[:: 3 if slow else 1])
        rows: list[dict[str, Any]] = []
        for points in (None, 1) if record.sparse_shots else (None,):
            for shots in record.shots:
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
        return {"kind": kind, "classes": len(sizes), "images_of_a_class": [min(sizes), max(sizes)], "shots": rows}


@functools.cache
def _open_photos() -> Data:
    """The photos whose packages are installed, as data."""
    found: list[str] = []
    for name in PHOTOS:
        try:
            open_data(f"real:{name}")
        except DataMissingError as error:
            tell(f"photos without {name}: {error}")
        else:
            found.append(name)
    source = photo_source(found)
    return Data(f"photos {', '.join(found)}", ("interactive",), lambda kind, role: source, lambda role: (), ("test",))


@functools.cache
def _load_subcategories(role: str, fold: int, cache: str) -> tuple[Source, dict[int, Halves]]:
    benchmark = load_benchmark(SceneConfig(appearances=_APPEARANCES), cache=cache)
    dataset = in_memory(benchmark.by_subcategory(benchmark.role(role, fold).dataset))
    masks = class_masks(dataset, min_area=MIN_AREA)
    return Source("semantic", dataset, lambda number, rng: (), masks), split_classes(masks, _NUM_QUERIES)


def _fingerprint_backbone(method: Guided | FineTuned) -> str:
    """The same for all methods that see the same features."""
    return fingerprint(method.network, {"backbone": method.params["backbone"], "projection": {}})
