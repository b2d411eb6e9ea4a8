"""Collections by name: what is trained on, chosen by and tested with are apart."""

import itertools
import json

import numpy as np
import pytest
from guidenet.data.catalogue import open_data
from guidenet.data.collections.cut_outs import cut_outs
from guidenet.data.composites.library import write_library
from guidenet.data.dataset import in_memory
from guidenet.data.files import write_indices
from guidenet.data.formats import davis
from PIL import Image

ROLES = ("train", "validation", "test")


def test_cut_outs_are_drawn_once_and_roles_share_no_class(shapes):
    data = cut_outs(shapes.make_benchmark(), 1)
    sources = {role: data.source("semantic", role) for role in ROLES}
    classes = {role: {mask.cls for mask in source.masks} for role, source in sources.items()}
    assert all(not classes[a] & classes[b] for a, b in itertools.combinations(ROLES, 2))
    assert data.source("interactive", "test").dataset is sources["test"].dataset
    name = sources["test"].dataset.ids[0]
    assert sources["test"].dataset.image(name) is sources["test"].dataset.image(name)
    tasks = sources["test"].sample(5, np.random.default_rng(0))
    styles = [[mask.id.split("-")[2] for mask in (task.support[0], task.query)] for task in tasks]
    assert all(support != query for support, query in styles)
    assert data.clips("validation")
    assert data.source("video", "validation").sample(3, np.random.default_rng(0))
    with pytest.raises(
        ValueError, match="kind must be one of semantic, interactive, video, textured, similar, got 'still'"
    ):
        data.source("still", "test")


def test_cut_outs_of_a_folder(shapes, tmp_path):
    rng = np.random.default_rng(0)
    write_library(tmp_path / "photos", shapes.make_test_library())
    data = open_data(f"cut-outs:{tmp_path / 'photos'}")
    assert (data.roles, data.name) == (("test",), f"cut-outs:{tmp_path / 'photos'}, fold 0")
    source = data.source("semantic", "test")
    assert {mask.cls for mask in source.masks} == {1, 2, 3, 4, 5, 6}
    styles = [[mask.id.split("-")[2] for mask in (*task.support, task.query)] for task in source.sample(9, rng)]
    assert all(support != query for support, query in styles)
    with pytest.raises(ValueError, match="role must be test with cut-outs that are for tests only, got 'train'"):
        data.source("semantic", "train")
    with pytest.raises(ValueError, match="fold must be one of 0, got 2"):
        open_data(f"cut-outs:{tmp_path / 'photos'}", 2)


def test_folders_that_are_no_cut_outs_are_named(shapes, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none/cut-outs\.json must be the description of a folder of cut-outs"):
        open_data(f"cut-outs:{tmp_path}/none")
    write_library(tmp_path / "few", shapes.make_library())
    message = (
        r"few must have 4 subcategories for each of four folds and validation, got 12 in all and 2 for one of them"
    )
    with pytest.raises(ValueError, match=message):
        open_data(f"cut-outs:{tmp_path}/few")
    message = (
        "data must be cut-outs, cut-outs:FOLDER, voc:FOLDER, coco:FOLDER, fss:FOLDER, davis:FOLDER, folder:FOLDER, "
        "real or real:PHOTO, got"
    )
    for name in ("cut-outs:", "voc", "coco:", "folder", "real:"):
        with pytest.raises(ValueError, match=f"{message} '{name}'"):
            open_data(name)


def test_data_in_memory_are_the_same(shapes):
    dataset = shapes.make_benchmark().role("validation", 0).dataset
    dataset = dataset.select(dataset.ids[:3])
    read = in_memory(dataset)
    for name in dataset.ids:
        np.testing.assert_array_equal(read.image(name), dataset.image(name))
        np.testing.assert_array_equal(read.class_labels(name), dataset.class_labels(name))
        np.testing.assert_array_equal(read.instance_labels(name), dataset.instance_labels(name))
    once = read.class_labels(name)
    once[:] = -1  # what a reader does to its labels stays its own
    np.testing.assert_array_equal(read.class_labels(name), dataset.class_labels(name))


def write_voc(root):
    """Twenty images of one class each for training, and as many for validation."""
    for folder in ("JPEGImages", "SegmentationClass", "SegmentationObject", "ImageSets/Segmentation"):
        (root / folder).mkdir(parents=True)
    for split in ("train", "val"):
        names = [f"{split}_{cls:02}" for cls in range(1, 21)]
        (root / "ImageSets" / "Segmentation" / f"{split}.txt").write_text("\n".join(names))
        for cls, name in enumerate(names, 1):
            Image.fromarray(np.full((8, 8, 3), cls, np.uint8)).save(root / "JPEGImages" / f"{name}.jpg")
            for folder, value in (("SegmentationClass", cls), ("SegmentationObject", 1)):
                labels = np.zeros((8, 8), np.int16)
                labels[2:6, 2:6] = value
                write_indices(root / folder / f"{name}.png", labels)


def test_voc_holds_a_fifth_of_the_classes_out(tmp_path):
    write_voc(tmp_path)
    data = open_data(f"voc:{tmp_path}", 2)
    assert data.kinds == ("semantic", "interactive")
    classes = {role: {mask.cls for mask in data.source("interactive", role).masks} for role in ROLES}
    assert classes["test"] == {11, 12, 13, 14, 15}
    assert classes["validation"] == {1, 16}
    assert classes["train"] == set(range(1, 21)) - classes["test"] - classes["validation"]
    assert not data.clips("test")
    with pytest.raises(ValueError, match="kind must be one of semantic, interactive, got 'video'"):
        data.source("video", "test")
    oracle = open_data(f"voc:{tmp_path}", 2, hold_out=False)
    train, test = ({mask.id for mask in oracle.source("interactive", role).masks} for role in ("train", "test"))
    assert {"train_11", "train_15"} <= train
    assert not train & test
    assert oracle.name == f"{data.name}, nothing held out"


def test_an_oracle_is_trained_on_the_test_classes_in_other_scenes(shapes):
    benchmark = shapes.make_benchmark()
    known, oracle = (cut_outs(benchmark, 1, hold_out=hold_out) for hold_out in (True, False))
    train = [set(data.source("semantic", "train").dataset.ids) for data in (known, oracle)]
    assert train[0] < train[1]
    assert not train[1] & set(oracle.source("semantic", "test").dataset.ids)
    found = {benchmark.library.concepts[mask.cls - 1] for mask in oracle.source("semantic", "train").masks}
    assert set(benchmark.concepts("test", 1)) <= found
    names = [clip.name for clip in oracle.clips("train")]
    assert len(names) == len(set(names)) == 2 * len(known.clips("train"))
    assert [clip.name for clip in oracle.clips("test")] == [clip.name for clip in known.clips("test")]


def test_photos_are_for_tests_only():
    data = open_data("real:coins")
    assert (data.name, data.kinds, data.roles) == ("real:coins", ("interactive",), ("test",))
    assert data.source("interactive", "test").dataset.ids == ("coins",)
    with pytest.raises(ValueError, match="role must be one of test, got 'train'"):
        data.source("interactive", "train")
    for change, message in [({"fold": 1}, "fold must be one of 0"), ({"hold_out": False}, "hold_out must be True")]:
        with pytest.raises(ValueError, match=message):
            open_data("real:coins", **change)


def test_davis_sets_a_tenth_of_the_clips_apart(tmp_path):
    labels = np.zeros((6, 8), np.int16)
    labels[2:4, 2:5] = 1
    names = [f"clip-{i:02}" for i in range(12)]
    for name in names:
        davis.write_video(tmp_path, name, [np.zeros((6, 8, 3), np.uint8)] * 2, [labels] * 2)
    davis.write_names(tmp_path, "train", names[:11])
    davis.write_names(tmp_path, "val", names[11:])
    data = open_data(f"davis:{tmp_path}")
    assert [clip.name for clip in data.clips("validation")] == ["clip-00", "clip-10"]
    assert [clip.name for clip in data.clips("train")] == names[1:10]
    assert [clip.name for clip in data.clips("test")] == ["clip-11"]
    assert data.source("video", "test").sample(1, np.random.default_rng(0))[0].query.area == 6
    with pytest.raises(ValueError, match="fold must be one of 0, got 1"):
        open_data(f"davis:{tmp_path}", 1)
    with pytest.raises(FileNotFoundError, match="DAVIS's list of the clips of train"):
        open_data(f"davis:{tmp_path}/none")


def test_voc_with_classes_of_ones_own(tmp_path):
    write_voc(tmp_path)
    (tmp_path / "labels.txt").write_text("\n".join(f"thing-{i}" for i in range(24)))
    classes = {mask.cls for mask in open_data(f"voc:{tmp_path}", 1).source("interactive", "test").masks}
    assert classes == set(range(7, 13))
    (tmp_path / "labels.txt").write_text("thing\nother")
    with pytest.raises(
        ValueError, match=r"fold must be 0 with the 2 classes of voc:.*, too few to hold some out, got 1"
    ):
        open_data(f"voc:{tmp_path}", 1)
    for path in (tmp_path / "SegmentationClass").iterdir():
        write_indices(path, np.where(np.asarray(Image.open(path)) > 0, 1 + int(path.stem[-1]) % 2, 0).astype(np.int16))
    data = open_data(f"voc:{tmp_path}")
    for role, number in (("train", 18), ("validation", 2), ("test", 20)):
        found = data.source("interactive", role)
        assert ({mask.cls for mask in found.masks}, len(found.masks)) == ({1, 2} if number > 2 else {2}, number)


def write_coco(root, place, split, names, number=12):
    """Images of one object each, in the order of the classes."""
    images = [{"id": i, "file_name": f"{i}.png", "height": 8, "width": 8} for i in range(number)]
    square = [1.0, 1.0, 5.0, 1.0, 5.0, 5.0, 1.0, 5.0]
    content = {
        "images": [*images, {"id": 99, "file_name": "none.png", "height": 8, "width": 8}],
        "categories": [{"id": 10 * i, "name": name} for i, name in enumerate(names)],
        "annotations": [
            {"image_id": i, "category_id": 10 * (i % len(names)), "segmentation": [square]} for i in range(number)
        ],
    }
    path = root / place.format(split)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    (root / split).mkdir(exist_ok=True)
    for image in images:
        Image.new("RGB", (8, 8)).save(root / split / image["file_name"])


def test_coco_holds_every_fourth_class_out(tmp_path):
    for split in ("train2017", "val2017"):
        write_coco(tmp_path, "annotations/instances_{}.json", split, "abcdef", 24)
    data = open_data(f"coco:{tmp_path}", 1)
    found = {role: data.source("interactive", role).dataset for role in ROLES}
    assert {role: dataset.classes for role, dataset in found.items()} == {
        "train": tuple("acde"), "validation": tuple("acde"), "test": tuple("bf"),
    }  # fmt: skip
    assert [len(found[role].ids) for role in ROLES] == [14, 2, 8]
    assert data.source("semantic", "test").sample(2, np.random.default_rng(0))


def test_an_oracle_of_coco_is_trained_on_the_test_classes(tmp_path):
    for split in ("train2017", "val2017"):
        write_coco(tmp_path, "annotations/instances_{}.json", split, "abcdef", 24)
    known, oracle = (open_data(f"coco:{tmp_path}", 1, hold_out=hold_out) for hold_out in (True, False))
    assert oracle.name == f"{known.name}, nothing held out"
    assert oracle.source("interactive", "train").dataset.classes == tuple("abcdef")
    assert [len(oracle.source("interactive", role).dataset.ids) for role in ROLES] == [21, 3, 8]
    assert oracle.source("interactive", "test").dataset.ids == known.source("interactive", "test").dataset.ids


@pytest.mark.parametrize("hold_out", [True, False])
def test_no_image_of_one_set_of_coco_is_in_two_roles(tmp_path, hold_out):
    """Though the roles have other classes, and images have several."""
    write_coco(tmp_path, "annotations/instances_{}.json", "default", "abcde", 40)
    path = tmp_path / "annotations/instances_default.json"
    content = json.loads(path.read_text())
    square = [6.0, 6.0, 8.0, 6.0, 8.0, 8.0, 6.0, 8.0]
    content["annotations"] += [
        {"image_id": i, "category_id": 10 * (i // 5 % 5), "segmentation": [square]} for i in range(40)
    ]
    path.write_text(json.dumps(content))
    data = open_data(f"coco:{tmp_path}", 2, hold_out=hold_out)
    ids = {role: set(data.source("interactive", role).dataset.ids) for role in ROLES}
    assert all(not ids[a] & ids[b] for a, b in itertools.combinations(ROLES, 2))
    assert data.source("interactive", "test").dataset.classes == ("c",)
    assert ("c" in data.source("interactive", "train").dataset.classes) != hold_out


@pytest.mark.parametrize("name", ["fss", "davis", "folder", "real"])
def test_where_no_classes_are_held_out_there_is_no_oracle(name):
    message = f"hold_out must be True with data {name}, which has no folds of classes, got False"
    with pytest.raises(ValueError, match=message):
        open_data(f"{name}:none", hold_out=False)


def test_too_few_classes_have_no_oracle(tmp_path):
    write_coco(tmp_path / "coco", "annotations/instances_{}.json", "train", "ab")
    (tmp_path / "voc").mkdir()
    (tmp_path / "voc" / "labels.txt").write_text("thing\nother")
    for name in ("coco", "voc"):
        message = f"hold_out must be True with the 2 classes of {name}:.*, too few to hold some out, got False"
        with pytest.raises(ValueError, match=message):
            open_data(f"{name}:{tmp_path / name}", hold_out=False)
    write_coco(tmp_path / "test", "annotations/instances_{}.json", "test", "abcd")
    with pytest.raises(
        ValueError, match=r"hold_out must be True with data coco:.*, which is for tests only, got False"
    ):
        open_data(f"coco:{tmp_path / 'test'}", hold_out=False)


@pytest.mark.parametrize(
    ("splits", "sizes"),
    [
        (("train", "valid", "test"), (12, 12, 12)),
        (("train", "test"), (10, 2, 12)),
        (("train", "val"), (10, 2, 12)),
        (("default",), (7, 3, 2)),
    ],
)
def test_sets_of_coco_have_roles(tmp_path, splits, sizes):
    for split in splits:
        write_coco(tmp_path, "{}/_annotations.coco.json", split, ["pothole", "pothole"])
    data = open_data(f"coco:{tmp_path}")
    assert data.roles == ROLES
    assert tuple(len(data.source("semantic", role).dataset.ids) for role in ROLES) == sizes
    assert data.source("semantic", "train").dataset.classes == ("pothole",)


def test_coco_without_a_set_for_training_is_for_tests(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"instances_train2017.json must be COCO's instance annotations"):
        open_data(f"coco:{tmp_path}")
    write_coco(tmp_path, "annotations/instances_{}.json", "val2017", "ab")
    data = open_data(f"coco:{tmp_path}")
    assert (data.roles, len(data.source("semantic", "test").dataset.ids)) == (("test",), 12)
    with pytest.raises(ValueError, match="role must be one of test, got 'train'"):
        data.source("semantic", "train")


def test_fss_has_classes_for_each_role(tmp_path):
    for name in "abcd":
        (tmp_path / name).mkdir()
        for number in range(1, 11):
            Image.new("RGB", (8, 8)).save(tmp_path / name / f"{number}.jpg")
            Image.fromarray((np.arange(64).reshape(8, 8) > 40) * np.uint8(255)).save(tmp_path / name / f"{number}.png")
    data = open_data(f"fss:{tmp_path}")
    assert data.kinds == ("semantic",)
    assert [data.source("semantic", role).dataset.classes for role in ROLES] == [("a", "b"), ("c",), ("d",)]
    with pytest.raises(ValueError, match="fold must be one of 0, got 1"):
        open_data(f"fss:{tmp_path}", 1)
