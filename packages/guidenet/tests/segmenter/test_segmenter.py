"""The segmenter: one encoder call for an image, exact undo, and concepts that carry over to other images."""

import dataclasses

import jax
import numpy as np
import pytest
from guidenet import (
    BackboneConfig,
    Config,
    Guidance,
    GuidedNetwork,
    HeadConfig,
    Segmenter,
    merge_shots,
    preset,
    with_ridge,
)
from hypothesis import given
from hypothesis import strategies as st

NETWORK = GuidedNetwork(preset("tiny"))
PARAMS = NETWORK.init(jax.random.key(0))
COLOURS = {"red": (220, 30, 30), "blue": (30, 40, 220)}


def scene(boxes, height=100, width=120, seed=0):
    """Coloured boxes `(name, y, x)` of 30 px on green, with noise; returns the image and the mask of each."""
    image = np.full((height, width, 3), (40, 160, 60), float)
    masks = {}
    for name, y, x in boxes:
        image[y : y + 30, x : x + 30] = COLOURS[name]
        mask = masks.setdefault(name, np.zeros((height, width), bool))
        mask[y : y + 30, x : x + 30] = True
    noise = np.random.default_rng(seed).normal(0, 5, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8), masks


SUPPORT, SUPPORT_MASKS = scene([("red", 10, 10), ("blue", 60, 70)])
QUERY, QUERY_MASKS = scene([("red", 65, 5), ("blue", 5, 80), ("red", 40, 45)], seed=1)


def new(**options):
    return Segmenter(NETWORK, PARAMS, **options)


def iou(found, expected):
    return (found & expected).sum() / (found | expected).sum()


def test_two_clicks_segment_this_image_and_another():
    segmenter = new()
    photo = segmenter.add_image(SUPPORT)
    segmenter.click(photo, 25, 25)
    segmenter.click(photo, 90, 20, label=False)
    segmenter.click(photo, 75, 85, label=False)
    for image, masks in ((photo, SUPPORT_MASKS), (QUERY, QUERY_MASKS)):
        assert iou(segmenter.predict(image).masks["object"], masks["red"]) > 0.7


def test_several_classes_at_once():
    segmenter = new()
    photo = segmenter.add_image(SUPPORT)
    segmenter.click(photo, 25, 25, cls="red")
    segmenter.click(photo, 75, 85, cls="blue")
    segmenter.click(photo, 90, 20, label=False, cls="red")
    segmenter.click(photo, 90, 20, label=False, cls="blue")
    found = segmenter.predict(QUERY)
    assert found.classes == segmenter.classes == ("red", "blue")
    for name, mask in QUERY_MASKS.items():
        assert iou(found.masks[name], mask) > 0.6
    assert found.labels.shape == (100, 120)
    assert found.probabilities.shape == (2, 100, 120)
    assert (found.probabilities.sum(axis=0) <= 1 + 1e-5).all()
    np.testing.assert_array_equal(found.labels > 0, (found.logits > 0).any(axis=0))
    best = np.where(found.probabilities.max(0) > 1 - found.probabilities.sum(0), found.probabilities.argmax(0) + 1, 0)
    assert (best == found.labels).mean() > 0.999


def test_an_image_goes_through_the_encoder_once_whatever_happens_to_it():
    segmenter = new()
    photo = segmenter.add_image(SUPPORT, "photo")
    assert segmenter.add_image(SUPPORT.copy()) == photo
    for i in range(5):
        segmenter.click(photo, 20 + i, 20)
        segmenter.predict(photo)
        segmenter.predict(SUPPORT)
    segmenter.paint(photo, SUPPORT_MASKS["red"], rest=False)
    segmenter.undo()
    segmenter.predict(photo)
    assert segmenter.num_encoder_calls == 1
    segmenter.predict(QUERY)
    assert segmenter.num_encoder_calls == 2


def test_clicks_and_predictions_work_without_an_encoder(monkeypatch):
    segmenter = new()
    photo = segmenter.add_image(SUPPORT)
    monkeypatch.setattr(segmenter, "_encoder", None)
    segmenter.click(photo, 25, 25)
    assert segmenter.predict(photo).masks["object"].any()


actions = st.tuples(
    st.sampled_from(["a", "b"]),
    st.integers(0, 99),
    st.integers(0, 119),
    st.sampled_from([True, False, None]),
    st.sampled_from(["x", "y"]),
)


@given(st.lists(actions, max_size=5), st.lists(actions, max_size=5))
def test_undo_restores_guidance_in_every_bit(first, second):
    segmenter = SHARED
    while segmenter.undo():
        pass
    for name, y, x, label, cls in first:
        segmenter.click(name, y, x, label, cls)
    before = segmenter.guidance
    for name, y, x, label, cls in second:
        segmenter.click(name, y, x, label, cls)
    segmenter.paint("a", SUPPORT_MASKS["red"], cls="x", rest=False)
    segmenter.add_guidance(before)
    segmenter.remove_guidance(before)
    for _ in range(len(second) + 3):
        assert segmenter.undo()
    assert segmenter.guidance == before


SHARED = new()
SHARED.add_image(SUPPORT, "a")
SHARED.add_image(QUERY, "b")


def test_unlabelling_a_click_is_removing_it():
    segmenter = new()
    photo = segmenter.add_image(SUPPORT)
    segmenter.click(photo, 25, 25)
    before = segmenter.guidance
    segmenter.click(photo, 60, 60, cls="other")
    assert segmenter.guidance != before
    segmenter.click(photo, 60, 60, label=None, cls="other")
    assert segmenter.guidance == before
    assert segmenter.classes == ("object",)
    assert not new().undo()


def test_removing_an_image_takes_its_annotations_out():
    segmenter = new()
    one, two = segmenter.add_image(SUPPORT), segmenter.add_image(QUERY)
    segmenter.click(one, 25, 25)
    before = segmenter.guidance
    segmenter.click(two, 80, 10)
    segmenter.remove_image(two)
    assert segmenter.guidance == before
    assert segmenter.images == (one,)
    assert segmenter.undo()
    assert not segmenter.undo()
    assert segmenter.add_image(QUERY) == "image-2"


def test_guidance_carries_over_to_another_segmenter_through_a_small_file(tmp_path):
    teacher = new()
    photo = teacher.add_image(SUPPORT)
    teacher.paint(photo, SUPPORT_MASKS["red"], cls="red", rest=False)
    teacher.guidance.save(tmp_path / "red.npz")
    assert (tmp_path / "red.npz").stat().st_size < 4000
    pupil = new()
    pupil.add_guidance(Guidance.load(tmp_path / "red.npz"))
    np.testing.assert_array_equal(pupil.predict(QUERY).logits, teacher.predict(QUERY).logits)
    pupil.remove_guidance(teacher.guidance)
    assert pupil.guidance == new().guidance
    other = Segmenter(NETWORK, NETWORK.init(jax.random.key(1)))
    with pytest.raises(ValueError, match="same encoder"):
        other.add_guidance(teacher.guidance)


def test_images_added_in_another_order_give_the_same_guidance():
    one, two = new(), new()
    for segmenter, order in ((one, (SUPPORT, QUERY)), (two, (QUERY, SUPPORT))):
        for image in order:
            mask = (SUPPORT_MASKS if image is SUPPORT else QUERY_MASKS)["blue"]
            segmenter.paint(segmenter.add_image(image), mask, rest=False)
    assert one.guidance == two.guidance


def test_without_annotations_nothing_is_found():
    found = new().predict(SUPPORT)
    assert found.classes == ()
    assert found.masks == {}
    assert not found.labels.any()
    assert found.labels.shape == (100, 120)


def test_large_images_are_seen_smaller_and_answered_at_their_own_size():
    segmenter = new(max_side=128)
    large = SUPPORT.repeat(4, axis=0).repeat(4, axis=1)
    photo = segmenter.add_image(large)
    segmenter.click(photo, 100, 100)
    segmenter.click(photo, 370, 80, label=False)
    segmenter.click(photo, 300, 340, label=False)
    mask = segmenter.predict(photo).masks["object"]
    assert mask.shape == (400, 480)
    assert iou(mask, SUPPORT_MASKS["red"].repeat(4, axis=0).repeat(4, axis=1)) > 0.7


def test_labels_of_both_kinds_are_those_of_two_paintings():
    one, two = new(), new()
    red, blue = SUPPORT_MASKS["red"], SUPPORT_MASKS["blue"]
    for segmenter in (one, two):
        segmenter.click(segmenter.add_image(SUPPORT, "photo"), 25, 25, cls="blue")
    one.label("photo", red.astype(np.int8) - blue.astype(np.int8), "red")
    two.paint("photo", red, cls="red")
    two.paint("photo", blue, label=False, cls="red")
    assert one.guidance == two.guidance
    assert one.undo()
    assert one.guidance.classes == ("blue",)


@pytest.mark.parametrize("side", [1, 3, 9])
def test_small_objects_of_large_images_are_not_lost_where_these_are_seen_smaller(side):
    segmenter = new(max_side=64)
    photo = segmenter.add_image(SUPPORT.repeat(8, axis=0).repeat(8, axis=1))
    mask = np.zeros((800, 960), bool)
    mask[204 : 204 + side, 207 : 207 + side] = True
    segmenter.paint(photo, mask, rest=False)
    assert 1 <= segmenter.guidance.count[0, 1] <= 4
    assert segmenter.guidance.count[0].sum() == 53 * 64


def test_edges_of_objects_go_to_neither_side_where_images_are_seen_smaller():
    segmenter = new(max_side=50)
    photo = segmenter.add_image(SUPPORT[:, :100])
    segmenter.label(photo, np.where(np.arange(100) % 10 < 5, 1, -1)[None].repeat(100, axis=0))
    # Of five pixels two are of the object, two are not, and in one both are equally many.
    np.testing.assert_array_equal(segmenter.guidance.count, [[1000, 1000]])


def test_guidance_that_others_hold_cannot_be_changed_in_place():
    segmenter = new()
    segmenter.click(segmenter.add_image(SUPPORT), 25, 25)
    with pytest.raises(ValueError, match="read-only"):
        segmenter.guidance.total[:] = 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (300, 1), (2, 900), (5, 5)])
@pytest.mark.parametrize("value", [0, 200, 255])
def test_the_smallest_and_narrowest_images_can_be_annotated_and_segmented(shape, value):
    segmenter = new(max_side=256)
    strip = segmenter.add_image(np.full(shape, value, np.uint8))
    segmenter.click(strip, shape[0] - 1, shape[1] - 1)
    segmenter.click(strip, 0, 0, cls="other")
    found = segmenter.predict(strip)
    assert found.logits.shape == (len(found.classes), *shape)
    assert np.isfinite(found.logits).all()
    assert (found.probabilities.sum(axis=0) <= 1 + 1e-6).all()
    assert found.labels.shape == shape


@pytest.mark.parametrize("options", [{}, {"edges": False, "min_area": 0}, {"max_side": 60}])
def test_of_things_that_look_alike_masks_may_have_those_that_are_annotated(options):
    boxes = [("red", 5, 5), ("red", 60, 80)]
    pair, _ = scene(boxes)
    parts = [scene([box])[1]["red"] for box in boxes]
    segmenter = new(pieces="annotated", **options)
    photo = segmenter.add_image(pair)
    assert segmenter.pieces == "annotated"
    segmenter.click(photo, 10, 10)
    alone, both = segmenter.predict(photo), segmenter.predict(photo, pieces="all")
    for part, expected in zip(parts, (True, False), strict=True):
        assert both.masks["object"][part].mean() > 0.6
        assert (alone.masks["object"][part].mean() > 0.6) == expected
        assert alone.masks["object"][part].any() == expected
    np.testing.assert_array_equal(segmenter.predict(pair).labels, alone.labels)  # an image that was added
    segmenter.click(photo, 70, 90)
    np.testing.assert_array_equal(segmenter.predict(photo).labels, segmenter.predict(photo, pieces="all").labels)
    # Other images, classes that are annotated elsewhere, and images of negatives only have all.
    other = segmenter.add_image(QUERY)
    before = segmenter.predict(other, pieces="all").labels
    assert before.any()
    np.testing.assert_array_equal(segmenter.predict(other).labels, before)
    segmenter.click(other, 0, 0, label=False)
    assert segmenter.predict(other).labels.any()


def test_equal_images_of_two_names_are_two_that_are_encoded_once():
    segmenter = new()
    segmenter.add_image(SUPPORT, "first")
    segmenter.add_image(SUPPORT, "second")
    assert segmenter.images == ("first", "second")
    assert segmenter.add_image(SUPPORT) == "first"
    assert segmenter.add_image(SUPPORT, "second") == "second"
    assert segmenter.num_encoder_calls == 1
    segmenter.click("second", 25, 25)
    segmenter.remove_image("first")
    assert segmenter.predict("second").masks["object"].any()
    segmenter.remove_image("second")
    assert segmenter.guidance.classes == ()


@pytest.mark.parametrize(
    "act",
    [
        lambda s: s.click("photo", 20, 20, cls=5),
        lambda s: s.click("photo", 20, 20, cls=""),
        lambda s: s.click("photo", 20, 20, cls=None),
        *(lambda s, label=label: s.click("photo", 20, 20, label) for label in (-1, 0, 2, "0", "positive", 1.0)),
        lambda s: s.click("photo", "5", 20),
        lambda s: s.click("photo", None, 20),
        lambda s: s.click("photo", float("nan"), 20),
        lambda s: s.click(5, 20, 20),
        lambda s: s.click(["photo"], 20, 20),
        lambda s: s.paint("photo", SUPPORT_MASKS["red"], cls=b"red"),
        lambda s: s.paint("photo", SUPPORT_MASKS["red"], label=1),
        lambda s: s.paint("photo", SUPPORT_MASKS["red"], rest=0),
        lambda s: s.label("photo", SUPPORT_MASKS["red"]),
        lambda s: s.label("photo", SUPPORT_MASKS["red"] * 2),
        lambda s: s.label("photo", np.ones((2, 2), int)),
        lambda s: s.label("photo", SUPPORT_MASKS["red"].astype(int), cls=""),
        lambda s: s.add_guidance(Guidance.empty(8, "another encoder")),
        lambda s: s.add_guidance("red.npz"),
        lambda s: s.remove_guidance(s.guidance + s.guidance),
        lambda s: s.remove_guidance(s.guidance),  # of a click, and not added
        lambda s: s.remove_guidance(None),
    ],
)
def test_an_error_in_use_changes_nothing(act):
    segmenter, untouched = new(), new()
    for s in (segmenter, untouched):
        s.add_image(SUPPORT, "photo")
        s.click("photo", 25, 25, np.bool_(True))
    with pytest.raises(ValueError, match=r"must|added"):
        act(segmenter)
    for s in (segmenter, untouched):
        s.click("photo", 75, 85, label=False)
        assert s.undo()
    assert segmenter.guidance == untouched.guidance
    assert segmenter.classes == untouched.classes
    np.testing.assert_array_equal(segmenter.predict("photo").logits, untouched.predict("photo").logits)
    assert segmenter.undo()
    assert not segmenter.undo()


def test_classes_that_are_gone_do_not_count():
    segmenter = new()
    segmenter.add_image(SUPPORT, "photo")
    for i in range(300):
        segmenter.click("photo", 25, 25, cls=str(i))  # a pixel is of one class: the one before is gone
    assert segmenter.classes == ("299",)


def test_frames_of_a_video_are_segmented_as_they_come_and_not_kept():
    segmenter = new()
    segmenter.paint(segmenter.add_image(SUPPORT), SUPPORT_MASKS["red"], rest=False)
    frames = [scene([("red", 5 + 20 * i, 60)], seed=i) for i in range(3)]
    found = segmenter.video(image for image, _ in frames)
    assert segmenter.num_encoder_calls == 1
    for (_, masks), prediction in zip(frames, found, strict=True):
        assert iou(prediction.masks["object"], masks["red"]) > 0.6
    assert segmenter.num_encoder_calls == 4
    assert segmenter.images == ("image-1",)
    with pytest.raises(ValueError, match="frame 1: image must be uint8"):
        list(segmenter.video([SUPPORT, SUPPORT / 255]))


def test_pixels_weigh_the_same_if_asked_for():
    network = GuidedNetwork(dataclasses.replace(NETWORK.config, shots="pixels"))
    segmenter = Segmenter(network, PARAMS)
    photo = segmenter.add_image(SUPPORT)
    segmenter.paint(photo, SUPPORT_MASKS["red"])
    segmenter.click(segmenter.add_image(QUERY), 80, 10)
    np.testing.assert_array_equal(segmenter.guidance.weight, [[0, 901]])
    network_mean, *_ = segmenter.guidance.sums(["object"])
    assert np.isfinite(network_mean).all()


RIDGE = with_ridge(NETWORK)


def annotated(order=(0, 1, 2), network=RIDGE):
    """Three images, annotated in some order, each by a mask, a click and a click of another class."""
    segmenter = Segmenter(network, PARAMS)
    for i in order:
        image, masks = scene([("red", 10 + 5 * i, 10), ("blue", 60, 70 - 9 * i)], seed=i)
        name = segmenter.add_image(image, f"photo {i}")
        segmenter.paint(name, masks["red"], cls="red", rest=False if i else None)
        segmenter.click(name, 50, 50, label=False, cls="red")
        segmenter.click(name, 75, 85 - 9 * i, cls="blue")
    return segmenter


def test_ridge_guidance_depends_on_no_order_and_goes_in_every_bit():
    whole = annotated()
    assert annotated((2, 0, 1)).guidance == whole.guidance
    expected = annotated((0, 2)).guidance
    whole.click("photo 1", 3, 3, cls="red")
    assert whole.guidance != expected
    whole.remove_image("photo 1")
    assert whole.guidance == expected
    while whole.undo():
        pass
    assert whole.guidance == Segmenter(RIDGE, PARAMS).guidance


def test_ridge_guidance_goes_through_a_file_and_back(tmp_path):
    segmenter, other = annotated(), Segmenter(RIDGE, PARAMS)
    segmenter.guidance.save(tmp_path / "red.npz")
    loaded = Guidance.load(tmp_path / "red.npz")
    assert loaded == segmenter.guidance
    other.add_guidance(loaded)
    found, expected = other.predict(QUERY), segmenter.predict(QUERY)
    assert found.classes == expected.classes[::-1]
    np.testing.assert_array_equal(found.logits, expected.logits[::-1])
    with pytest.raises(ValueError, match="same feature_size to be joined"):
        new().add_guidance(loaded)


def test_ridge_scores_are_those_of_the_core():
    size = 128, 128  # which need not be filled up
    scenes = [scene([("red", 10 + 20 * i, 10)], *size, seed=i) for i in range(3)]
    # Features as large as those of a trained backbone: products are counted in units of 2^-16.
    params = {**PARAMS, "backbone": jax.tree.map(lambda x: 4 * x, PARAMS["backbone"])}
    found, without = (Segmenter(network, params, edges=False, min_area=0) for network in (RIDGE, NETWORK))
    for segmenter in (found, without):
        for i, (image, masks) in enumerate(scenes):
            segmenter.paint(segmenter.add_image(image, f"photo {i}"), masks["red"], rest=False)
    logits = found.predict("photo 0").logits

    @jax.jit
    def core(params, images, masks):
        features = RIDGE.encode(params, images)
        first = jax.tree.map(lambda x: x[0], features)
        return RIDGE.score(params, first, merge_shots(RIDGE.guide(features, masks)), size)

    both = np.stack([np.stack([~masks["red"], masks["red"]])[None] for _, masks in scenes]).astype(np.float32)
    np.testing.assert_allclose(logits, core(params, np.stack([image for image, _ in scenes]), both), atol=0.02)
    assert np.abs(logits - without.predict("photo 0").logits).max() > 0.5


def test_one_image_needs_no_ridge_regression():
    found, without = (Segmenter(network, PARAMS) for network in (RIDGE, NETWORK))
    for segmenter in (found, without):
        segmenter.paint(segmenter.add_image(SUPPORT, "photo"), SUPPORT_MASKS["red"], rest=False)
    np.testing.assert_allclose(found.predict("photo").logits, without.predict("photo").logits, atol=1e-4)


def test_local_pooling_serves_the_annotated_image_only():
    config = Config(BackboneConfig("small", (4,), (4, 4, 4)), HeadConfig("concat", hidden_size=4), pooling="local")
    network = GuidedNetwork(config)
    params = network.init(jax.random.key(0))
    params = {
        **params,
        "head": jax.tree.map(lambda x: x + np.random.default_rng(x.size).normal(size=x.shape), params["head"]),
    }
    segmenter = Segmenter(network, params, edges=False, min_area=0)
    photo = segmenter.add_image(SUPPORT)
    segmenter.click(photo, 25, 25)
    one = segmenter.predict(photo).logits
    segmenter.click(photo, 75, 85)
    changed = np.argwhere(np.abs(segmenter.predict(photo).logits - one)[0] > 1e-4)
    assert len(changed)
    assert (np.abs(changed - [75, 85]) < 12).all()
    with pytest.raises(ValueError, match="image must have annotations of its own with pooling=local"):
        segmenter.predict(QUERY)


def test_number_of_classes_does_not_change_the_scores():
    one, many = new(), new()
    for segmenter in (one, many):
        segmenter.click(segmenter.add_image(SUPPORT), 25, 25, cls="red")
    guidance = one.guidance
    for name in ("a", "b"):
        many.add_guidance(guidance.rename("red", name))
        many.remove_guidance(guidance.rename("red", name))
    assert many.classes == ("red",)
    many.click("image-1", 75, 85, cls="blue")
    many.click("image-1", 5, 100, cls="green")  # three classes are padded to four
    assert many.predict(QUERY).logits.shape == (3, 100, 120)
    for _ in range(2):
        many.undo()
    np.testing.assert_array_equal(many.predict(QUERY).logits, one.predict(QUERY).logits)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda s: s.click("none", 0, 0), r"image must be one that was added \(photo\), got 'none'"),
        (lambda s: s.click("photo", 100, 0), "y, x must lie in the 100 x 120 px of 'photo', got 100, 0"),
        (lambda s: s.click("photo", 0, -1), "y, x must lie in the 100 x 120 px"),
        (lambda s: s.paint("photo", np.zeros((100, 120))), r"mask must be bool \[100, 120\] for 'photo', got float64"),
        (lambda s: s.paint("photo", np.zeros((2, 2), bool)), r"mask must be bool \[100, 120\] .* got bool \[2, 2\]"),
        (lambda s: s.add_image(QUERY, "photo"), "name must be new"),
        (lambda s: s.add_image(SUPPORT, 5), "name must be text, got 5"),
        (lambda s: s.predict("none"), "image must be one that was added"),
        (lambda s: s.predict(np.zeros((2, 2))), "image must be uint8"),
        (lambda s: s.remove_image("none"), "image must be one that was added"),
        (
            lambda s: [s.click("photo", *divmod(i, 120), cls=str(i)) for i in range(255)],
            "at most 254 classes, got one more: '254'",
        ),
        (lambda s: new(max_side=0), "max_side must be at least 1, got 0"),
        (lambda s: new(max_side=4096), "max_side must be at most 2048, got 4096"),
        (lambda s: new(edges="no"), "edges must be one of True, False, got 'no'"),
        (lambda s: s.click("photo", 0, 0, cls="a\0"), "cls must be text, got 'a.x00'"),
        (lambda s: next(s.video(SUPPORT)), r"frames must be several images, got one, \[100, 120, 3\]"),
        (lambda s: new(pieces="one"), "pieces must be one of all, annotated, got 'one'"),
        (lambda s: s.predict("photo", pieces=1), "pieces must be one of all, annotated, got 1"),
        (lambda s: new(min_area=-1), "min_area must be at least 0, got -1"),
        (lambda s: Segmenter(NETWORK), "network and params must be given together"),
        (
            lambda s: Segmenter(GuidedNetwork(EARLY), PARAMS),
            "fusion must be late for clicks to spare the encoder, got early",
        ),
    ],
)
def test_bad_input_is_named(act, message):
    segmenter = new()
    segmenter.add_image(SUPPORT, "photo")
    with pytest.raises(ValueError, match=message):
        act(segmenter)


EARLY = Config(BackboneConfig("small", (4,)), HeadConfig("concat", hidden_size=4), fusion="early")


@pytest.mark.parametrize("name", ["max_side", "min_area"])
@pytest.mark.parametrize("value", ["512", None, float("nan"), -1, True])
def test_options_of_another_kind_are_refused(name, value):
    with pytest.raises(ValueError, match=f"{name} must be at least [01], got {value!r}"):
        new(**{name: value})
