"""COCO as data, and what others write in its format."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from guidenet.data.collections.record import Data, Wish, has_folds, of_images, part, share, whole
from guidenet.data.composites.benchmark import FOLDS, ROLES
from guidenet.data.dataset import Dataset
from guidenet.data.formats import coco

Divide = Callable[[Sequence[str], str], tuple[str, ...]]
"""What a role has of ids."""

_SPLITS = {
    "train": ("train2017", "train2014", "train", "default"),
    "validation": ("val2017", "val2014", "val", "valid", "validation"),
    "test": ("test",),
}


def open_coco(wish: Wish) -> Data:
    """`coco:FOLDER`."""
    folder = wish.folder
    parts = _parts({role: _find_split(folder, names) for role, names in _SPLITS.items()})
    if not parts:
        coco.find_annotations(folder, _SPLITS["train"][0])  # for its error
    if not wish.hold_out and "train" not in parts:
        raise ValueError(f"hold_out must be True with data {wish.name}, which is for tests only, got False")
    split, _ = parts["test"]
    annotations = coco.read_annotations(coco.find_annotations(folder, split))
    classes = annotations.classes
    annotated = tuple(name for name, objects in annotations.objects.items() if objects)
    held_out = others = classes
    if has_folds(wish, len(classes)):
        held_out = tuple(cls for i, cls in enumerate(classes) if i % len(FOLDS) == wish.fold)
        if wish.hold_out:
            others = tuple(cls for cls in classes if cls not in held_out)

    def images(role: str) -> Dataset:
        split, divide = parts[role]
        dataset = coco.load_coco(folder, split, held_out if role == "test" else others, labelled_only=True)
        if divide is not share:
            return dataset.select(divide(dataset.ids, role))
        # Roles have other classes of one set, so they divide all of its images: none is of two roles.
        shared = set(share(annotated, role))
        return dataset.select(name for name in dataset.ids if name in shared)

    return of_images(wish.name_of_fold, images, roles=tuple(parts))


def _parts(splits: Mapping[str, str | None]) -> dict[str, tuple[str, Divide]]:
    """For each role the set that its images are of, and how these are divided."""
    train, validation, test = (splits[role] for role in ROLES)
    other = test or validation
    if train and validation and test:
        return {"train": (train, whole), "validation": (validation, whole), "test": (test, whole)}
    if train and other:
        return {"train": (train, part), "validation": (train, part), "test": (other, whole)}
    if train:
        return dict.fromkeys(ROLES, (train, share))
    return {"test": (other, whole)} if other else {}


def _find_split(folder: str, names: Sequence[str]) -> str | None:
    """The first of these sets that there is."""
    return next(
        (split for split in names for place in coco.ANNOTATIONS if (Path(folder) / place.format(split)).is_file()), None
    )
