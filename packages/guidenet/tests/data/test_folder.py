"""Images and masks of one's own: what is an object, what is a class, and what is for training and test."""

import numpy as np
import pytest
from guidenet.data.catalogue import open_data
from guidenet.data.dataset import class_masks, instance_masks
from guidenet.data.files import write_indices
from guidenet.data.formats import folder
from PIL import Image

ROLES = ("train", "validation", "test")
SIZE = (8, 10)
TWO = np.zeros(SIZE, np.uint8)
TWO[1:3, 1:3], TWO[5:7, 2:8] = 1, 2


def add(root, name, mask, suffix=".jpg"):
    image, path = root / "images" / f"{name}{suffix}", root / "masks" / f"{name}.png"
    for one in (image, path):
        one.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", SIZE[::-1]).save(image, {".jpg": "JPEG", ".JPG": "JPEG"}.get(suffix))
    (Image.fromarray(mask) if isinstance(mask, np.ndarray) else mask).save(path)


def load(root):
    (pairs,) = folder.find_pairs(root).values()
    return folder.load_folder(root, pairs)


def test_connected_parts_of_black_and_white_masks_are_objects(tmp_path):
    for number, values in enumerate([(TWO > 0) * np.uint8(255), np.minimum(TWO, 1), TWO > 0]):
        add(tmp_path, f"{number}", np.asarray(values))
    found = load(tmp_path)
    assert (found.classes, found.ids) == (("object",), ("0", "1", "2"))
    for name in found.ids:
        np.testing.assert_array_equal(found.class_labels(name), TWO > 0)
        np.testing.assert_array_equal(found.instance_labels(name), TWO)
    assert instance_masks(found.select("0")) == (("0", 1, 1, 4), ("0", 2, 1, 12))


def test_values_without_names_are_objects(tmp_path):
    add(tmp_path, "a", TWO * np.uint8(100))
    add(tmp_path, "b", TWO.astype(np.uint16) * 30000)
    add(tmp_path, "c", np.where(TWO == 0, 255, TWO).astype(np.uint8))
    found = load(tmp_path)
    for name in "ab":
        np.testing.assert_array_equal(found.class_labels(name), TWO > 0)
        np.testing.assert_array_equal(found.instance_labels(name), TWO)
    np.testing.assert_array_equal(found.instance_labels("c"), np.where(TWO == 0, -1, TWO.astype(int)))


def test_values_with_names_are_classes(tmp_path):
    (tmp_path / "classes.txt").write_text("background\n猫\ndog\n", encoding="utf-8")
    add(tmp_path, "a", TWO)
    add(tmp_path, "sub/b", np.where(TWO == 1, 255, TWO).astype(np.uint8))
    write_indices(tmp_path / "masks/a.png", TWO.astype(np.int16))
    found = load(tmp_path)
    assert found.classes == ("猫", "dog")
    np.testing.assert_array_equal(found.class_labels("a"), TWO)
    np.testing.assert_array_equal(found.instance_labels("a"), TWO)
    np.testing.assert_array_equal(found.class_labels("sub/b"), np.where(TWO == 1, -1, TWO.astype(int)))
    assert class_masks(found.select("a")) == (("a", 1, 1, 4), ("a", 2, 2, 12))
    add(tmp_path, "a", TWO * np.uint8(2))
    with pytest.raises(ValueError, match=r"a.png has the class 4, and classes.txt names 2"):
        found.class_labels("a")


def test_one_named_class_may_be_black_and_white(tmp_path):
    (tmp_path / "classes.txt").write_text("cat\n")
    add(tmp_path, "a", (TWO > 0) * np.uint8(255))
    add(tmp_path, "b", TWO)
    found = load(tmp_path)
    np.testing.assert_array_equal(found.class_labels("a"), TWO > 0)
    with pytest.raises(ValueError, match=r"b.png has the class 2, and classes.txt names 1"):
        found.class_labels("b")


WHITE = (TWO == 2) * np.uint8(255)


def test_white_among_numbers_of_classes_is_unknown_if_another_mask_tells(tmp_path):
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    add(tmp_path, "a", TWO)
    add(tmp_path, "b", WHITE)
    with pytest.raises(ValueError, match=r"b.png is black and white, where white may be the class 1 or unknown"):
        load(tmp_path).class_labels("b")
    inverted = Image.fromarray((TWO != 2).astype(np.uint8))
    inverted.putpalette([255, 255, 255, 0, 0, 0])
    add(tmp_path, "c", inverted)
    add(tmp_path, "d", np.where(TWO == 1, 255, TWO).astype(np.uint8))
    np.testing.assert_array_equal(load(tmp_path).class_labels("b"), -(TWO == 2).astype(int))
    with pytest.raises(ValueError, match=r"c.png is black and white, where white may be the class 1 or another label"):
        load(tmp_path).class_labels("c")


@pytest.mark.parametrize("names", ["", "cat\n"])
def test_masks_of_one_class_have_one_reading(tmp_path, names):
    if names:
        (tmp_path / "classes.txt").write_text(names)
    add(tmp_path, "a", WHITE)
    add(tmp_path, "b", np.minimum(TWO, 1))
    np.testing.assert_array_equal(load(tmp_path).class_labels("a"), TWO == 2)
    add(tmp_path, "c", np.where(TWO == 1, 255, TWO == 2).astype(np.uint8))
    with pytest.raises(ValueError, match=r"a.png is black and white, and in .*c.png 255 is unknown: masks of a folder"):
        load(tmp_path).class_labels("a")


def test_255_is_refused_where_it_may_be_a_class(tmp_path):
    (tmp_path / "classes.txt").write_text("".join(f"class {number}\n" for number in range(1, 301)))
    mask = np.where(TWO == 2, 255, TWO).astype(np.uint16)
    add(tmp_path, "a", mask)
    add(tmp_path, "b", np.where(TWO == 1, 65535, mask).astype(np.uint16))
    with pytest.raises(ValueError, match=r"a.png has 255, which may be unknown or one of the 300 classes"):
        load(tmp_path).class_labels("a")
    np.testing.assert_array_equal(load(tmp_path).class_labels("b"), np.where(TWO == 1, -1, np.where(TWO == 2, 255, 0)))


def test_one_and_numbers_of_objects_in_a_folder(tmp_path):
    """1 in two places: two objects as all masks of 0 and 1, or one object in pieces as where each has its number."""
    add(tmp_path, "a", np.minimum(TWO, 1))
    add(tmp_path, "b", (TWO == 2).astype(np.uint8))
    add(tmp_path, "c", TWO)
    found = load(tmp_path)
    np.testing.assert_array_equal(found.instance_labels("b"), TWO == 2)
    with pytest.raises(ValueError, match=r"a.png has 0 and 1, and .*c.png a number for each object: 1 may be one"):
        found.instance_labels("a")


@pytest.mark.parametrize("greys", [(128,), (64, 128, 191)])
def test_greys_at_edges_are_no_objects(tmp_path, greys):
    mask = np.zeros((20, 20), np.uint8)
    mask[5:15, 5:15] = 255
    mask[5, 5 : 5 + len(greys)] = greys
    add(tmp_path, "a", mask)
    with pytest.raises(
        ValueError, match=r"a.png has the values 0, .* which may be classes, objects .*: a mask of a data"
    ):
        load(tmp_path).class_labels("a")


def test_subfolders_are_classes(tmp_path):
    for name in ("dog/1", "cat/1", "cat/2"):
        add(tmp_path, name, (TWO > 0) * np.uint8(255), ".JPG")
    found = load(tmp_path)
    assert found.classes == ("cat", "dog")
    np.testing.assert_array_equal(found.class_labels("dog/1"), 2 * (TWO > 0))
    np.testing.assert_array_equal(found.instance_labels("dog/1"), TWO)
    add(tmp_path, "3", TWO)
    with pytest.raises(ValueError, match="images must have all images in a subfolder for each class, or none"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda root: (root / "masks/1.png").unlink(), r"masks must have a mask 1 for .*images/1.jpg.*\(1 of 2 lack"),
        (lambda root: (root / "images/1.jpg").unlink(), r"images must have an image 1 for .*masks/1.png.*\(1 of 2"),
        (lambda root: (root / "images/1.jpg").rename(root / "images/0.png"), "one file of each name, got .* and "),
        (lambda root: (root / "classes.txt").write_text("a\na"), "classes.txt must name classes, each once, got a, a"),
        (lambda root: add(root, "1", TWO[:4]), "1.png must have the 8 x 10 px of .*1.jpg, got 4 x 10"),
        (lambda root: (root / "classes.txt").write_text("0: a\n1: b"), "in order and without numbers, got '0: a'"),
        (lambda root: add(root, "1", np.dstack([TWO * 90, TWO, TWO])), "1.png has the colours.*: a mask of a data set"),
        (
            lambda root: write_indices(root / "masks/1.png", TWO.astype(np.int16)),
            "1.png has the class 2, and no classes.txt names any",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path, change, message):
    for name in "01":
        add(tmp_path, name, np.minimum(TWO, 1))
    change(tmp_path)
    if (tmp_path / "images/1.jpg").exists():
        Image.new("RGB", SIZE[::-1]).save(tmp_path / "images/1.jpg")
    with pytest.raises(ValueError, match=message):
        load(tmp_path).class_labels("1")


def test_names_of_two_systems_are_equal_if_they_look_so(tmp_path):
    add(tmp_path, "caf\u00e9", TWO)
    (tmp_path / "masks/caf\u00e9.png").rename(tmp_path / "masks/cafe\u0301.png")
    assert load(tmp_path).ids == ("caf\u00e9",)


def test_missing_folders_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"images must be a folder of images/NAME.jpg and masks/NAME.png"):
        open_data(f"folder:{tmp_path}")
    add(tmp_path, "a", TWO)
    (tmp_path / "masks/a.png").unlink()
    with pytest.raises(ValueError, match="masks must have images in it"):
        open_data(f"folder:{tmp_path}")


def test_images_are_divided_within_each_class(tmp_path):
    for name in ("cat", "dog"):
        for number in range(10):
            add(tmp_path, f"{name}/{number}", np.minimum(TWO, 1))
    data = open_data(f"folder:{tmp_path}")
    assert (data.kinds, data.roles, data.name) == (("semantic", "interactive"), ROLES, f"folder:{tmp_path}")
    ids = {role: data.source("semantic", role).dataset.ids for role in ROLES}
    assert ids["test"] == ("cat/2", "cat/7", "dog/2", "dog/7")
    assert ids["validation"] == ("cat/1", "cat/6", "dog/1", "dog/6")
    assert len(ids["train"]) == 12
    assert not set(ids["train"]) & {*ids["test"], *ids["validation"]}
    assert len(data.source("interactive", "test").masks) == 8
    with pytest.raises(ValueError, match="fold must be one of 0, got 1"):
        open_data(f"folder:{tmp_path}", 1)
    with pytest.raises(ValueError, match="kind must be one of semantic, interactive, got 'video'"):
        data.source("video", "test")


@pytest.mark.parametrize(
    ("folders", "sizes"),
    [
        (("train", "val", "test"), (12, 3, 2)),
        (("Train", "VALID"), (10, 2, 3)),
        (("training", "validation", "testing"), (12, 3, 2)),
    ],
)
def test_subfolders_may_be_roles(tmp_path, folders, sizes):
    for name, number in zip(folders, (12, 3, 2), strict=False):
        for i in range(number):
            add(tmp_path, f"{name}/{i}", np.minimum(TWO, 1))
    data = open_data(f"folder:{tmp_path}")
    assert data.source("semantic", "train").dataset.classes == ("object",)
    assert tuple(len(data.source("semantic", role).dataset.ids) for role in ROLES) == sizes


@pytest.mark.parametrize(("other", "told"), [("more/x", "more"), ("x", "no subfolder")])
def test_images_beside_the_subfolders_for_roles_are_no_class(tmp_path, other, told):
    for name in ("train/0", "Val/0", other):
        add(tmp_path, name, np.minimum(TWO, 1))
    with pytest.raises(ValueError, match=rf"for roles \(Val, train\) or none, got images in {told} too"):
        open_data(f"folder:{tmp_path}")


def test_a_class_may_be_called_as_a_role(tmp_path):
    for name in ("train/0", "bus/0"):
        add(tmp_path, name, np.minimum(TWO, 1))
    assert load(tmp_path).classes == ("bus", "train")


def test_more_objects_than_there_are_numbers_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(folder, "_LARGEST", 1)
    add(tmp_path, "a", np.minimum(TWO, 1))
    with pytest.raises(ValueError, match=r"masks/a.png must have at most 1 objects, what touches being one"):
        load(tmp_path).instance_labels("a")


def test_too_few_images_are_told(tmp_path):
    for i in range(6):
        add(tmp_path, f"{i}", np.minimum(TWO, 1) if i != 1 else np.zeros(SIZE, np.uint8))
    data = open_data(f"folder:{tmp_path}")
    message = "two images of some class for test, and folder:.* has 1 images for that"
    with pytest.raises(ValueError, match=message):
        data.source("semantic", "test")
    with pytest.raises(ValueError, match=r"objects for validation, and folder:.*, with nothing in them"):
        data.source("interactive", "validation")
    assert data.source("interactive", "test").masks
