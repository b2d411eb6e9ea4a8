"""Textured scenes: what is in them, that they are the same every time, and the tasks on them."""

import dataclasses

import numpy as np
import pytest
from guidenet.data.collections.cut_outs import cut_outs
from guidenet.data.composites.textured import TexturedConfig, make_textured


@pytest.fixture(scope="module")
def benchmark(shapes):
    return shapes.make_benchmark()


def make(benchmark, number=12, **options):
    config = TexturedConfig(side=64, **options)
    return make_textured(
        "t", number, benchmark.concepts("train", 0), benchmark.library, benchmark.photos["train"], config
    )


def test_kinds_are_classes_and_objects_are_instances(benchmark):
    scenes = make(benchmark, shapes=(2, 3))
    most = 0
    for name in scenes.ids:
        image, kinds, objects = scenes.image(name), scenes.class_labels(name), scenes.instance_labels(name)
        assert (image.shape, image.dtype, kinds.shape, objects.shape) == ((64, 64, 3), np.uint8, (64, 64), (64, 64))
        assert ((kinds > 0) == (objects > 0)).all()
        assert 0 < kinds.max() <= 3
        for number in np.unique(objects[objects > 0]):
            assert len(np.unique(kinds[objects == number])) == 1
        most = max(most, len(np.unique(objects)) - 1)
    assert most >= 5  # some are crowded
    assert scenes.classes == ("kind-1", "kind-2", "kind-3")


def test_crowds_are_many_and_small_and_others_alone(benchmark):
    alone, crowded = (make(benchmark, shapes=(1, 1), crowded=share) for share in (0.0, 1.0))
    for name in alone.ids:
        assert alone.instance_labels(name).max() <= 1
    numbers = [crowded.instance_labels(name).max() for name in crowded.ids]
    assert min(numbers) >= 3
    assert max(numbers) > 10

    def largest(scenes):
        return np.mean([np.bincount(scenes.instance_labels(name).ravel())[1:].max(initial=0) for name in scenes.ids])

    assert largest(crowded) < largest(alone) / 4


def test_what_fills_objects_is_chosen_by_the_options(benchmark):
    plain = make(benchmark, drawn=0, plain=1, shapes=(1, 1), crowded=0.0, object_size=(0.6, 0.9))
    photos = make(benchmark, drawn=0, plain=0, shapes=(1, 1), crowded=0.0, object_size=(0.6, 0.9))

    def spread(scenes):
        return np.median([scenes.image(name)[scenes.instance_labels(name) == 1].std(0).mean() for name in scenes.ids])

    assert spread(plain) < 12 < spread(photos)  # these photos are noise


def test_the_same_every_time_and_others_by_name_and_seed(benchmark):
    one, again = make(benchmark), make(benchmark)
    for name in one.ids[::-1]:
        np.testing.assert_array_equal(one.image(name), again.image(name))
        np.testing.assert_array_equal(one.instance_labels(name), again.instance_labels(name))
    other = make(benchmark, seed=1)
    assert any((one.image(name) != other.image(name)).any() for name in one.ids)
    sets = {role: set(benchmark.textured(role, 0, 3).ids) for role in ("train", "validation", "test")}
    assert len(set.union(*sets.values())) == 9


def test_tasks_are_of_one_object_or_of_all_that_are_alike(benchmark):
    small = dataclasses.replace(benchmark, textured_config=TexturedConfig(side=64, crowded=0.7))
    object.__setattr__(small, "textured", lambda role, fold: benchmark.textured(role, fold, 6))
    data = cut_outs(small, 0)
    one, all_alike = data.source("textured", "test"), data.source("similar", "test")
    assert one.dataset is all_alike.dataset  # so that images are encoded once
    rng = np.random.default_rng(0)
    for source, own in ((one, True), (all_alike, False)):
        for task in source.sample(20, rng):
            assert task.support == (task.query,)
            assert task.own == own
            assert task.query.area >= 200
    assert {task.query.label for task in all_alike.sample(50, rng)} <= {1, 2, 3}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"side": 8}, "side must be at least 16, got 8"),
        ({"crowded": 1.5}, "crowded must be between 0 and 1, got 1.5"),
        ({"drawn": 0.7, "plain": 0.5}, "drawn and plain must be at most 1 together, got 0.7 and 0.5"),
        ({"copies": (5, 2)}, "copies must be two numbers from 1, in order, got 5, 2"),
        ({"object_size": (0.0, 0.5)}, "object_size must be two numbers from 0.01, in order, got 0.0, 0.5"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        TexturedConfig(**options)


def test_there_must_be_photos_and_concepts(benchmark):
    with pytest.raises(ValueError, match="photos and concepts must be at least one, got 0 and 1"):
        make_textured("t", 1, ("shape-00",), benchmark.library, {}, TexturedConfig())
