import numpy as np
import pytest
from guidenet.data import episodes
from guidenet.data.dataset import Dataset, Mask, class_masks, instance_masks
from guidenet.data.footage import as_dataset
from guidenet.data.formats import davis

CLASSES = np.zeros((4, 6), np.int16)
CLASSES[:2, :3] = 1
CLASSES[2:, 3:] = 2
CLASSES[0, 0] = -1
OBJECTS = np.where(CLASSES == 2, np.arange(6) - 2, CLASSES).astype(np.int16)
IDS = tuple("abcd")
DATASET = Dataset(
    ("cat", "dog"),
    IDS,
    lambda name: np.full((4, 6, 3), IDS.index(name), np.uint8),
    lambda name: CLASSES if name != "d" else np.where(CLASSES == 1, np.int16(0), CLASSES),
    lambda name: OBJECTS,
)
STYLES = {"a": "drawn", "b": "drawn", "c": "photo", "d": "photo"}


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_the_task_is_positive_and_all_else_background():
    np.testing.assert_array_equal(
        episodes.binarise(CLASSES, 2), [[-1, 0, 0, 0, 0, 0], [0] * 6, [0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 1]]
    )


@pytest.mark.parametrize(("num_points", "expected"), [(1, [1, 1, 1]), (5, [5, 5, 5]), (100, [12, 5, 6])])
def test_p_pixels_of_each_class_and_of_the_background(num_points, expected, rng):
    annotation = episodes.annotate(CLASSES, num_points, rng)
    assert [np.count_nonzero(annotation == label) for label in range(3)] == expected
    assert (annotation == CLASSES)[annotation >= 0].all()


def test_dense_annotations_are_the_target(rng):
    np.testing.assert_array_equal(episodes.annotate(CLASSES, None, rng), CLASSES)
    with pytest.raises(ValueError, match="num_points must be at least 1, got 0"):
        episodes.annotate(CLASSES, 0, rng)


def test_every_pixel_is_as_likely(rng):
    times = sum((episodes.annotate(CLASSES, 1, rng) == 2).astype(int) for _ in range(1200))
    # 200 each, with a standard deviation of 13.
    assert (times[CLASSES == 2] > 135).all()
    assert (times[CLASSES == 2] < 265).all()


def test_points_in_training_are_uniform_from_1_to_100(rng):
    points = [episodes.sample_num_points(rng) for _ in range(3000)]
    assert (min(points), max(points)) == (1, 100)
    assert abs(np.mean(points) - 50.5) < 2  # standard error 0.5


def test_masks_are_as_the_network_takes_them():
    masks = episodes.as_masks(CLASSES, 3)
    assert (masks.shape, masks.dtype) == ((3, 2, 4, 6), np.bool_)
    for label in (1, 2, 3):
        np.testing.assert_array_equal(masks[label - 1, 1], label == CLASSES)
        np.testing.assert_array_equal(masks[label - 1, 0], CLASSES == 0)
    with pytest.raises(ValueError, match="labels to 1, got 2"):
        episodes.as_masks(CLASSES)


def test_semantic_tasks_have_one_class_and_no_image_twice(rng):
    tasks = episodes.sample_tasks(class_masks(DATASET), 200, 2, rng)
    for support, query, instances in tasks:
        assert {mask.cls for mask in support} == {query.cls}
        assert len({query.id, *(mask.id for mask in support)}) == 3
        assert not instances
    # Class 1 is in three images, class 2 in four; classes are drawn as often, and so are images of a class.
    assert 70 < sum(task.query.cls == 1 for task in tasks) < 130
    assert {(task.query.cls, task.query.id) for task in tasks} == {(mask.cls, mask.id) for mask in class_masks(DATASET)}


def test_supports_are_of_another_group(rng):
    for support, query, _ in episodes.sample_tasks(class_masks(DATASET), 100, 1, rng, STYLES):
        assert STYLES[support[0].id] != STYLES[query.id]
    # With two shots only dogs have enough images in both styles, or cats in the other one.
    tasks = episodes.sample_tasks(class_masks(DATASET), 100, 2, rng, STYLES)
    assert {(task.query.cls, task.query.id) for task in tasks} == {(1, "c"), *((2, name) for name in "abcd")}


def test_tasks_follow_the_seed_and_not_the_order_of_masks():
    masks = class_masks(DATASET)
    first, second = (episodes.sample_tasks(order, 20, 1, np.random.default_rng(3)) for order in (masks, masks[::-1]))
    assert first == second
    assert first != episodes.sample_tasks(masks, 20, 1, np.random.default_rng(4))


def test_impossible_tasks_are_refused(rng):
    with pytest.raises(ValueError, match="fewer than the images of some class, got 4"):
        episodes.sample_tasks(class_masks(DATASET), 1, 4, rng)
    with pytest.raises(ValueError, match="shots must be at least 1, got 0"):
        episodes.sample_tasks(class_masks(DATASET), 1, 0, rng)


def test_episodes_have_the_pixels_of_their_task(rng):
    support, query = (Mask(name, 2, 2, 6) for name in "ac")
    episode = episodes.make_episode(DATASET, episodes.Task((support, support), query), 1, rng)
    assert [int(image[0, 0, 0]) for image in (*episode.support, episode.query)] == [0, 0, 2]
    np.testing.assert_array_equal(episode.target, episodes.binarise(CLASSES, 2))
    for annotation in episode.annotations:
        assert [np.count_nonzero(annotation == label) for label in (0, 1)] == [1, 1]


def test_interactive_episodes_are_of_one_object_in_one_image(rng):
    tasks = episodes.interactive_tasks(instance_masks(DATASET.select("a")))
    assert [task.query.label for task in tasks] == [1, 2, 3]
    episode = episodes.make_episode(DATASET, tasks[2], None, rng)
    np.testing.assert_array_equal(episode.target, np.where(OBJECTS == 3, 1, np.minimum(CLASSES, 0)))
    np.testing.assert_array_equal(episode.annotations[0], episode.target)
    np.testing.assert_array_equal(episode.support[0], episode.query)
    without = Dataset(DATASET.classes, IDS, DATASET.image, DATASET.class_labels)
    with pytest.raises(ValueError, match="instance_labels"):
        episodes.make_episode(without, tasks[0], None, rng)


def write_clip(root, labels):
    frames = [np.full((4, 6, 3), i, np.uint8) for i in range(len(labels))]
    davis.write_video(root, "clip", frames, labels)
    return davis.read_video(root, "clip")


def test_look_alikes_are_other_objects_of_the_class_in_the_image():
    masks = [Mask("a", 1, 4, 9), Mask("a", 2, 4, 9), Mask("a", 3, 5, 9), Mask("b", 1, 4, 9)]
    tasks = episodes.interactive_tasks(masks)
    assert episodes.find_look_alikes(tasks, masks).tolist() == [True, True, False, False]


def test_video_tasks_are_of_two_frames_and_one_object(tmp_path, rng):
    shown = np.maximum(OBJECTS, 0)
    video = write_clip(tmp_path, [shown, np.where(shown == 1, 0, shown), np.zeros_like(shown)])
    frames = as_dataset([video])
    assert frames.ids == ("clip/00000", "clip/00001", "clip/00002")
    seen = set()
    for task in episodes.sample_video_tasks([video], 60, rng):
        episode = episodes.make_episode(frames, task, 2, rng)
        first, second = int(episode.support[0][0, 0, 0]), int(episode.query[0, 0, 0])
        seen.add((first, second))
        assert first != second
        assert np.count_nonzero(episode.annotations[0] == 1) == 2
        assert np.count_nonzero(episode.target == 1) == task.query.area
    assert seen == {(0, 1), (0, 2), (1, 0), (1, 2)}  # nothing is in frame 2 to be annotated
    annotations = episodes.annotate_frames(video, [0, 1], 1, rng)
    assert [sorted(set(annotation.ravel())) for annotation in annotations] == [[-1, 0, 1, 2, 3], [-1, 0, 2, 3]]


def test_videos_without_a_task_are_refused(tmp_path, rng):
    nothing = np.zeros((4, 6), np.int16)
    empty = write_clip(tmp_path, [nothing, nothing])
    with pytest.raises(ValueError, match="objects in some frame, got clip with none"):
        episodes.sample_video_tasks([empty], 1, rng)
    with pytest.raises(ValueError, match="two frames, got clip with 1"):
        episodes.sample_video_tasks([write_clip(tmp_path / "short", [nothing])], 1, rng)
    with pytest.raises(ValueError, match="at least one, got none"):
        as_dataset([])
    with pytest.raises(ValueError, match="different names, got one twice"):
        as_dataset([empty, empty])
