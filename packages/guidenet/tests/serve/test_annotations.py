"""Marks: which pixels they label; undo, redo, delete and flip leave the guidance of what is there, in every bit."""

import numpy as np
import pytest
from guidenet import Segmenter
from guidenet.serve import Box, Click, Stroke
from guidenet.serve.annotations import Annotations
from guidenet.serve.limits import NotFoundError
from guidenet.serve.marks import check_mark, covered
from hypothesis import given, settings
from hypothesis import strategies as st

SIZE = (20, 30)
IMAGES = [np.random.default_rng(i).integers(0, 256, (*SIZE, 3), np.uint8) for i in range(2)]


@pytest.fixture(scope="module")
def encoded(model):
    """Makes annotations around a segmenter with two images."""

    def make():
        segmenter = Segmenter(*model)
        for i, image in enumerate(IMAGES):
            segmenter.add_image(image, str(i))
        return segmenter, Annotations(segmenter, lambda _: SIZE)

    return make


def as_bytes(segmenter):
    return {name: [part.tolist() for part in segmenter.guidance.sums([name])] for name in segmenter.classes}


def click(i, y=3, x=4, positive=True, cls="a"):
    return Click(str(i), y, x, positive, cls)


MARKS = st.one_of(
    st.builds(click, st.integers(0, 1), st.integers(0, 2), st.integers(0, 2), st.booleans(), st.sampled_from("ab")),
    st.builds(
        lambda i, y, x, positive: Box(str(i), y, x, y + 4, x + 5, positive, "a"),
        st.integers(0, 1),
        st.integers(0, 3),
        st.integers(0, 3),
        st.booleans(),
    ),
    st.builds(
        lambda i, x, positive: Stroke(str(i), ((2, x), (9, 9)), 1, positive, "b"),
        st.integers(0, 1),
        *(
            st.integers(0, 9),
            st.booleans(),
        ),
    ),
)
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), MARKS),
        st.tuples(st.sampled_from(["delete", "flip"]), st.integers(0, 5)),
        st.tuples(st.sampled_from(["undo", "redo", "clear"]), st.none()),
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None)
@given(actions=ACTIONS)
def test_whatever_was_done_the_guidance_is_that_of_the_marks(encoded, actions):
    segmenter, annotations = encoded()
    for action, argument in actions:
        if action == "add":
            annotations.add(argument)
        elif action in ("delete", "flip"):
            if annotations.steps:
                step = annotations.steps[argument % len(annotations.steps)]
                getattr(annotations, action)(step.number)
        else:
            getattr(annotations, action)()
    fresh, again = encoded()
    for step in annotations.steps:
        again.add(step.what)
    assert as_bytes(segmenter) == as_bytes(fresh)


def test_a_deleted_click_gives_back_what_it_replaced(encoded):
    segmenter, annotations = encoded()
    annotations.add(click(0, positive=True))
    one = as_bytes(segmenter)
    annotations.add(click(0, positive=False))
    annotations.add(click(1, 8, 8))
    annotations.delete(annotations.steps[2].number)
    annotations.delete(annotations.steps[1].number)
    assert as_bytes(segmenter) == one
    annotations.undo()
    assert [step.what.positive for step in annotations.steps] == [True, False]


def test_redo_ends_where_something_new_is_done(encoded):
    _, annotations = encoded()
    for i in range(3):
        annotations.add(click(0, y=i))
    assert annotations.undo()
    assert annotations.undo()
    assert annotations.redo()
    assert [step.what.y for step in annotations.steps] == [0, 1]
    annotations.add(click(0, y=9))
    assert not annotations.can_redo
    assert not annotations.redo()
    annotations.clear()
    annotations.undo()
    assert [step.what.y for step in annotations.steps] == [0, 1, 9]


def test_a_flipped_mark_keeps_its_number(encoded):
    _, annotations = encoded()
    annotations.add(click(0))
    number = annotations.steps[0].number
    annotations.flip(number)
    assert (annotations.steps[0].number, annotations.steps[0].what.positive) == (number, False)
    annotations.undo()
    assert annotations.steps[0].what.positive
    with pytest.raises(NotFoundError, match="no mark 99"):
        annotations.flip(99)


def test_an_image_that_is_gone_is_gone_from_undo_and_redo(encoded):
    segmenter, annotations = encoded()
    annotations.add(click(0))
    annotations.add(click(1))
    annotations.add(click(0, y=9))
    annotations.undo()
    segmenter.remove_image("1")
    annotations.forget_image("1")
    assert [step.image for step in annotations.steps] == ["0"]
    annotations.redo()
    assert [step.what.y for step in annotations.steps] == [3, 9]
    assert annotations.undo()
    assert annotations.undo()
    assert not annotations.undo()
    assert not segmenter.classes


def labels(mark):
    """1 where the mark says that it is the class, -1 where it says that it is not."""
    return covered(mark, SIZE) * (1 if mark.positive else -1)


def test_a_box_is_the_class_but_for_its_corners_and_a_negative_one_is_all_negative():
    found = labels(Box("0", 5, 8, 15, 22, True, "a"))
    inside = found[5:15, 8:22]
    assert found.sum() == inside.sum()
    assert inside[5, 7] == 1
    assert inside[0, 0] == inside[0, -1] == inside[-1, 0] == inside[-1, -1] == 0
    assert (inside == inside[::-1]).all()
    assert (inside == inside[:, ::-1]).all()
    assert 0.4 < inside.mean() < 0.6
    found = labels(Box("0", 5, 8, 15, 22, False, "a"))
    assert (found[5:15, 8:22] == -1).all()
    assert found.sum() == -140


def test_the_smallest_box_is_of_the_class():
    assert (labels(Box("0", 3, 4, 4, 5, True, "a")) == 1).sum() == 1


def test_a_stroke_labels_what_the_brush_covers():
    found = labels(Stroke("0", ((5, 5), (5, 15)), 2, True, "a"))
    assert (found[3:8, 5:16] == 1).all()
    assert found[2].max() == found[8].max() == 0
    assert found[5, 3] == found[5, 17] == 1
    assert found[5, 2] == found[5, 18] == 0
    assert (labels(Stroke("0", ((0, 0),), 0, False, "a")) == -1).sum() == 1


@pytest.mark.parametrize(
    ("mark", "message"),
    [
        (Click("0", 20, 0, True, "a"), "y, x must lie in the image of 20 x 30 px, got 20, 0"),
        (Box("0", 5, 5, 5, 9, True, "a"), "must be a box in the image of 20 x 30 px, got 5, 5, 5, 9"),
        (Box("0", 0, 0, 21, 9, True, "a"), "must be a box"),
        (Stroke("0", (), 1, True, "a"), "points must be 1 to 4000 of a stroke, got 0"),
        (Stroke("0", ((1, 1),), -1, True, "a"), "radius must be from 0 to 30 px, got -1"),
        (Stroke("0", ((1, 1), (1, 30)), 1, True, "a"), "points must lie in the image"),
    ],
)
def test_marks_outside_are_refused(mark, message):
    with pytest.raises(ValueError, match=message):
        check_mark(mark, SIZE)
