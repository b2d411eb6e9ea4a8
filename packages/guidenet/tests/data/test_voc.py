import numpy as np
import pytest
import scipy.io
from guidenet.data import dataset
from guidenet.data.files import palette, write_indices
from guidenet.data.formats import pascal5i, voc
from PIL import Image

SIZE = (6, 8)


def labels_of(*rectangles):
    """Background with `(label, rows, columns)` painted on it."""
    labels = np.zeros(SIZE, np.int16)
    for label, rows, columns in rectangles:
        labels[rows, columns] = label
    return labels


CLASSES = labels_of((8, slice(0, 3), slice(0, 4)), (12, slice(3, 6), slice(4, 8)), (-1, 0, slice(0, 8)))
OBJECTS = labels_of((1, slice(0, 3), slice(0, 4)), (2, slice(3, 6), slice(4, 6)), (3, slice(3, 6), slice(6, 8)))


def write_mat(path, key, values):
    dtype = [("Segmentation", object)]
    scipy.io.savemat(path, {key: np.array([[(values.astype(np.uint8),)]], dtype=dtype)}, do_compression=True)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Image `a` in VOC only, `b` in both, `c` in SBDD only."""
    root = tmp_path_factory.mktemp("pascal")
    folders = ["JPEGImages", "SegmentationClass", "SegmentationObject", "ImageSets/Segmentation"]
    for folder in [*(f"VOC2012/{name}" for name in folders), *(f"sbd/{name}" for name in ("img", "cls", "inst"))]:
        (root / folder).mkdir(parents=True)
    photo = Image.fromarray(np.full((*SIZE, 3), 90, np.uint8))
    for name in "ab":
        photo.save(root / f"VOC2012/JPEGImages/{name}.jpg")
        write_indices(root / f"VOC2012/SegmentationClass/{name}.png", CLASSES)
        write_indices(root / f"VOC2012/SegmentationObject/{name}.png", OBJECTS)
    for name in "bc":
        photo.save(root / f"sbd/img/{name}.jpg")
        write_mat(root / f"sbd/cls/{name}.mat", "GTcls", np.full(SIZE, 3))
        write_mat(root / f"sbd/inst/{name}.mat", "GTinst", np.full(SIZE, 1))
    (root / "VOC2012/ImageSets/Segmentation/train.txt").write_text("a\nb\n")
    (root / "sbd/train.txt").write_text("b\nc\n")
    return root


def test_voc_reads_palette_indices_and_unknown_borders(root):
    found = voc.load_voc(root / "VOC2012", "train")
    assert found.ids == ("a", "b")
    assert found.image("a").shape == (*SIZE, 3)
    np.testing.assert_array_equal(found.class_labels("a"), CLASSES)
    np.testing.assert_array_equal(found.instance_labels("a"), OBJECTS)
    assert dataset.class_masks(found.select("a")) == (("a", 8, 8, 8), ("a", 12, 12, 12))


def test_instances_have_the_class_of_most_of_their_pixels(root):
    masks = dataset.instance_masks(voc.load_voc(root / "VOC2012", "train").select("a"), classes=[12])
    assert masks == (("a", 2, 12, 6), ("a", 3, 12, 6))


def test_sbdd_is_read_where_voc_has_nothing(root):
    found = voc.load_voc_sbdd(root / "VOC2012", root / "sbd", "abc")
    np.testing.assert_array_equal(found.class_labels("b"), CLASSES)
    np.testing.assert_array_equal(found.class_labels("c"), np.full(SIZE, 3))
    np.testing.assert_array_equal(found.instance_labels("c"), np.full(SIZE, 1))
    assert found.image("c").shape == (*SIZE, 3)
    assert voc.read_sbdd_ids(root / "sbd", "train") == ("b", "c")


def test_augmented_masks_may_be_grey(root, tmp_path):
    Image.fromarray(np.where(CLASSES < 0, 255, CLASSES).astype(np.uint8)).save(tmp_path / "a.png")
    found = voc.load_voc_aug(root / "VOC2012", tmp_path, "a")
    np.testing.assert_array_equal(found.class_labels("a"), CLASSES)


def test_an_id_that_is_listed_twice_is_one_image(root):
    path = root / "VOC2012/ImageSets/Segmentation/train.txt"
    path.write_text("a\nb.jpg\na\n")
    assert voc.read_ids(root / "VOC2012", "train") == ("a", "b")


def test_thesis_sets_share_no_image():
    train, val = voc.thesis_ids(["a", "b"], ["c", "d"], ["d", "e"], ["b", "f"])
    assert train == ("a", "b", "d", "e")
    assert val == ("c", "f")


def test_balanced_folds_have_as_many_images():
    folds = voc.balance_ids({0: "abcdef", 1: "gh"}, np.random.default_rng(0))
    assert folds[1] == ("g", "h")
    assert len(folds[0]) == 2
    assert set(folds[0]) < set("abcdef")


@pytest.mark.parametrize(
    ("path", "content", "kind", "message"),
    [
        (
            "VOC2012/SegmentationClass/a.png",
            None,
            FileNotFoundError,
            r"a.png must be VOC's segmentation of a, or .*a.mat",
        ),
        ("VOC2012/SegmentationClass/a.png", b"\x89PNG\r\n", ValueError, "a.png must be VOC's segmentation of a"),
        ("VOC2012/JPEGImages/a.jpg", None, FileNotFoundError, "a.jpg must be the image that .*a.png labels"),
        ("VOC2012/JPEGImages/a.jpg", b"no photo", ValueError, "a.jpg must be a readable image"),
        ("sbd/cls/c.mat", None, FileNotFoundError, "or .*c.mat SBDD's, and there is neither"),
        ("sbd/cls/c.mat", b"no matrix", ValueError, "c.mat must be SBDD's MATLAB file with GTcls"),
    ],
)
def test_missing_and_damaged_files_are_named(root, path, content, kind, message):
    before = (root / path).read_bytes()
    found = voc.load_voc_sbdd(root / "VOC2012", root / "sbd", "ac")
    try:
        (root / path).unlink()
        if content is not None:
            (root / path).write_bytes(content)
        with pytest.raises(kind, match=message):
            found.class_labels("c" if "sbd" in path else "a")
    finally:
        (root / path).write_bytes(before)


def test_wrong_contents_are_named(root, tmp_path):
    write_mat(tmp_path / "a.mat", "GTinst", CLASSES)
    with pytest.raises(ValueError, match=r"GTcls.Segmentation, got GTinst"):
        voc.read_sbdd_labels(tmp_path / "a.mat", "GTcls")
    Image.new("RGB", (8, 6)).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"a.png must be .* with indices \(mode P or L\), got an image of mode RGB"):
        voc.load_voc_aug(root / "VOC2012", tmp_path, "a").class_labels("a")
    Image.new("L", (3, 2)).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"a.png must have the 6 x 8 px of .*a.jpg, got 2 x 3"):
        voc.load_voc_aug(root / "VOC2012", tmp_path, "a").class_labels("a")
    with pytest.raises(FileNotFoundError, match="the folder VOC2012"):
        voc.load_voc_sbdd(tmp_path / "none", None, ())
    (tmp_path / "ImageSets/Segmentation").mkdir(parents=True)
    (tmp_path / "ImageSets/Segmentation/val.txt").write_text("\n")
    with pytest.raises(ValueError, match=r"val.txt must be VOC's list .*, and is empty"):
        voc.read_ids(tmp_path, "val")


def test_palette_is_that_of_pascal():
    expected = [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0], [0, 0, 128], [128, 0, 128]]
    np.testing.assert_array_equal(palette()[:6], expected)
    np.testing.assert_array_equal(palette()[[8, 255]], [[64, 0, 0], [224, 224, 192]])


def test_folds_hold_out_five_classes_each():
    assert [voc.CLASSES[label - 1] for label in pascal5i.held_out_classes(1)] == ["bus", "car", "cat", "chair", "cow"]
    assert sorted(sum((pascal5i.held_out_classes(fold) for fold in pascal5i.FOLDS), ())) == list(range(1, 21))
    assert pascal5i.training_classes(3) == tuple(range(1, 16))
    with pytest.raises(ValueError, match="fold must be one of 0, 1, 2, 3, got 4"):
        pascal5i.held_out_classes(4)


def test_an_image_with_both_kinds_of_class_is_held_out():
    masks = [dataset.Mask(name, label, label, 1) for name, label in [("a", 1), ("b", 1), ("b", 9), ("c", 9)]]
    found = pascal5i.contents(masks)
    assert found == {"a": (1,), "b": (1, 9), "c": (9,)}
    assert pascal5i.split_images({**found, "d": ()}, 0) == (("c",), ("a", "b"))


def test_fold_lists_are_read(tmp_path):
    path = tmp_path / "fold0.txt"
    path.write_text("2007_000033__01\n2007_000033__15\n")
    pairs = pascal5i.read_fold(path)
    assert pairs == (("2007_000033", 1), ("2007_000033", 15))
    masks = [dataset.Mask("2007_000033", label, label, 1) for label in (1, 2)]
    assert pascal5i.fold_masks(pairs, masks) == (masks[0],)
    path.write_text("2007_000033__01\n2007_000033__21\n")
    with pytest.raises(ValueError, match="entry 2, got '2007_000033__21'"):
        pascal5i.read_fold(path)


def test_classes_can_be_merged(root):
    found = voc.load_voc(root / "VOC2012", "train")
    coarse = found.merge_classes(
        ["thing", "pet"], ["pet" if name in ("cat", "dog") else "thing" for name in found.classes]
    )
    np.testing.assert_array_equal(coarse.class_labels("a"), np.where(CLASSES > 0, 2, CLASSES))
    with pytest.raises(ValueError, match="20 classes, got 1"):
        found.merge_classes(["x"], ["x"])
    with pytest.raises(ValueError, match="among the names, got 'y'"):
        found.merge_classes(["x"], ["y"] * 20)
    with pytest.raises(ValueError, match="among the 2 of the data set, got 'z'"):
        found.select(["z"])
    with pytest.raises(ValueError, match="instance_labels"):
        dataset.instance_masks(voc.load_voc_aug(root / "VOC2012", root, ()))


@pytest.fixture
def own(tmp_path):
    """The layout of VOC with an index that VOC has no class for."""
    for folder in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (tmp_path / folder).mkdir(parents=True)
    Image.fromarray(np.full((*SIZE, 3), 90, np.uint8)).save(tmp_path / "JPEGImages/a.JPEG")
    write_indices(tmp_path / "SegmentationClass/a.png", labels_of((3, 0, 0), (-1, 1, 1)))
    (tmp_path / "ImageSets/Segmentation/val.txt").write_text("\ufeffa.jpg\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "text", "classes"),
    [
        ("labels.txt", "cat\ndog\ncow\n", ("cat", "dog", "cow")),
        ("class_names.txt", "_background_\ncat\ndog\n猫\n", ("cat", "dog", "猫")),
        ("classes.txt", "__ignore__\n_background_\ncat\ndog\ncow", ("cat", "dog", "cow")),
        (
            "labelmap.txt",
            "# label:color_rgb:parts:actions\nbackground:0,0,0::\na b:1,2,3::\nc:4,5,6::\nd:::",
            ("a b", "c", "d"),
        ),
    ],
)
def test_classes_of_ones_own_are_read(own, name, text, classes):
    (own / name).write_text(text, encoding="utf-8")
    found = voc.load_voc(own, "val")
    assert (found.classes, found.ids) == (classes, ("a",))
    assert found.image("a").shape == (*SIZE, 3)
    np.testing.assert_array_equal(found.class_labels("a"), labels_of((3, 0, 0), (-1, 1, 1)))


def test_an_index_without_a_class_is_refused(own):
    (own / "labels.txt").write_text("cat\ndog\n")
    found = voc.load_voc(own, "val")
    with pytest.raises(ValueError, match=r"a.png must have indices to 2, as there are classes.*got 3: .*labels.txt"):
        found.class_labels("a")
    with pytest.raises(ValueError, match="got 3"):
        voc.load_voc_aug(own, own / "SegmentationClass", "a").class_labels("a")
    (own / "classes.txt").write_text("cat\n")
    with pytest.raises(ValueError, match="must have the classes of"):
        voc.load_voc(own, "val")
    (own / "classes.txt").unlink()
    (own / "labels.txt").write_text("cat\ncat\n")
    with pytest.raises(ValueError, match="must name classes, each once, got cat, cat"):
        voc.load_voc(own, "val")
    (own / "labels.txt").unlink()
    write_indices(own / "SegmentationClass/a.png", labels_of((37, 0, 0)))
    with pytest.raises(ValueError, match=r"indices to 20, .*got 37"):
        voc.load_voc(own, "val").class_labels("a")


def test_indices_may_have_any_depth(own):
    labels = labels_of((3, 0, 0), (7, 2, 2))
    for image in (Image.fromarray(labels.astype(np.uint16)), Image.fromarray(labels.astype(np.uint8))):
        image.save(own / "SegmentationClass/a.png")
        np.testing.assert_array_equal(voc.load_voc(own, "val").class_labels("a"), labels)
    Image.fromarray(labels > 0).save(own / "SegmentationClass/a.png")
    np.testing.assert_array_equal(voc.load_voc(own, "val").class_labels("a"), labels > 0)


def test_lists_with_flags_are_refused(own):
    (own / "ImageSets/Segmentation/val.txt").write_text("a -1\nb  1\n")
    with pytest.raises(ValueError, match=r"val.txt must be VOC's list .*, got 'a -1', which has a flag"):
        voc.read_ids(own, "val")


def test_a_photo_that_exif_turns_is_named(own):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", SIZE[::-1]).save(own / "JPEGImages/a.JPEG", exif=exif)
    with pytest.raises(ValueError, match=r"8 x 6 px of .*a.JPEG, got 6 x 8; the image is turned as its EXIF data say"):
        voc.load_voc(own, "val").class_labels("a")


def test_folds_of_other_numbers_of_classes_are_fourths():
    assert [pascal5i.held_out_classes(fold, 6) for fold in pascal5i.FOLDS] == [(1, 2), (3,), (4, 5), (6,)]
