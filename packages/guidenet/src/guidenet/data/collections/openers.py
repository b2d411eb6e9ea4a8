"""Data of other formats, which need a few lines each: VOC, FSS-1000, a folder of one's own, DAVIS, real photos."""

import functools
from collections.abc import Sequence

from guidenet.checks import check_choice
from guidenet.data import real
from guidenet.data.collections.record import Data, Wish, has_folds, of_images, part, share
from guidenet.data.composites.benchmark import ROLES
from guidenet.data.dataset import Dataset, class_masks
from guidenet.data.footage import Footage
from guidenet.data.formats import davis, folder, fss, pascal5i, voc
from guidenet.data.sources import Source, video_source


def open_voc(wish: Wish) -> Data:
    """`voc:FOLDER`."""
    path = wish.folder
    num_classes = len(voc.read_classes(path))
    is_held_out = has_folds(wish, num_classes)

    def images(role: str) -> Dataset:
        dataset = voc.load_voc(path, "val" if role == "test" else "train")
        contents = pascal5i.contents(class_masks(dataset))
        if not is_held_out:
            train = held_out = tuple(contents)
        else:
            train, held_out = pascal5i.split_images(contents, wish.fold, num_classes)
            if not wish.hold_out:
                train = (*train, *held_out)
        return dataset.select(held_out if role == "test" else part(train, role))

    voc.read_ids(path, "train")  # for its error
    return of_images(wish.name_of_fold, images)


def open_fss(wish: Wish) -> Data:
    """`fss:FOLDER`."""
    classes = fss.divide_classes(wish.folder)
    return of_images(wish.name, lambda role: fss.load_fss(wish.folder, classes[role]), ("semantic",))


def open_folder(wish: Wish) -> Data:
    """`folder:FOLDER`."""
    path = wish.folder
    pairs = folder.find_pairs(path)
    if "all" in pairs:
        groups: dict[tuple[str, ...], list[str]] = {}
        for image, pair in pairs["all"].items():
            groups.setdefault(pair.folder, []).append(image)
        names = {role: tuple(image for ids in groups.values() for image in share(ids, role)) for role in ROLES}
    else:
        if not {"train", "validation"} <= set(pairs):
            raise ValueError(f"{path}/images must have the subfolders train and val, and perhaps test, got {[*pairs]}")
        names = {role: tuple(found) for role, found in pairs.items()}
        if "test" not in names:
            train = names["train"]
            names = {
                "train": part(train, "train"),
                "validation": part(train, "validation"),
                "test": names["validation"],
            }
    dataset = folder.load_folder(path, {image: pair for found in pairs.values() for image, pair in found.items()})
    return of_images(wish.name, lambda role: dataset.select(names[role]))


def open_davis(wish: Wish) -> Data:
    """`davis:FOLDER`."""
    path = wish.folder

    @functools.cache
    def clips(role: str) -> Sequence[Footage]:
        check_choice("role", role, ROLES)
        if role == "test":
            return davis.read_videos(path, "val")
        return part(davis.read_videos(path, "train"), role)

    def source(kind: str, role: str) -> Source:
        check_choice("kind", kind, ["video"])
        return video_source(clips(role))

    davis.read_names(path, "train")  # for its error
    return Data(wish.name, ("video",), source, clips)


def open_real(wish: Wish) -> Data:
    """`real` and `real:PHOTO`."""
    names = (wish.folder,) if wish.folder else tuple(real.PHOTOS)
    check_choice("data real", names[0], list(real.PHOTOS))
    found = real.photo_source(names)

    def source(kind: str, role: str) -> Source:
        check_choice("kind", kind, ["interactive"])
        check_choice("role", role, ["test"])
        return found

    return Data(wish.name, ("interactive",), source, lambda role: (), ("test",))
