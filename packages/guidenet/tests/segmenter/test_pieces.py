"""Specks are dropped and holes filled."""

import numpy as np
import pytest
import scipy.ndimage
from guidenet.segmenter.pieces import keep_annotated, remove_specks
from guidenet.segmenter.prediction import labels_of
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays


def logits_of(labels, num_classes=1):
    return np.stack([np.where(labels == k + 1, 2.0, -1.0) for k in range(num_classes)]).astype(np.float32)


def test_specks_go_and_holes_are_filled():
    labels = np.zeros((20, 24), int)
    labels[4:14, 4:14] = 1
    expected = labels.copy()
    labels[8:10, 8:10] = 0  # a hole of 4
    labels[16:18, 20:22] = 1  # a speck of 4
    labels[16, 2:7] = 1  # a line of 5
    expected[16, 2:7] = 1
    np.testing.assert_array_equal(labels_of(remove_specks(logits_of(labels), 5)), expected)
    np.testing.assert_array_equal(labels_of(remove_specks(logits_of(labels), 0)), labels)


@pytest.mark.parametrize("size", [(1, 1), (3, 20)])
def test_what_covers_a_whole_small_image_is_no_speck(size):
    for labels in (np.zeros(size, int), np.ones(size, int)):
        np.testing.assert_array_equal(labels_of(remove_specks(logits_of(labels), 64)), labels)


def test_only_signs_change():
    labels = (np.random.default_rng(0).random((30, 40)) < 0.5).astype(int)
    logits = logits_of(labels, 1) + np.random.default_rng(1).random((1, 30, 40)).astype(np.float32) * 0.5
    found = remove_specks(logits.copy(), 12)
    np.testing.assert_array_equal(np.abs(found), np.abs(logits))
    assert (found != logits).any()


def test_a_hole_gets_the_class_of_most_of_its_border():
    labels = np.full((20, 20), 1)
    labels[:, 12:] = 2
    labels[5:8, 11:14] = 0  # five pixels of the first class are beside it, and seven of the second
    found = labels_of(remove_specks(logits_of(labels, 2), 20))
    assert (found[5:8, 11:14] == 2).all()


@given(arrays.arrays(np.int8, (12, 14), elements=st.integers(0, 2)), st.integers(0, 30))
def test_no_small_piece_is_left_that_was_one(labels, min_area):
    found = labels_of(remove_specks(logits_of(labels, 2), min_area))
    for label in (1, 2):
        before, _ = scipy.ndimage.label(labels == label)
        sizes = np.bincount(before.ravel())
        for piece in range(1, len(sizes)):
            if sizes[piece] >= min_area:
                assert (found[before == piece] == label).all()
    pieces, _ = scipy.ndimage.label(found == 0)
    assert (found.any() and (np.bincount(pieces.ravel())[1:] >= min_area).all()) or not found.any()


def remove_pixel_by_pixel(logits, min_area):
    """The same by labelling each mask, and looking at each pixel of a hole."""
    min_area, labels = min(min_area, logits[0].size), labels_of(logits).astype(int)

    def small_pieces(label):
        pieces, number = scipy.ndimage.label(labels == label)
        return [found for i in range(number) if (found := pieces == i + 1).sum() < min_area]

    for label in range(1, len(logits) + 1):
        for piece in small_pieces(label):
            logits[:, piece], labels[piece] = -np.abs(logits[:, piece]), 0
    padded, cross = np.pad(labels, 1), [(0, 1), (2, 1), (1, 0), (1, 2)]
    for piece in small_pieces(0):
        places = np.argwhere(piece)
        beside = np.concatenate([padded[tuple((places + step).T)] for step in cross])
        votes = np.bincount(beside, minlength=len(logits) + 1)[1:]
        if votes.any():
            logits[votes.argmax(), piece] = np.abs(logits[:, piece]).max(axis=0)
    return logits


@given(
    arrays.arrays(np.int8, st.tuples(st.integers(1, 12), st.integers(1, 14)), elements=st.integers(0, 2)),
    st.integers(0, 30),
    st.sampled_from([1, 2]),
)
def test_runs_find_what_pixels_do(labels, min_area, num_classes):
    logits = logits_of(np.minimum(labels, num_classes), num_classes)
    logits *= 1 + np.random.default_rng(0).random(logits.shape, np.float32)
    expected = remove_pixel_by_pixel(logits.copy(), min_area)
    np.testing.assert_array_equal(remove_specks(logits.copy(), min_area), expected)


def test_pieces_without_an_annotation_go_from_classes_that_have_any():
    labels = np.zeros((12, 20), int)
    labels[1:4, 1:6], labels[6:9, 1:6], labels[1:9, 9:12], labels[4:6, 15:18] = 1, 1, 2, 2
    logits = logits_of(labels, 2)
    places = np.array([2 * 20 + 3, 2 * 20 + 4, 11 * 20])  # the last one is in no piece
    found = keep_annotated(logits.copy(), {0: places})
    expected = labels.copy()
    expected[6:9, 1:6] = 0
    np.testing.assert_array_equal(labels_of(found), expected)
    np.testing.assert_array_equal(np.abs(found), np.abs(logits))
    both = labels_of(keep_annotated(logits.copy(), {0: places[2:], 1: np.array([5 * 20 + 10])}))
    np.testing.assert_array_equal(both, np.where(np.arange(20) < 14, np.where(labels == 2, 2, 0), 0))
