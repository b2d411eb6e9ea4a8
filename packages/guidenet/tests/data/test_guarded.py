"""Files of the user: what is wrong with one is told as the user's mistake, whenever it is read."""

import json

import numpy as np
import pytest
from guidenet.data.guarded import guard, open_guarded
from guidenet.errors import UserError
from PIL import Image

MASK = np.zeros((8, 8), np.uint8)
MASK[2:6, 2:6] = 255
SQUARE = [1.0, 1.0, 5.0, 1.0, 5.0, 5.0, 1.0, 5.0]


def write(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def write_folder(root):
    for number in range(10):
        write(root / f"images/{number}.png", MASK)
        write(root / f"masks/{number}.png", MASK)


def write_fss(root):
    for name in "abcd":
        for number in range(1, 11):
            write(root / name / f"{number}.jpg", MASK)
            write(root / name / f"{number}.png", MASK)


def write_coco(root):
    images = [{"id": i, "file_name": f"{i}.png", "height": 8, "width": 8} for i in range(10)]
    annotations = [{"image_id": i, "category_id": 1, "segmentation": [SQUARE]} for i in range(10)]
    content = {"images": images, "categories": [{"id": 1, "name": "a"}], "annotations": annotations}
    (root / "annotations").mkdir(parents=True)
    (root / "annotations/instances_train.json").write_text(json.dumps(content))
    for number in range(10):
        write(root / f"train/{number}.png", MASK)


WRITERS = {"folder": write_folder, "fss": write_fss, "coco": write_coco}


def open_one(name, root):
    """Data of that kind, and a test image of theirs."""
    WRITERS[name](root)
    data = open_guarded(f"{name}:{root}")
    return data, data.source("semantic", "test").dataset


@pytest.mark.parametrize(("name", "image"), [("folder", "images/2.png"), ("fss", "d/1.jpg"), ("coco", "train/2.png")])
@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"no image"), lambda path: path.unlink()])
def test_a_photo_that_is_damaged_later(tmp_path, name, image, damage):
    _, dataset = open_one(name, tmp_path)
    first = dataset.ids[0]
    assert dataset.image(first).shape == (8, 8, 3)
    damage(tmp_path / image)
    with pytest.raises(UserError, match=image):
        dataset.image(first)


@pytest.mark.parametrize(("name", "mask"), [("folder", "masks/2.png"), ("fss", "d/1.png")])
def test_a_mask_that_is_damaged_before_and_later(tmp_path, name, mask):
    data, dataset = open_one(name, tmp_path)
    before = (tmp_path / mask).read_bytes()
    assert set(np.unique(dataset.class_labels(dataset.ids[0]))) == {0, 1}
    for content in (before[:60], b"no image"):
        (tmp_path / mask).write_bytes(content)
        with pytest.raises(UserError, match=f"{mask} must be"):
            dataset.class_labels(dataset.ids[0])
        with pytest.raises(UserError, match=f"{mask} must be"):
            open_guarded(data.name).source("semantic", "test")
    write(tmp_path / mask, MASK[:4])
    with pytest.raises(UserError, match="must have the 8 x 8 px"):
        dataset.class_labels(dataset.ids[0])


@pytest.mark.parametrize(
    "segmentation",
    [None, [[1, 2]], [["a"] * 6], {"counts": [10**30], "size": [8, 8]}, {"counts": "~", "size": [8, 8]}, "x", 5],
)
def test_a_damaged_annotation_of_coco(tmp_path, segmentation):
    write_coco(tmp_path)
    path = tmp_path / "annotations/instances_train.json"
    content = json.loads(path.read_text())
    content["annotations"][2]["segmentation"] = segmentation
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match="has a damaged annotation 0 of image 2: "):
        open_guarded(f"coco:{tmp_path}").source("semantic", "test")


def test_kinds_of_tasks_share_their_images(tmp_path):
    data, dataset = open_one("folder", tmp_path)
    assert data.source("interactive", "test").dataset is dataset


def test_a_mistake_of_ours_is_no_mistake_of_a_file(tmp_path):
    data, _ = open_one("folder", tmp_path)

    def broken(kind, role):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        guard(data._replace(source=broken)).source("semantic", "test")
