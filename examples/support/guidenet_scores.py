"""Methods by name, and scores that `guidenet_results.py` has written, over seeds."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from guidenet.data.episodes import find_look_alikes
from guidenet.data.sources import KINDS, Source
from guidenet.metrics import masks as metrics

POINTS = (1, 2, 5, 10, 25, None)
SHOTS = (1, 2, 5, 10, 20, 50, 100, 200)

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
    "early-global": ("semantic", "video"),
    "early-local": ("interactive",),
    "first-frame": ("video",),
}
"""Kinds of tasks that a method is scored on, where these are not all: those that it was trained on."""

WITHOUT_CLICKS = ("fine-tuned", "none", "none-semantic")
"""Methods that a click costs too much, or tells nothing."""

WITH_SHOTS = ("late", "late-semantic", "late-interactive", "none", "fine-tuned", "prototype")
"""Methods that are scored with many annotated images."""


def get_kinds(part: str, method: str, kinds: Sequence[str]) -> tuple[str, ...]:
    """Which of the kinds of tasks that there are a method is scored on in a part: points, clicks or shots."""
    if part == "shots":
        return ("classes",) if method in WITH_SHOTS else ()
    scored = tuple(kind for kind in kinds if kind in ONLY.get(method, KINDS))
    if part == "points":
        return scored
    return tuple(kind for kind in scored if kind == "interactive" and method not in WITHOUT_CLICKS)


def read_scores(folder: Path, part: str, kind: str) -> dict[str, list[dict[str, Any]]]:
    """Scores in a folder by method, one for each seed."""
    found: dict[str, list[dict[str, Any]]] = {}
    for method in METHODS:
        paths = sorted(folder.glob(f"{part}-{method}-seed*-{kind}.json"))
        if paths:
            found[method] = [json.loads(path.read_text()) for path in paths]
    return found


def pooled(rows: Sequence[dict[str, Any]]) -> tuple[float, float, float]:
    """Mean positive IU over seeds, and the interval of 95% over tasks, whose counts are those of all seeds together."""
    counts = np.array([row["counts"] for row in rows])
    interval = metrics.bootstrap_interval(counts.sum(axis=0), np.random.default_rng(0))
    return float(np.mean([metrics.positive_iu(seed) for seed in counts])), *interval


def summarise(folder: Path) -> list[dict[str, Any]]:
    """A row for each kind, method and P, over seeds."""
    rows: list[dict[str, Any]] = []
    for kind in KINDS:
        for method, seeds in read_scores(folder, "points", kind).items():
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


def summarise_look_alikes(folder: Path, source: Source) -> list[dict[str, Any]]:
    """The same for a source's interactive tasks with a look-alike of the object in the image, and for the others."""
    rows: list[dict[str, Any]] = []
    for method, seeds in read_scores(folder, "points", "interactive").items():
        tasks = source.sample(len(seeds[0]["points"][0]["counts"]), np.random.default_rng(0))
        alike = find_look_alikes(tasks, source.masks)
        for found in zip(*(seed["points"] for seed in seeds), strict=True):
            for look_alike in (True, False):
                chosen = alike == look_alike
                mean, low, high = pooled([{"counts": np.array(seed["counts"])[chosen]} for seed in found])
                row = {"method": method, "seeds": len(seeds), "points": found[0]["points"], "look_alike": look_alike}
                rows.append({**row, "tasks": int(chosen.sum()), "positive_iu": mean, "interval": [low, high]})
    return rows
