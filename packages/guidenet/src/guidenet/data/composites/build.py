"""The benchmark written to a folder, for other programs and for a look at it.

ATTRIBUTION.txt   whose work it is made of, and under which licences
manifest.json     versions of the packages, options and hashes: equal ones are equal scenes
scenes/ROLE-GROUP/images/ID.png, objects/ID.png    indices of objects, 0 background
scenes/ROLE-GROUP/scenes.json                      style of each scene, concept of each object
clips/foldN/      video in the layout of DAVIS 2017, with lists train, validation and test
"""

import dataclasses
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from guidenet.checks import check_choice
from guidenet.data.composites.benchmark import Benchmark, package_versions
from guidenet.data.composites.clips import write_clips
from guidenet.data.composites.scenes import SceneSet
from guidenet.data.dataset import Dataset
from guidenet.data.files import read_indices, read_photo, require, write_indices

ATTRIBUTION = """These images are composites of cut-outs over photos, put together by guidenet.
Cut-outs were turned, mirrored and changed in colour.

{credits}
Photos: from scikit-image (BSD-3-Clause), whose documentation names the source of each. They were cropped, mirrored and
changed in colour.
"""


def build(
    directory: str | Path,
    benchmark: Benchmark,
    folds: Iterable[int] | None = None,
    roles: Sequence[str] | None = None,
    report: Callable[[str], Any] = lambda line: None,
) -> None:
    """Writes scenes and clips of some folds; what is there already is written anew.

    Args:
      directory: made if there is none.
      benchmark: what to write.
      folds: which; None is all.
      roles: which; None is all.
      report: is called with a line before each set.

    Raises:
      ValueError: there is no such fold or role.
    """
    directory, folds = Path(directory), benchmark.folds if folds is None else tuple(folds)
    roles = benchmark.roles if roles is None else roles
    for role in roles:
        check_choice("roles", role, benchmark.roles)
    for fold in folds:
        check_choice("folds", fold, benchmark.folds)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "ATTRIBUTION.txt").write_text(ATTRIBUTION.format(credits=benchmark.library.credits), encoding="utf-8")
    (directory / "manifest.json").write_text(json.dumps(manifest(benchmark), indent=1) + "\n", encoding="utf-8")
    for role in roles:
        for group in sorted({group for fold in folds for group in benchmark.group_numbers(role, fold)}):
            report(f"scenes {role}-{group}")
            write_scenes(directory / "scenes" / f"{role}-{group}", benchmark.scenes(role, group))
    for fold in folds:
        for role in roles:
            report(f"clips of fold {fold}, {role}")
            write_clips(directory / "clips" / f"fold{fold}", role, benchmark.clips(role, fold))


def manifest(benchmark: Benchmark) -> dict[str, Any]:
    """What the scenes depend on: versions of packages, options, and hashes of cut-outs."""
    return {
        "kind": "composites of cut-outs over photos",
        "packages": package_versions() | dict(benchmark.library.packages),
        "scenes": dataclasses.asdict(benchmark.scene_config),
        "clips": dataclasses.asdict(benchmark.clip_config),
        "cut_outs": benchmark.library.digest(),
        "groups": [list(group) for group in benchmark.groups],
    }


def write_scenes(directory: str | Path, scenes: SceneSet) -> None:
    """Writes a set of scenes without loss; `read_scenes` reads it."""
    directory, dataset = Path(directory), scenes.dataset
    for part in ("images", "objects"):
        (directory / part).mkdir(parents=True, exist_ok=True)
    assert dataset.instance_labels is not None  # scenes tell objects apart
    entries: dict[str, Any] = {}
    for name in dataset.ids:
        Image.fromarray(dataset.image(name)).save(directory / "images" / f"{name}.png", compress_level=1)
        classes, objects = dataset.class_labels(name), dataset.instance_labels(name)
        write_indices(directory / "objects" / f"{name}.png", objects)
        concepts = [
            dataset.classes[int(classes[objects == number][0]) - 1] if (objects == number).any() else None
            for number in range(1, int(objects.max()) + 1)
        ]
        entries[name] = {"style": scenes.styles[name], "concepts": concepts}
    content = {"classes": dataset.classes, "scenes": entries}
    (directory / "scenes.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read_scenes(directory: str | Path) -> SceneSet:
    """Reads what `write_scenes` wrote; images are read when asked for.

    Raises:
      FileNotFoundError: there are no scenes, or, when read, an image is missing.
      ValueError: `scenes.json` is damaged, or, when read, an image.
    """
    directory = Path(directory)
    path = directory / "scenes.json"
    try:
        content = json.loads(require(path, "the list of scenes of a set").read_bytes())
        classes: tuple[str, ...] = tuple(content["classes"])
        styles = {name: str(entry["style"]) for name, entry in content["scenes"].items()}
        number = {None: 0, **{concept: i + 1 for i, concept in enumerate(classes)}}
        tables = {
            name: np.array([0, *(number[concept] for concept in entry["concepts"])], np.int16)
            for name, entry in content["scenes"].items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} must be the list of scenes of a set, JSON with classes and scenes: {error}") from None
    objects = directory / "objects"
    dataset = Dataset(
        classes,
        tuple(styles),
        lambda name: read_photo(directory / "images" / f"{name}.png", "a scene"),
        lambda name: tables[name][read_indices(objects / f"{name}.png", "the objects of a scene")],
        lambda name: read_indices(objects / f"{name}.png", "the objects of a scene"),
    )
    return SceneSet(dataset, styles)
