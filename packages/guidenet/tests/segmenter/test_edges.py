"""Masks end at the edges of the image; specks and holes."""

import numpy as np
import pytest
import scipy.ndimage
from guidenet.network.geometry import Grid
from guidenet.segmenter.edges import find_edges, follow_edges, remove_specks
from guidenet.segmenter.prediction import probabilities, upsample_to
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

SIZE = (96, 112)
CELLS = Grid(6, 7, 16, 9.0)


def disc(y=40, x=60, radius=25, size=SIZE):
    rows, columns = np.mgrid[: size[0], : size[1]]
    return (rows - y) ** 2 + (columns - x) ** 2 < radius**2


def photo(mask, seed=0, noise=4):
    """A bright thing on a dark ground, with noise."""
    colours = np.where(mask[..., None], (200, 150, 60), (70, 90, 110))
    noisy = colours + np.random.default_rng(seed).normal(0, noise, (*mask.shape, 3))
    return np.clip(noisy, 0, 255).astype(np.uint8)


def cell_scores(mask, grid=CELLS):
    """Logits of cells: 3 in a mask and -3 outside, in between as the mean over the cell says."""
    centres = [int(grid.offset) + grid.stride * np.arange(cells) for cells in (grid.rows, grid.columns)]
    rows, columns = (np.minimum(places, side - 1) for places, side in zip(centres, mask.shape, strict=True))
    smooth = scipy.ndimage.uniform_filter(mask.astype(np.float32), grid.stride)
    return 6 * smooth[np.ix_(rows, columns)][None] - 3


def iou(found, mask):
    return (found & mask).sum() / (found | mask).sum()


def test_a_mask_of_coarse_cells_ends_where_the_thing_ends():
    mask = disc()
    scores = cell_scores(mask)
    coarse = upsample_to(scores, CELLS, SIZE, SIZE)[0] > 0
    found = follow_edges(find_edges(photo(mask)), scores, CELLS)[0] > 0
    assert iou(coarse, mask) < 0.92
    assert iou(found, mask) > 0.97


@pytest.mark.parametrize("size", [SIZE, (97, 110), (16, 300), (1, 1), (3, 50)])
def test_images_of_any_size(size):
    mask = disc(size[0] / 2, size[1] / 2, max(size) / 4, size)
    grid = Grid(-(-size[0] // 16), -(-size[1] // 16), 16, 9.0)
    found = follow_edges(find_edges(photo(mask)), cell_scores(mask, grid), grid)
    assert found.shape == (1, *size)
    assert np.isfinite(found).all()


def test_what_the_whole_image_is_stays():
    edges = find_edges(photo(disc()))
    for logit in (-2.0, 0.5):
        found = follow_edges(edges, np.full((1, CELLS.rows, CELLS.columns), logit, np.float32), CELLS)
        np.testing.assert_allclose(found, logit, atol=2e-3)


def test_a_flat_image_is_only_smoothed():
    scores = cell_scores(disc())
    flat = find_edges(np.full((*SIZE, 3), 90, np.uint8))
    smoothed = probabilities(follow_edges(flat, scores, CELLS))
    p = probabilities(upsample_to(scores, CELLS, SIZE, SIZE))
    assert smoothed.max() < p.max()
    assert np.abs(np.diff(smoothed, axis=2)).max() < np.abs(np.diff(p, axis=2)).max()
    np.testing.assert_allclose(smoothed.mean(), p.mean(), atol=0.05)


def test_classes_and_background_still_sum_to_one():
    one, other = disc(30, 30, 18), disc(65, 80, 20)
    scores = np.concatenate([cell_scores(one), cell_scores(other)])
    found = follow_edges(find_edges(photo(one | other)), scores, CELLS)
    labels = np.where(found.max(0) > 0, found.argmax(0) + 1, 0)
    assert iou(labels == 1, one) > 0.9
    assert iou(labels == 2, other) > 0.9
    assert (probabilities(found).sum(axis=0) <= 1 + 1e-5).all()


def test_a_class_that_is_nowhere_is_so_beside_others_and_in_specks():
    mask = disc(radius=4)
    scores = np.stack([np.full((CELLS.rows, CELLS.columns), logit, np.float32) for logit in (-12, -1e4)])
    scores[0, 2, 3] = 14
    found = follow_edges(find_edges(photo(mask)), scores, CELLS)
    assert (found[0] > 0).any()
    for logits in (found, remove_specks(found.copy(), found[0].size)):
        assert probabilities(logits)[1].max() < 2e-4


def logits_of(labels, num_classes=1):
    return np.stack([np.where(labels == k + 1, 2.0, -1.0) for k in range(num_classes)]).astype(np.float32)


def labels_of(logits):
    return np.where(logits.max(axis=0) > 0, logits.argmax(axis=0) + 1, 0)


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
