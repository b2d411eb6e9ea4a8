"""COCO's instance annotations in their on-disk format (Lin et al. 2014).

Below the root are `annotations/instances_SPLIT.json` and `SPLIT/000000xxxxxx.jpg`. The annotations are under CC BY 4.0,
the photos under the terms of Flickr; neither is in this package nor fetched by it.

In the shape descriptions `H, W` denote pixels.
"""

import dataclasses
import json
from collections.abc import Iterable, Mapping
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


@dataclasses.dataclass(frozen=True)
class Annotations:
    """What a file of annotations holds.

    path: of the file.
    classes: names in the order of COCO's ids, which have gaps; the label of `classes[k]` is k + 1.
    photos: file name, height and width in px by the id of an image, which is a number as text.
    objects: by the id of an image, its annotations as they are in the file, with the label as `label`.
    """

    path: Path
    classes: tuple[str, ...]
    photos: Mapping[str, tuple[str, int, int]]
    objects: Mapping[str, tuple[Mapping[str, Any], ...]]


def read_annotations(path: str | Path) -> Annotations:
    """Reads `instances_SPLIT.json`.

    Raises:
      FileNotFoundError: there is no such file.
      ValueError: it is no JSON, lacks a field, or an annotation is of an image or a category that is not there.
    """
    what = "COCO's instance annotations, JSON with images, annotations and categories"
    try:
        content = json.loads(require(path, what).read_bytes())
    except ValueError as error:
        raise ValueError(f"{path} must be {what}: {error}") from None
    try:
        categories = sorted(content["categories"], key=lambda category: int(category["id"]))
        labels = {int(category["id"]): i + 1 for i, category in enumerate(categories)}
        photos = {
            str(image["id"]): (str(image["file_name"]), int(image["height"]), int(image["width"]))
            for image in content["images"]
        }
        objects: dict[str, list[Mapping[str, Any]]] = {name: [] for name in photos}
        for annotation in content["annotations"]:
            label = labels[int(annotation["category_id"])]
            objects[str(annotation["image_id"])].append({**annotation, "label": label})
        names = tuple(str(category["name"]) for category in categories)
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path} must be {what}; missing or of no such kind: {error}") from None
    return Annotations(Path(path), names, photos, {name: tuple(found) for name, found in objects.items()})


def decode(segmentation: Any, size: tuple[int, int]) -> rle.Mask:
    """`[H, W]` of what COCO has as `segmentation`: polygons, or run lengths as numbers or as text.

    Args:
      segmentation: a list of polygons, or a mapping with `counts` and `size`.
      size: height and width of the image, px.

    Raises:
      ValueError: it is neither, or of another size.
    """
    if isinstance(segmentation, list):
        return rle.draw_polygons(segmentation, size)
    if not isinstance(segmentation, Mapping) or not {"counts", "size"} <= set(segmentation):
        raise ValueError(f"segmentation must be polygons or counts and size, got {segmentation!r}")
    if tuple(segmentation["size"]) != size:
        raise ValueError(
            f"segmentation must have the {size[0]} x {size[1]} px of its image, got {segmentation['size']}"
        )
    counts = segmentation["counts"]
    return rle.decode_counts(rle.unpack_counts(counts) if isinstance(counts, str | bytes) else counts, size)


def load_coco(root: str | Path, split: str, classes: Iterable[str] | None = None) -> Dataset:
    """A set of COCO; ids are the numbers of images as text.

    Where objects overlap the smaller one is on top. Crowds, which are not told apart, are unknown where no object is.

    Args:
      root: the folder with `annotations`.
      split: such as `train2017` or `val2017`.
      classes: names of those that are labelled, in this order; None is all. Others are background.

    Raises:
      FileNotFoundError: there are no such annotations, or, when read, a photo is missing.
      ValueError: the annotations are damaged, there is no such class, or, when read, a photo is damaged or of another
        size than the annotations say.
    """
    root = Path(root)
    annotations = read_annotations(root / "annotations" / f"instances_{split}.json")
    names = annotations.classes if classes is None else tuple(classes)
    for name in names:
        if name not in annotations.classes:
            raise ValueError(f"classes must be among {', '.join(annotations.classes)}, got {name!r}")
    table = {annotations.classes.index(name) + 1: i + 1 for i, name in enumerate(names)}

    def photo(name: str) -> Path:
        return root / split / annotations.photos[name][0]

    def labels(name: str, instances: bool) -> Labels:
        found = _paint(annotations, name, table, instances)
        check_size(f"{annotations.path} (image {name})", found, photo(name))
        return found

    return Dataset(
        names,
        tuple(annotations.photos),
        lambda name: read_photo(photo(name), f"the photo {name} of COCO"),
        lambda name: labels(name, False),
        lambda name: labels(name, True),
    )


def _paint(annotations: Annotations, name: str, table: Mapping[int, int], instances: bool) -> Labels:
    _, height, width = annotations.photos[name]
    labels = np.zeros((height, width), np.int16)
    masks: list[tuple[rle.Mask, int]] = []
    for number, annotation in enumerate(annotations.objects[name]):
        if annotation["label"] not in table:
            continue
        try:
            mask = decode(annotation["segmentation"], (height, width))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{annotations.path} has a damaged annotation {number} of image {name}: {error}") from None
        if annotation.get("iscrowd"):
            labels[mask] = UNKNOWN
        else:
            masks.append((mask, table[annotation["label"]]))
    # The order of equal areas is that of the file, so the numbers of objects do not depend on anything else.
    for number in sorted(range(len(masks)), key=lambda i: -int(masks[i][0].sum())):
        mask, label = masks[number]
        labels[mask] = number + 1 if instances else label
    return labels
