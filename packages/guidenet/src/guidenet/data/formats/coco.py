"""COCO's instance annotations in their on-disk format (Lin et al. 2014).

Below the root are `annotations/instances_SPLIT.json` and `SPLIT/000000xxxxxx.jpg`, or they are where CVAT, datumaro,
Roboflow and LVIS put them. COCO's annotations are under CC BY 4.0, its photos under the terms of Flickr; neither is in
this package nor fetched by it.

In the shape descriptions `H, W` denote pixels.
"""

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from guidenet.data.dataset import Dataset
from guidenet.data.files import UNKNOWN, Labels, check_size, read_photo, require
from guidenet.data.formats import rle

IN_VOC = (
    "airplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "dining table", "dog",
    "horse", "motorcycle", "person", "potted plant", "sheep", "couch", "train", "tv",
)  # fmt: skip
"""The names here of the classes of PASCAL VOC, in its order; thesis 4.4.3 transfers to the others."""


ANNOTATIONS = (
    "annotations/instances_{}.json",
    "annotations/{}.json",
    "annotations/lvis_v1_{}.json",
    "lvis_v1_{}.json",
    "{}/_annotations.coco.json",
    "instances_{}.json",
    "{}.json",
)
"""Where the annotations of a split are: COCO, CVAT and datumaro; LVIS; Roboflow."""

IMAGES = ("{}", "images/{}", "images", "")
"""Where the images of a split are."""


@dataclasses.dataclass(frozen=True)
class Annotations:
    """What a file of annotations holds.

    path: of the file.
    classes: names in the order of COCO's ids, which have gaps; the label of `classes[k]` is k + 1. Categories of one
      name, as Roboflow writes them, are one class.
    photos: file name, height and width in px by the id of an image, which is a number as text.
    objects: by the id of an image, its annotations as they are in the file, with the label as `label` and
      `iscrowd` as a number.
    num_skipped: annotations of images or categories that are not in the file, as when some were filtered out.
    """

    path: Path
    classes: tuple[str, ...]
    photos: Mapping[str, tuple[str, int, int]]
    objects: Mapping[str, tuple[Mapping[str, Any], ...]]
    num_skipped: int = 0


def read_annotations(path: str | Path) -> Annotations:
    """Reads `instances_SPLIT.json`. Annotations of an image or a category that is not there are skipped.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: it is no JSON, lacks a field, has an id or a photo twice, no categories, boxes only, or annotations of
        other images or categories only.
    """
    what = "COCO's instance annotations, JSON with images, annotations and categories"
    try:
        content = json.loads(require(path, what).read_bytes())
    except ValueError as error:
        raise ValueError(f"{path} must be {what}: {error}") from None
    try:
        categories = sorted(content["categories"], key=lambda category: _whole(category["id"]))
        names = tuple(dict.fromkeys(_name(category) for category in categories))
        labels = _number_categories(categories, names)
        photos = _read_photos(content["images"])
        objects: dict[str, list[Mapping[str, Any]]] = {name: [] for name in photos}
        skipped = 0
        for annotation in content["annotations"]:
            label, image = labels.get(_whole(annotation["category_id"])), _id(annotation["image_id"])
            if label is None or image not in objects:
                skipped += 1
            else:
                objects[image].append({**annotation, "label": label, "iscrowd": _whole(annotation.get("iscrowd") or 0)})
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise ValueError(f"{path} must be {what}; missing or of no such kind: {error}") from None
    found = [annotation for image in objects.values() for annotation in image]
    problem = ""
    if not names:
        problem = "no categories"
    elif skipped and not found:
        one = content["annotations"][0]
        problem = f"annotations of other images or categories only, as of {one['image_id']!r}, {one['category_id']!r}"
    elif found and not any(annotation.get("segmentation") for annotation in found):
        problem = "boxes only: no annotation has a segmentation"
    if problem:
        raise ValueError(f"{path} must be {what}, and has {problem}")
    return Annotations(Path(path), names, photos, {name: tuple(found) for name, found in objects.items()}, skipped)


def _number_categories(categories: Iterable[Mapping[str, Any]], names: Sequence[str]) -> dict[int, int]:
    """Labels by the id of a category. Raises `ValueError` if an id has two names."""
    labels: dict[int, int] = {}
    for category in categories:
        label = names.index(_name(category)) + 1
        if labels.setdefault(_whole(category["id"]), label) != label:
            raise ValueError(f"categories with ids of their own, got {category['id']} twice")
    return labels


def _read_photos(images: Iterable[Mapping[str, Any]]) -> dict[str, tuple[str, int, int]]:
    """`Annotations.photos`. Raises `ValueError` if an id or a file is there twice, or a photo has no size."""
    photos: dict[str, tuple[str, int, int]] = {}
    home: dict[str, str] = {}
    for image in images:
        name, file, size = _id(image["id"]), _file_name(image), (_whole(image["height"]), _whole(image["width"]))
        if min(size) < 1:
            raise ValueError(f"image {name} must have a height and a width, got {size[0]} x {size[1]} px")
        if name in photos:
            raise ValueError(f"images with ids of their own, got {name} for {photos[name][0]} and {file}")
        if home.setdefault(file, name) != name:
            raise ValueError(f"each image once, got {file} for the images {home[file]} and {name}")
        photos[name] = (file, *size)
    return photos


def _whole(value: Any) -> int:
    """A whole number, as text too. Raises `ValueError` if it has a fraction."""
    if isinstance(value, float) and not value.is_integer():
        raise ValueError(f"{value} is no whole number")
    return int(value)


def _name(category: Mapping[str, Any]) -> str:
    """Of a category, which some number. Raises `ValueError` if it has none."""
    if not isinstance(category["name"], str | int) or category["name"] == "":
        raise ValueError(f"the name of the category {category['id']} must be text, got {category['name']!r}")
    return str(category["name"])


def _id(value: Any) -> str:
    """As text; a column of whole numbers with a gap becomes fractions in some tools: 7.0."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _file_name(image: Mapping[str, Any]) -> str:
    """Below the folder of images: of a path on another machine the file; of LVIS the folder and file of the address."""
    if "file_name" in image or "coco_url" not in image:
        if not isinstance(image["file_name"], str) or not image["file_name"]:
            raise ValueError(f"file_name must be text, got {image['file_name']!r}")
        name = image["file_name"].replace("\\", "/")
        return name.rpartition("/")[2] if name.startswith("/") or name[1:3] == ":/" else name
    return "/".join(str(image["coco_url"]).split("/")[-2:])


def find_annotations(root: str | Path, split: str) -> Path:
    """The file of annotations of a split, in one of the places of `ANNOTATIONS`.

    Raises:
      FileNotFoundError: there is none.
      ValueError: there are several.
    """
    places = [Path(root) / place.format(split) for place in ANNOTATIONS]
    found = [place for place in places if place.is_file()]
    if len(found) > 1:
        raise ValueError(f"{root} must have one file of annotations for {split}, got {found[0]} and {found[1]}")
    if not found:
        others = ", ".join(place.format(split) for place in ANNOTATIONS[1:])
        raise FileNotFoundError(
            f"{places[0]} must be COCO's instance annotations, and there is no such file, nor {others}"
        )
    return found[0]


def decode(segmentation: Any, size: tuple[int, int]) -> rle.Mask:
    """`[H, W]` of what COCO has as `segmentation`: polygons, or run lengths as numbers or as text.

    Args:
      segmentation: a list of polygons, or a mapping with `counts` and `size`.
      size: height and width of the image, px.

    Raises:
      ValueError: it is neither, or of another size.
    """
    if isinstance(segmentation, list):
        if min(size) > 1 and segmentation and all(_is_fractions(polygon) for polygon in segmentation):
            raise ValueError(f"polygons must be in px, and these are within 0 and 1, as fractions: {segmentation[0]}")
        return rle.draw_polygons(segmentation, size)
    if not isinstance(segmentation, Mapping) or not {"counts", "size"} <= set(segmentation):
        raise ValueError(f"segmentation must be polygons or counts and size, got {segmentation!r}")
    if tuple(segmentation["size"]) != size:
        raise ValueError(
            f"segmentation must have the {size[0]} x {size[1]} px of its image, got {segmentation['size']}"
        )
    counts = segmentation["counts"]
    return rle.decode_counts(rle.unpack_counts(counts) if isinstance(counts, str | bytes) else counts, size)


def _is_fractions(polygon: Any) -> bool:
    """Whether all places of a polygon are from 0 to 1: no object that one can see in px, so of another format."""
    try:
        places = np.asarray(polygon, np.float64)
    except (TypeError, ValueError):
        return False  # drawing it says what is wrong
    return places.size >= 6 and bool(((places >= 0) & (places <= 1)).all())


def load_coco(
    root: str | Path,
    split: str,
    classes: Iterable[str] | None = None,
    *,
    annotations: str | Path | None = None,
    images: str | Path | None = None,
    labelled_only: bool = False,
) -> Dataset:
    """A set of COCO; ids are the numbers of images as text.

    Where objects overlap the smaller one is on top. Crowds, which are not told apart, and boxes of objects without a
    segmentation are unknown where no object is.

    Args:
      root: the folder with annotations and images.
      split: such as `train2017` or `val2017`; of Roboflow `train`, `valid` or `test`, of CVAT often `default`.
      classes: names of those that are labelled, in this order; None is all. Others are background.
      annotations: the file, where it is in none of the places of `ANNOTATIONS`.
      images: the folder, where it is in none of the places of `IMAGES`.
      labelled_only: leave out images without an object of the classes.

    Raises:
      FileNotFoundError: there are no such annotations, or, when read, a photo is missing.
      ValueError: the annotations are damaged, there is no such class, or, when read, a photo is damaged or of another
        size than the annotations say.
    """
    root = Path(root)
    found = read_annotations(find_annotations(root, split) if annotations is None else annotations)
    names = found.classes if classes is None else tuple(classes)
    for name in names:
        if name not in found.classes:
            raise ValueError(f"classes must be among {', '.join(found.classes)}, got {name!r}")
    table = {found.classes.index(name) + 1: i + 1 for i, name in enumerate(names)}
    folders = [root / place.format(split) for place in IMAGES] if images is None else [Path(images)]
    what = f"of COCO, there or below {', '.join(map(str, folders[1:]))}" if images is None else "of COCO"

    def photo(name: str) -> Path:
        paths = [folder / found.photos[name][0] for folder in folders]
        return next((path for path in paths if path.is_file()), paths[0])

    def labels(name: str, instances: bool) -> Labels:
        painted = _paint(found, name, table, instances)
        check_size(f"{found.path} (image {name})", painted, photo(name))
        return painted

    def is_labelled(name: str) -> bool:
        return any(one["label"] in table and not one["iscrowd"] and not _is_box(one) for one in found.objects[name])

    return Dataset(
        names,
        tuple(name for name in found.photos if not labelled_only or is_labelled(name)),
        lambda name: read_photo(photo(name), f"the photo {name} {what}"),
        lambda name: labels(name, False),
        lambda name: labels(name, True),
    )


def _is_box(annotation: Mapping[str, Any]) -> bool:
    """Whether a box is all that says where the object is."""
    return "bbox" in annotation and not annotation.get("segmentation")


def _paint(annotations: Annotations, name: str, table: Mapping[int, int], instances: bool) -> Labels:
    _, height, width = annotations.photos[name]
    labels = np.zeros((height, width), np.int16)
    masks: list[tuple[rle.Mask, int]] = []
    for number, annotation in enumerate(annotations.objects[name]):
        if annotation["label"] not in table:
            continue
        try:
            has_mask = bool(annotation.get("segmentation"))
            mask = decode(annotation["segmentation"], (height, width)) if has_mask else _box(annotation, height, width)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"{annotations.path} has a damaged annotation {number} of image {name}: {error}") from None
        if annotation["iscrowd"] or not has_mask:
            labels[mask] = UNKNOWN
        else:
            masks.append((mask, table[annotation["label"]]))
    # The order of equal areas is that of the file, so the numbers of objects do not depend on anything else.
    for number in sorted(range(len(masks)), key=lambda i: -int(masks[i][0].sum())):
        mask, label = masks[number]
        labels[mask] = number + 1 if instances else label
    return labels


def _box(annotation: Mapping[str, Any], height: int, width: int) -> rle.Mask:
    """`[H, W]` of all pixels that the box of an annotation touches."""
    left, top, across, down = map(float, annotation["bbox"])
    if not np.isfinite([left, top, across, down]).all():
        raise ValueError(f"bbox must have finite numbers, got {annotation['bbox']}")
    rows, columns = np.arange(height)[:, None], np.arange(width)
    return (rows + 1 > top) & (rows < top + down) & (columns + 1 > left) & (columns < left + across)
