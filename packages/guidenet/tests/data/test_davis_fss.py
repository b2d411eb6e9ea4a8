import numpy as np
import pytest
from guidenet.data.dataset import class_masks
from guidenet.data.files import write_indices
from guidenet.data.formats import davis, fss
from guidenet.reading import voc_palette
from PIL import Image

SIZE = (6, 8)
LABELS = np.zeros((3, *SIZE), np.int16)
LABELS[:, :2, :3] = 1
LABELS[:, 3:, 4:] = 2
LABELS[2, 0, 0] = -1
FRAMES = np.random.default_rng(0).integers(0, 256, (3, *SIZE, 3)).astype(np.uint8)


@pytest.fixture
def clips(tmp_path):
    davis.write_video(tmp_path, "bear", FRAMES, LABELS)
    davis.write_names(tmp_path, "val", ["bear"])
    return tmp_path


def test_a_clip_that_was_written_is_read(clips):
    (video,) = davis.read_videos(clips, "val")
    assert (video.name, len(video), video.objects) == ("bear", 3, (1, 2))
    for frame in range(3):
        np.testing.assert_array_equal(video.image(frame), FRAMES[frame])
        np.testing.assert_array_equal(video.labels(frame), LABELS[frame])
    assert (clips / "JPEGImages/480p/bear/00000.png").exists()


def test_frames_may_be_jpeg_and_annotated_at_first_only(clips):
    davis.write_video(clips, "cows", FRAMES, LABELS, suffix=".jpg")
    for frame in (1, 2):
        (clips / f"Annotations/480p/cows/0000{frame}.png").unlink()
    video = davis.read_video(clips, "cows")
    assert video.image(2).shape == (*SIZE, 3)
    with pytest.raises(ValueError, match="frame must be below 1, as far as cows has labels, got 2"):
        video.labels(2)


def test_what_is_wrong_with_a_clip_is_named(clips):
    with pytest.raises(FileNotFoundError, match=r"test.txt must be DAVIS's list of the clips of test"):
        davis.read_names(clips, "test")
    with pytest.raises(FileNotFoundError, match=r"480p/goat must be the folder with the frames of goat"):
        davis.read_video(clips, "goat")
    folder = clips / "Annotations/480p/bear"
    (folder / "00001.png").rename(folder / "00003.png")
    with pytest.raises(ValueError, match=r"got 00002.png where 00001.png was expected"):
        davis.read_video(clips, "bear")
    (folder / "00003.png").unlink()
    (folder / "00002.png").rename(folder / "00001.png")
    with pytest.raises(ValueError, match="each of the 3 frames or for the first, got 2"):
        davis.read_video(clips, "bear")
    (folder / "00000.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"00000.png must be the objects in the first frame of bear"):
        davis.read_video(clips, "bear")
    for frame in range(3):
        (clips / f"JPEGImages/480p/bear/0000{frame}.png").unlink()
    with pytest.raises(FileNotFoundError, match="bear must have frames"):
        davis.read_video(clips, "bear")


def test_a_damaged_frame_is_named(clips):
    video = davis.read_video(clips, "bear")
    video.frames[1].write_bytes(b"")
    with pytest.raises(ValueError, match=r"00001.png must be a readable image"):
        video.image(1)
    Image.new("RGB", (2, 2)).save(video.frames[2])
    with pytest.raises(ValueError, match=r"00002.png must have the 2 x 2 px of .*, got 6 x 8"):
        video.labels(2)
    with pytest.raises(ValueError, match="at most 254 to be written"):
        davis.write_video(clips, "many", FRAMES[:1], [np.full(SIZE, 255, np.int16)])
    with pytest.raises(ValueError, match="shorter"):
        davis.write_video(clips, "few", FRAMES, LABELS[:1])


def save_masks(clips, masks):
    for frame, mask in enumerate(masks):
        image = Image.fromarray(mask) if isinstance(mask, np.ndarray) else mask
        image.save(clips / f"Annotations/480p/bear/{frame:05}.png")


def white_first(mask):
    image = Image.fromarray(1 - mask.astype(np.uint8))
    image.putpalette([0, 0, 0, 255, 255, 255][::-1])
    return image


@pytest.mark.parametrize(
    "write",
    [
        lambda mask: mask * np.uint8(255),
        lambda mask: mask.astype(np.uint8),
        Image.fromarray,
        white_first,
        lambda mask: np.repeat(mask[..., None] * np.uint8(255), 3, axis=2),
        lambda mask: mask * np.uint16(65535),
    ],
)
def test_black_and_white_is_one_object_as_in_davis_2016(clips, write):
    masks = [LABELS[0] == 1, np.zeros(SIZE, bool), LABELS[0] == 2]
    save_masks(clips, [write(mask) for mask in masks])
    video = davis.read_video(clips, "bear")
    assert video.objects == (1,)
    for frame, mask in enumerate(masks):
        np.testing.assert_array_equal(video.labels(frame), mask)


def test_grey_indices_stay_objects(clips):
    grey = np.where(LABELS < 0, 255, LABELS).astype(np.uint8)
    grey[2] = np.where(grey[2] == 255, 255, 0)  # no object is left, and some is unknown
    save_masks(clips, grey)
    video = davis.read_video(clips, "bear")
    assert video.objects == (1, 2)
    assert set(np.unique(video.labels(2))) == {-1, 0}


GREY = LABELS[0] == 1
VOC_PALETTE = Image.fromarray(GREY * np.uint8(255))
VOC_PALETTE.putpalette(voc_palette().tobytes())


@pytest.mark.parametrize(
    ("first", "other", "message"),
    [
        (GREY * np.uint8(1), GREY * np.uint8(255), "00001.png is black and white, .*00000.png has the numbers"),
        (GREY * np.uint8(1), GREY * np.uint16(65535), "00001.png is black and white, .*00000.png has the numbers"),
        (GREY * np.uint8(1), white_first(GREY), "00001.png is black and white, .*00000.png has the numbers"),
        (GREY * np.uint8(255), LABELS[0].astype(np.uint8), "00001.png has numbers, and .*00000.png is black and white"),
        (GREY * np.uint8(255), LABELS[0].astype(np.uint8) * 127, "00001.png has numbers, and .*00000.png is black"),
        (
            GREY * np.uint8(1),
            np.dstack([GREY * np.uint8(255)] * 3),
            "00001.png is black and white, and no numbers, and",
        ),
        (GREY * np.uint8(1), GREY * np.uint8(100), "00001.png has another number, which may be that object as it is"),
    ],
)
def test_masks_of_a_clip_have_one_reading(clips, first, other, message):
    save_masks(clips, [first, other])
    video = davis.read_video(clips, "bear")
    assert video.objects == (1,)
    with pytest.raises(ValueError, match=f"{message}.*: masks of the clip bear must all be"):
        video.labels(1)


@pytest.mark.parametrize(
    ("first", "other", "expected"),
    [
        (GREY * np.uint8(255), GREY * np.uint8(1), GREY),  # 1 is the object either way
        (GREY * np.uint8(1), VOC_PALETTE, -GREY.astype(int)),  # the palette says that 255 is no white
        (GREY * np.uint8(1) + 255 * (LABELS[0] == 2).astype(np.uint8), GREY * np.uint8(255), -GREY.astype(int)),
        (white_first(GREY), GREY * np.uint8(255), GREY),
        (GREY, GREY * np.uint8(255), GREY),  # one bit is black and white
        (GREY * np.uint8(1), GREY * np.uint8(2), 2 * GREY),
        (GREY * np.uint8(1), np.zeros(SIZE, np.uint8), np.zeros(SIZE)),
    ],
)
def test_what_has_one_meaning_in_a_clip_is_read(clips, first, other, expected):
    save_masks(clips, [first, other])
    np.testing.assert_array_equal(davis.read_video(clips, "bear").labels(1), expected)


def test_a_clip_without_objects_is_named(clips):
    save_masks(clips, [np.zeros(SIZE, np.uint8)])
    with pytest.raises(ValueError, match=r"bear/00000.png must have the objects of the clip bear, and is all"):
        _ = davis.read_video(clips, "bear").objects


def test_masks_with_transparency_are_named(clips):
    save_masks(clips, [Image.merge("LA", [Image.fromarray(LABELS[0].astype(np.uint8) * 90)] * 2)])
    with pytest.raises(ValueError, match=r"00000.png must be .* with indices .* got an image of mode LA"):
        davis.read_video(clips, "bear").labels(0)


def test_frames_are_in_the_order_of_their_numbers_and_hidden_files_are_none(tmp_path):
    images, masks = (tmp_path / part / "480p/goat" for part in ("JPEGImages", "Annotations"))
    for folder in (images, masks):
        folder.mkdir(parents=True)
        (folder / "._0.png").write_bytes(b"of macOS")
        (folder / ".DS_Store").write_bytes(b"")
    suffixes = [".jpg", ".JPG", ".jpeg", ".PNG"] * 3
    for number, suffix in enumerate(suffixes):
        Image.new("RGB", SIZE[::-1], (20 * number, 0, 0)).save(images / f"{number}{suffix}")
        Image.fromarray(LABELS[0].astype(np.uint8)).save(masks / f"{number}.{'PNG' if number % 2 else 'png'}")
    video = davis.read_video(tmp_path, "goat")
    assert [int(path.stem) for path in video.frames] == list(range(12))
    for number in (2, 11):
        np.testing.assert_allclose(video.image(number)[0, 0], [20 * number, 0, 0], atol=4)
        np.testing.assert_array_equal(video.labels(number), LABELS[0])
    Image.new("RGB", (1, 1)).save(images / "3.jpg")
    with pytest.raises(ValueError, match=r"one file for each frame, got 3.PNG and 3.jpg|got 3.jpg and 3.PNG"):
        davis.read_video(tmp_path, "goat")


@pytest.mark.parametrize(
    ("year", "line"),
    [
        ("2017", "bear"),
        ("2016", "\ufeffbear\r"),
        ("480p", "/JPEGImages/480p/bear/00000.jpg /Annotations/480p/bear/00000.png\n" * 2),
    ],
)
def test_lists_of_either_year_are_read(tmp_path, year, line):
    davis.write_names(tmp_path, "val", [line], year)
    assert davis.read_names(tmp_path, "val") == ("bear",)


@pytest.fixture
def classes(tmp_path):
    for name in ("ab_wheel", "abacus"):
        (tmp_path / name).mkdir()
        for number in range(1, 11):
            Image.new("RGB", SIZE[::-1]).save(tmp_path / f"{name}/{number}.jpg")
            grey = np.full(SIZE, 127, np.uint8)
            grey[:number, 0] = 128
            Image.fromarray(grey).convert("RGB").save(tmp_path / f"{name}/{number}.png")
    (tmp_path / "test.txt").write_text("abacus\nab_wheel\n")
    return tmp_path


def test_fss_has_ten_photos_of_a_class(classes):
    names = fss.read_classes(classes / "test.txt")
    found = fss.load_fss(classes, names)
    assert found.classes == ("abacus", "ab_wheel")
    assert len(found.ids) == 20
    np.testing.assert_array_equal(
        found.class_labels("ab_wheel/3"), 2 * (np.arange(8) == 0) * (np.arange(6) < 3)[:, None]
    )
    assert found.image("abacus/10").shape == (*SIZE, 3)
    assert class_masks(found.select(["abacus/2"])) == (("abacus/2", 1, 1, 2),)


def test_masks_of_fss_are_read_as_all_masks_are(classes):
    """0 and 1 were all background, and what is transparent was the object."""
    object_ = (np.arange(8) == 0) * (np.arange(6) < 3)[:, None]
    ones, none = object_.astype(np.uint8), np.zeros_like(object_, np.uint8)
    Image.fromarray(ones).save(classes / "abacus/1.png")
    Image.fromarray(np.dstack([none, none, none, ones * 255])).save(classes / "abacus/2.png")
    Image.fromarray(ones * 200 + 9).save(classes / "abacus/3.png")
    border = (np.arange(8) == 1) * (np.arange(6) < 3)[:, None]
    Image.fromarray(ones * 15 + border * np.uint8(255)).save(classes / "abacus/4.png")
    found = fss.load_fss(classes, ["abacus"])
    for number in "123":
        np.testing.assert_array_equal(found.class_labels(f"abacus/{number}"), object_)
    np.testing.assert_array_equal(found.class_labels("abacus/4"), object_.astype(int) - border)
    write_indices(classes / "abacus/5.png", np.int16(object_) + 2 * border)
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (*SIZE, 3)).astype(np.uint8)).save(
        classes / "abacus/6.png"
    )
    Image.fromarray(np.dstack([ones * 200, ones, none])).save(classes / "abacus/7.png")
    with pytest.raises(ValueError, match=r"5.png must be a mask of FSS-1000, which has one object, got 2"):
        found.class_labels("abacus/5")
    with pytest.raises(ValueError, match=r"6.png must have a black background"):  # a photo
        found.class_labels("abacus/6")
    np.testing.assert_array_equal(found.class_labels("abacus/7"), object_)
    Image.fromarray(np.random.default_rng(0).integers(0, 256, SIZE).astype(np.uint8)).save(classes / "abacus/8.png")
    with pytest.raises(ValueError, match=r"8.png must be a mask .*, black and white, and \d+% of it is neither"):
        found.class_labels("abacus/8")


def test_what_is_wrong_with_fss_is_named(classes):
    with pytest.raises(FileNotFoundError, match="zebra must be the folder of the class zebra of FSS-1000"):
        fss.load_fss(classes, ["zebra"])
    found = fss.load_fss(classes, ["abacus"])
    (classes / "abacus/1.png").unlink()
    (classes / "abacus/2.png").write_bytes(b"\x89PNG")
    Image.new("L", (2, 2)).save(classes / "abacus/3.png")
    for number, (kind, message) in enumerate(
        [(FileNotFoundError, "must be a mask"), (ValueError, "must be a mask"), (ValueError, "must have the 6 x 8 px")],
        1,
    ):
        with pytest.raises(kind, match=f"abacus/{number}.png {message}"):
            found.class_labels(f"abacus/{number}")


def test_fss_is_divided_by_lists_or_by_order(classes):
    with pytest.raises(
        ValueError, match=r"for all roles or none, and lacks train.txt for train, val.txt for validation"
    ):
        fss.divide_classes(classes)
    (classes / "trn.txt").write_text("abacus")
    (classes / "val.txt").write_text("abacus")
    with pytest.raises(ValueError, match="each class in one list, got 'abacus' for train and validation"):
        fss.divide_classes(classes)
    for name in ("trn.txt", "val.txt", "test.txt"):
        (classes / name).unlink()
    with pytest.raises(ValueError, match="at least 4 classes, got 2"):
        fss.divide_classes(classes)
    for name in ("c", "d", "e"):
        (classes / name).mkdir()
    expected = {"train": ("ab_wheel", "abacus", "e"), "validation": ("c",), "test": ("d",)}
    assert fss.divide_classes(classes) == expected
    for name, text in (("train.txt", "c\nd"), ("val.txt", "e"), ("fss_test_set.txt", "abacus")):
        (classes / name).write_text(text)
    assert fss.divide_classes(classes) == {"train": ("c", "d"), "validation": ("e",), "test": ("abacus",)}


def test_photos_of_fss_may_have_other_suffixes(classes):
    (classes / "abacus/1.jpg").rename(classes / "abacus/1.JPG")
    (classes / "abacus/2.jpg").rename(classes / "abacus/2.jpeg")
    (classes / "abacus/3.jpg").unlink()
    found = fss.load_fss(classes, ["abacus"])
    assert (found.image("abacus/1") == 0).all()
    assert found.class_labels("abacus/2").sum() == 2
    with pytest.raises(FileNotFoundError, match=r"abacus/3.jpg must be a photo of FSS-1000"):
        found.image("abacus/3")
