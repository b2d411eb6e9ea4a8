"""Scores that `guidenet_results.py` has written, over seeds. Everything here follows from the files of scores alone."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from guidenet.data.sources import KINDS
from guidenet.metrics import masks as metrics

from support.guidenet_files import read_file
from support.guidenet_methods import METHODS

PARTS = ("points", "frames", "clicks", "shots", "photos")
"""Of the results, each in files of its own."""

_TASKS = ("data", "images", "look_alikes")
"""What a file says of its tasks."""
_MEANS = ("mean_iu", "fb_iu", "boundary_f", "j", "f")


@dataclasses.dataclass(frozen=True)
class Scores:
    """Which scores are looked at.

    folder: of their files.
    methods: by name; empty is all.
    parts: some of `PARTS`; others are ignored.
    """

    folder: Path
    methods: Sequence[str] = ()
    parts: Sequence[str] = PARTS

    def find(self, part: str, method: str, kind: str = "*") -> list[Path]:
        """The files of a method, one for each seed and kind of tasks; none where they are not looked at."""
        if part not in self.parts or (self.methods and method not in self.methods):
            return []
        return sorted(self.folder.glob(f"{part}-{method}-seed*-{kind}.npz"))

    def is_empty(self) -> bool:
        """Whether there are none."""
        return not any(self.find(part, method) for part in PARTS for method in METHODS)


def get_kinds(part: str, method: str, kinds: Sequence[str]) -> tuple[str, ...]:
    """Which of the kinds of tasks that there are a method is scored on in a part of the results."""
    record = METHODS[method]
    scored = tuple(kind for kind in kinds if kind in record.kinds)
    if part == "points":
        return scored
    if part == "frames":
        return tuple(kind for kind in scored if kind == "video")
    if part == "clicks":
        return tuple(kind for kind in scored if kind == "interactive" and record.clicks)
    if part == "photos":
        return ("photos",) if "interactive" in record.kinds else ()
    return ("classes",) if record.shots else ()


def read_scores(scores: Scores, part: str, kind: str) -> dict[str, list[dict[str, Any]]]:
    """Scores of a part by method, one for each seed.

    Raises:
      ValueError: seeds of a method are of different tasks, as where other photos were installed.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for method in METHODS:
        paths = scores.find(part, method, kind)
        if paths:
            found[method] = [read_file(path) for path in paths]
            for path, content in zip(paths, found[method], strict=True):
                for name in _TASKS:
                    if content.get(name) != found[method][0].get(name):
                        raise ValueError(f"scores: {path.name} must be of the tasks of {paths[0].name}: {name} differ")
    return found


def pooled(rows: Sequence[dict[str, Any]]) -> tuple[float, float, float]:
    """Mean positive IU over seeds, and the interval of 95% over tasks, whose counts are those of all seeds together."""
    counts = np.array([row["counts"] for row in rows])
    interval = metrics.bootstrap_interval(counts.sum(axis=0), np.random.default_rng(0))
    return float(np.mean([metrics.positive_iu(seed) for seed in counts])), *interval


def _over_seeds(found: Sequence[dict[str, Any]], **names: Any) -> dict[str, Any]:
    """A row of what the seeds have at one P."""
    mean, low, high = pooled(found)
    row = {**names, "seeds": len(found), "points": found[0]["points"], "tasks": len(found[0]["counts"])}
    row |= {"positive_iu": mean, "interval": [low, high]}
    row["by_seed"] = [metrics.positive_iu(np.array(seed["counts"])) for seed in found]
    return row


def summarise(scores: Scores) -> list[dict[str, Any]]:
    """A row for each kind, method and P, over seeds."""
    rows: list[dict[str, Any]] = []
    for kind in KINDS:
        for method, seeds in read_scores(scores, "points", kind).items():
            for found in zip(*(seed["points"] for seed in seeds), strict=True):
                row = _over_seeds(found, kind=kind, method=method)
                row["update_ms"] = 1e3 * float(np.median([seed["update_seconds"] for seed in found]))
                row |= {extra: float(np.mean([s[extra] for s in found])) for extra in _MEANS if extra in found[0]}
                rows.append(row)
    return rows


def summarise_look_alikes(scores: Scores) -> list[dict[str, Any]]:
    """The same for interactive tasks with a look-alike of the object in the image, and for the others."""
    rows: list[dict[str, Any]] = []
    for method, seeds in read_scores(scores, "points", "interactive").items():
        alike = np.array(seeds[0]["look_alikes"], bool)
        for found in zip(*(seed["points"] for seed in seeds), strict=True):
            for look_alike in (True, False):
                chosen = np.flatnonzero(alike == look_alike)
                if len(chosen):
                    part = [{**seed, "counts": np.array(seed["counts"])[chosen].tolist()} for seed in found]
                    rows.append(_over_seeds(part, method=method, look_alike=look_alike))
    return rows


def summarise_frames(scores: Scores) -> list[dict[str, Any]]:
    """A row for each method, S annotated frames and P points in each (thesis figure 11, right)."""
    return [
        _over_seeds(found, method=method, frames=found[0]["frames"])
        for method, seeds in read_scores(scores, "frames", "video").items()
        for found in zip(*(seed["frames"] for seed in seeds), strict=True)
    ]


def summarise_photos(scores: Scores) -> list[dict[str, Any]]:
    """A row for each method, photo and P."""
    rows: list[dict[str, Any]] = []
    for method, seeds in read_scores(scores, "photos", "photos").items():
        images = seeds[0]["images"]
        for found in zip(*(seed["photos"] for seed in seeds), strict=True):
            for photo in sorted(set(images)):
                chosen = [i for i, image in enumerate(images) if image == photo]
                part = [{**seed, "counts": [seed["counts"][i] for i in chosen]} for seed in found]
                row = _over_seeds(part, method=method, photo=photo)
                row["boundary_f"] = float(np.mean([[seed["boundary"][i] for i in chosen] for seed in found]))
                rows.append(row)
    return rows


def summarise_clicks(scores: Scores) -> list[dict[str, Any]]:
    """A row for each method: mean numbers of clicks over tasks and seeds."""
    rows: list[dict[str, Any]] = []
    for method, seeds in read_scores(scores, "clicks", "interactive").items():
        row: dict[str, Any] = {"method": method, "seeds": len(seeds)}
        row |= {name: float(np.mean([seed["clicks"][name] for seed in seeds])) for name in seeds[0]["clicks"]}
        rows.append(row)
    return rows


def summarise_shots(scores: Scores) -> list[dict[str, Any]]:
    """A row for each method, S annotated images and P points in each."""
    return [
        {**_over_seeds(found, method=method), "shots": found[0]["shots"]}
        for method, seeds in read_scores(scores, "shots", "classes").items()
        for found in zip(*(seed["shots"] for seed in seeds), strict=True)
    ]
