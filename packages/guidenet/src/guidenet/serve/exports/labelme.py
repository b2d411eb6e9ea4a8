"""Masks as labelme writes them: a JSON file of polygons for each image, beside which the image is to lie."""

from pathlib import PurePosixPath
from typing import Any

from guidenet.serve.exports.coco import outline
from guidenet.serve.exports.labels import Labelled
from guidenet.serve.exports.pieces import find_pieces


def as_labelme(image: Labelled) -> dict[str, Any]:
    """The contents of the file of one image: a polygon for each connected piece of a class."""
    height, width = image.labels.shape
    shapes = [
        {
            "label": name,
            "points": outline(piece).tolist(),
            "group_id": None,
            "description": "",
            "shape_type": "polygon",
            "flags": {},
            "mask": None,
        }
        for i, name in enumerate(image.classes, 1)
        for piece in find_pieces(image.labels == i)
    ]
    return {
        "version": "5.5.0",
        "flags": {},
        "shapes": shapes,
        "imagePath": PurePosixPath(image.name).name,
        "imageData": None,
        "imageHeight": height,
        "imageWidth": width,
    }
