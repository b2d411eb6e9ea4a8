import json

import numpy as np
import pycocotools.mask
import pytest
from guidenet.data.dataset import class_masks, instance_masks
from guidenet.data.formats import coco, rle
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

SIZE = (6, 8)
SQUARE = [1.0, 1.0, 5.0, 1.0, 5.0, 5.0, 1.0, 5.0]


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools itself
@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(*[st.one_of(st.integers(-3, 30), st.floats(-3, 30))] * 2), min_size=3, max_size=8),
    st.integers(1, 25),
    st.integers(1, 25),
)
def test_polygons_equal_those_of_cocos_own_tools(points, height, width):
    polygon = [float(value) for point in points for value in point]
    expected = pycocotools.mask.decode(pycocotools.mask.frPyObjects([polygon], height, width))[..., 0]
    np.testing.assert_array_equal(rle.draw_polygons([polygon], (height, width)), expected.astype(bool))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 90), st.integers(1, 90), st.floats(0, 1))
def test_run_lengths_equal_those_of_cocos_own_tools(seed, height, width, share):
    mask = np.random.default_rng(seed).random((height, width)) < share
    expected = pycocotools.mask.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"]
    counts = rle.encode_counts(mask)
    assert rle.pack_counts(counts).encode() == expected
    assert rle.unpack_counts(expected) == counts
    np.testing.assert_array_equal(rle.decode_counts(counts, (height, width)), mask)


def test_run_lengths_go_down_the_columns():
    mask = rle.decode_counts([1, 2, 1], (2, 2))
    np.testing.assert_array_equal(mask, [[False, True], [True, False]])


def test_bad_run_lengths_are_refused():
    with pytest.raises(ValueError, match="2 x 2 px in total, got 5"):
        rle.decode_counts([5], (2, 2))
    with pytest.raises(ValueError, match="2 x 2 px"):
        rle.decode_counts([-1, 5], (2, 2))
    with pytest.raises(ValueError, match="got '!'"):
        rle.unpack_counts("!")
    with pytest.raises(ValueError, match="within a number"):
        rle.unpack_counts("P")
    with pytest.raises(ValueError, match="3 points, got 4 numbers"):
        rle.draw_polygons([[0, 0, 1, 1]], SIZE)


PHOTO = {"id": 7, "file_name": "000000000007.jpg", "height": SIZE[0], "width": SIZE[1]}


def write(root, annotations, **changes):
    content = {
        "images": [PHOTO],
        "categories": [{"id": 90, "name": "toothbrush"}, {"id": 1, "name": "person"}, {"id": 3, "name": "car"}],
        "annotations": [{"image_id": 7, "iscrowd": 0, **annotation} for annotation in annotations],
        **changes,
    }
    (root / "annotations").mkdir(exist_ok=True)
    (root / "annotations/instances_val.json").write_text(json.dumps(content))
    (root / "val").mkdir(exist_ok=True)
    Image.new("RGB", SIZE[::-1]).save(root / "val/000000000007.jpg")


def counts(rows, columns):
    mask = np.zeros(SIZE, bool)
    mask[rows, columns] = True
    return {"counts": rle.encode_counts(mask), "size": list(SIZE)}


def test_objects_are_painted_larger_first_and_crowds_unknown(tmp_path):
    text = counts(slice(0, 2), slice(0, 2))
    write(
        tmp_path,
        [
            {"category_id": 90, "segmentation": {**text, "counts": rle.pack_counts(text["counts"])}},
            {"category_id": 1, "segmentation": [SQUARE]},
            {"category_id": 3, "segmentation": counts(slice(4, 6), slice(0, 8)), "iscrowd": 1},
        ],
    )
    found = coco.load_coco(tmp_path, "val")
    assert (found.classes, found.ids) == (("person", "car", "toothbrush"), ("7",))
    expected = np.zeros(SIZE, int)
    expected[4:] = -1
    expected[1:5, 1:5] = 1
    expected[:2, :2] = 3
    np.testing.assert_array_equal(found.class_labels("7"), expected)
    np.testing.assert_array_equal(
        found.instance_labels("7"), np.where(expected == 1, 2, np.where(expected == 3, 1, expected))
    )
    assert found.image("7").shape == (*SIZE, 3)
    assert class_masks(found) == (("7", 1, 1, 15), ("7", 3, 3, 4))
    assert instance_masks(found) == (("7", 1, 3, 4), ("7", 2, 1, 15))
    fewer = coco.load_coco(tmp_path, "val", ["toothbrush"])
    np.testing.assert_array_equal(fewer.class_labels("7"), expected == 3)
    with pytest.raises(ValueError, match="among person, car, toothbrush, got 'cat'"):
        coco.load_coco(tmp_path, "val", ["cat"])


def test_boxes_among_masks_are_unknown(tmp_path):
    """Label Studio and datumaro write rectangles so; pandas writes ids as fractions, others flags as text."""
    box = {"category_id": 3, "segmentation": [], "bbox": [4.5, 0, 2, 3], "image_id": 7.0}
    write(tmp_path, [{"category_id": 1, "segmentation": [SQUARE], "iscrowd": "0"}, box])
    expected = np.zeros(SIZE, int)
    expected[:3, 4:7] = -1
    expected[1:5, 1:5] = 1
    np.testing.assert_array_equal(coco.load_coco(tmp_path, "val").class_labels("7"), expected)


def test_twenty_classes_are_those_of_voc():
    assert len(coco.IN_VOC) == len(set(coco.IN_VOC)) == 20


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": [{"id": 7}]}, "missing or of no such kind: 'file_name'"),
        (
            {"images": [PHOTO, {**PHOTO, "file_name": "b.jpg"}]},
            "ids of their own, got 7 for 000000000007.jpg and b.jpg",
        ),
        ({"images": [PHOTO, {**PHOTO, "id": 8}]}, "each image once, got 000000000007.jpg for the images 7 and 8"),
        ({"images": [{**PHOTO, "width": 0}]}, "image 7 must have a height and a width, got 6 x 0"),
        ({"images": [{**PHOTO, "file_name": None}]}, "file_name must be text, got None"),
        ({"images": [{**PHOTO, "id": "007"}]}, "other images or categories only, as of 7, 1"),
        ({"categories": [{"id": 1, "name": "cat"}, {"id": 1, "name": "dog"}]}, "ids of their own, got 1 twice"),
        ({"categories": []}, "has no categories"),
        ({"categories": [{"id": 1, "name": None}]}, "the name of the category 1 must be text, got None"),
        ({"annotations": [{"image_id": 7, "category_id": 1.5}]}, "1.5 is no whole number"),
        ({"annotations": [{"image_id": 7, "category_id": 1, "segmentation": []}]}, "has boxes only"),
        ({"annotations": None}, "missing or of no such kind"),
    ],
)
def test_damaged_annotations_are_named(tmp_path, changes, message):
    write(tmp_path, [{"category_id": 1, "segmentation": [SQUARE]}])
    path = tmp_path / "annotations/instances_val.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    with pytest.raises(ValueError, match=f"instances_val.json must be COCO's instance annotations.*{message}"):
        coco.load_coco(tmp_path, "val")


@pytest.mark.parametrize(
    ("segmentation", "message"),
    [
        ({"counts": [1], "size": [1, 1]}, r"6 x 8 px of its image, got \[1, 1\]"),
        ({"counts": [1], "size": list(SIZE)}, "in total, got 1"),
        ("text", "polygons or counts and size, got 'text'"),
        ([[1, 2]], "3 points, got 2 numbers"),
        ([[0.1, 0.1, 0.9, 0.1, 0.9, 1]], "polygons must be in px, and these are within 0 and 1, as fractions"),
        (SQUARE, "lists x0, y0, x1, y1, .. of numbers, got 1.0"),
        ([[1, None, 5, 1, 5, 5]], "numbers within 1e\\+06 px"),
        ([[1, 1, 2e7, 1, 5, 5]], "numbers within 1e\\+06 px"),
    ],
)
def test_damaged_masks_are_named(tmp_path, segmentation, message):
    write(tmp_path, [{"category_id": 1, "segmentation": segmentation}])
    found = coco.load_coco(tmp_path, "val")
    with pytest.raises(ValueError, match=f"instances_val.json has a damaged annotation 0 of image 7: .*{message}"):
        found.class_labels("7")


def test_a_box_without_numbers_is_named(tmp_path):
    box = {"category_id": 1, "segmentation": [], "bbox": [float("nan"), 0, 2, 2]}
    write(tmp_path, [{"category_id": 1, "segmentation": [SQUARE]}, box])
    with pytest.raises(ValueError, match=r"damaged annotation 1 of image 7: bbox must have finite numbers, got \[nan"):
        coco.load_coco(tmp_path, "val").class_labels("7")


def test_missing_and_wrong_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"instances_val.json must be COCO's instance annotations"):
        coco.load_coco(tmp_path, "val")
    write(tmp_path, [])
    found = coco.load_coco(tmp_path, "val")
    Image.new("RGB", (3, 2)).save(tmp_path / "val/000000000007.jpg")
    with pytest.raises(ValueError, match=r"2 x 3 px of .*000000000007.jpg, got 6 x 8"):
        found.class_labels("7")
    (tmp_path / "val/000000000007.jpg").unlink()
    with pytest.raises(FileNotFoundError, match=r"000000000007.jpg must be the photo 7 of COCO"):
        found.image("7")
    (tmp_path / "annotations/instances_val.json").write_text("{")
    with pytest.raises(ValueError, match=r"instances_val.json must be COCO's"):
        coco.load_coco(tmp_path, "val")


def test_categories_of_one_name_are_one_class(tmp_path):
    """Roboflow writes the name of a project as a category of its own, which may be the name of the class."""
    categories = [{"id": 0, "name": "pothole"}, {"id": 1, "name": "pothole"}, {"id": 5, "name": "car"}]
    annotations = [{"category_id": i, "segmentation": counts(slice(i, i + 1), slice(0, 8))} for i in (0, 1, 5)]
    write(tmp_path, annotations, categories=categories)
    found = coco.load_coco(tmp_path, "val")
    assert found.classes == ("pothole", "car")
    np.testing.assert_array_equal(found.class_labels("7")[:, 0], [1, 1, 0, 0, 0, 2])
    np.testing.assert_array_equal(coco.load_coco(tmp_path, "val", ["car"]).class_labels("7")[:, 0], [0] * 5 + [1])


def test_annotations_of_what_was_filtered_out_are_skipped(tmp_path):
    one = {"category_id": 1, "segmentation": [SQUARE]}
    write(tmp_path, [one, {**one, "image_id": 8}, {**one, "category_id": 77}])
    path = tmp_path / "annotations/instances_val.json"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    found = coco.load_coco(tmp_path, "val")
    assert class_masks(found) == (("7", 1, 1, 16),)
    assert coco.read_annotations(path).num_skipped == 2
    assert coco.load_coco(tmp_path, "val", ["car"], labelled_only=True).ids == ()


@pytest.mark.parametrize(
    ("annotations", "image", "name"),
    [
        ("annotations/instances_val.json", "images/val/a.jpg", "a.jpg"),
        ("annotations/instances_val.json", "images/a.jpg", "a.jpg"),
        ("annotations/val.json", "val/sub/a.jpg", "sub/a.jpg"),
        ("val/_annotations.coco.json", "val/a.jpg", "a.jpg"),
        ("annotations/lvis_v1_val.json", "val2017/a.jpg", None),
        ("lvis_v1_val.json", "images/val2017/a.jpg", None),
        ("val.json", "a.jpg", "a.jpg"),
        ("val.json", "images/a.jpg", "/home/me/photos/a.jpg"),
        ("val.json", "images/a.jpg", "C:\\photos\\a.jpg"),
        ("val.json", "images/b/a.jpg", "b\\a.jpg"),
        ("elsewhere.json", "photos/a.jpg", "a.jpg"),
    ],
)
def test_files_are_found_where_others_write_them(tmp_path, annotations, image, name):
    write(tmp_path, [{"category_id": 1, "segmentation": [SQUARE]}])
    content = json.loads((tmp_path / "annotations/instances_val.json").read_text())
    address = {"file_name": name} if name else {"coco_url": "http://images.cocodataset.org/val2017/a.jpg"}
    content["images"] = [{"id": 7, "height": SIZE[0], "width": SIZE[1], **address}]
    (tmp_path / "annotations/instances_val.json").unlink()
    for path in (annotations, image):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / annotations).write_text(json.dumps(content))
    (tmp_path / "val/000000000007.jpg").rename(tmp_path / image)
    given = {"annotations": tmp_path / annotations, "images": tmp_path / "photos"} if "else" in annotations else {}
    found = coco.load_coco(tmp_path, "val", **given)
    assert found.image("7").shape == (*SIZE, 3)
    assert found.class_labels("7").sum() == 16


def test_two_files_of_annotations_are_refused(tmp_path):
    write(tmp_path, [])
    (tmp_path / "val/_annotations.coco.json").write_text("{}")
    with pytest.raises(ValueError, match=r"one file of annotations for val, got .*instances_val.json and .*coco.json"):
        coco.load_coco(tmp_path, "val")
