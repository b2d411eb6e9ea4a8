"""Masks as one COCO file, with run lengths or with polygons; see https://cocodataset.org/#format-data ."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from guidenet.data.formats.rle import pack_counts
from guidenet.serve.exports.contours import polygon, simplify, trace
from guidenet.serve.exports.labels import Labelled
from guidenet.serve.exports.pieces import Piece, find_pieces

TOLERANCE = 0.75
"""How far the edge of a polygon may lie from that of the mask, px."""


def as_coco(images: Iterable[Labelled], *, polygons: bool) -> dict[str, Any]:
    """The contents of a COCO file: each connected piece of a class is an annotation.

    Args:
      images: with equal classes.
      polygons: outlines to within `TOLERANCE`, or else run lengths, which are exact.
    """
    described: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    classes: Sequence[str] = ()
    for number, image in enumerate(images, 1):
        height, width = image.labels.shape
        described.append({"id": number, "file_name": image.name, "height": height, "width": width})
        classes = image.classes
        for i in range(len(classes)):
            for piece in find_pieces(image.labels == i + 1):
                shape = [outline(piece).ravel().tolist()] if polygons else _runs(piece)
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": number,
                        "category_id": i + 1,
                        "segmentation": shape,
                        "area": piece.area,
                        "bbox": list(piece.box),
                        "iscrowd": 0,
                    }
                )
    categories = [{"id": i, "name": name, "supercategory": ""} for i, name in enumerate(classes, 1)]
    return {"images": described, "categories": categories, "annotations": annotations}


def outline(piece: Piece) -> np.ndarray[Any, np.dtype[np.float64]]:
    """`[P, 2]`: x and y of the polygon around a piece and around its holes, px."""
    left, top, _, _ = piece.box
    return polygon([simplify(found, TOLERANCE) for found in trace(piece.mask())]) + np.array([left, top])


def _runs(piece: Piece) -> dict[str, Any]:
    return {"size": [piece.height, piece.width], "counts": pack_counts(piece.counts())}
