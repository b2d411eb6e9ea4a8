"""Masks end at the edges of the image."""

import numpy as np
import pytest
import scipy.ndimage
from guidenet.network.geometry import Grid
from guidenet.segmenter.edges import SMOOTHNESS, STEP, find_edges, follow_edges
from guidenet.segmenter.pieces import remove_specks
from guidenet.segmenter.prediction import probabilities, upsample_to

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
    found = follow_edges(find_edges(photo(mask), CELLS.stride), scores, CELLS)[0] > 0
    assert iou(coarse, mask) < 0.92
    assert iou(found, mask) > 0.97


@pytest.mark.parametrize("size", [SIZE, (97, 110), (16, 300), (1, 1), (3, 50)])
def test_images_of_any_size(size):
    mask = disc(size[0] / 2, size[1] / 2, max(size) / 4, size)
    grid = Grid(-(-size[0] // 16), -(-size[1] // 16), 16, 9.0)
    found = follow_edges(find_edges(photo(mask), CELLS.stride), cell_scores(mask, grid), grid)
    assert found.shape == (1, *size)
    assert np.isfinite(found).all()


def test_what_the_whole_image_is_stays():
    edges = find_edges(photo(disc()), CELLS.stride)
    for logit in (-2.0, 0.5):
        found = follow_edges(edges, np.full((1, CELLS.rows, CELLS.columns), logit, np.float32), CELLS)
        np.testing.assert_allclose(found, logit, atol=2e-3)


def test_a_flat_image_is_only_smoothed():
    scores = cell_scores(disc())
    flat = find_edges(np.full((*SIZE, 3), 90, np.uint8), CELLS.stride)
    smoothed = probabilities(follow_edges(flat, scores, CELLS))
    p = probabilities(upsample_to(scores, CELLS, SIZE, SIZE))
    assert smoothed.max() < p.max()
    assert np.abs(np.diff(smoothed, axis=2)).max() < np.abs(np.diff(p, axis=2)).max()
    np.testing.assert_allclose(smoothed.mean(), p.mean(), atol=0.05)


def test_classes_and_background_still_sum_to_one():
    one, other = disc(30, 30, 18), disc(65, 80, 20)
    scores = np.concatenate([cell_scores(one), cell_scores(other)])
    found = follow_edges(find_edges(photo(one | other), CELLS.stride), scores, CELLS)
    labels = np.where(found.max(0) > 0, found.argmax(0) + 1, 0)
    assert iou(labels == 1, one) > 0.9
    assert iou(labels == 2, other) > 0.9
    assert (probabilities(found).sum(axis=0) <= 1 + 1e-5).all()


def test_a_class_that_is_nowhere_is_so_beside_others_and_in_specks():
    mask = disc(radius=4)
    scores = np.stack([np.full((CELLS.rows, CELLS.columns), logit, np.float32) for logit in (-12, -1e4)])
    scores[0, 2, 3] = 14
    found = follow_edges(find_edges(photo(mask), CELLS.stride), scores, CELLS)
    assert (found[0] > 0).any()
    for logits in (found, remove_specks(found.copy(), found[0].size)):
        assert probabilities(logits)[1].max() < 2e-4


FINE = Grid(24, 28, 4, 2.0)


@pytest.mark.parametrize(("size", "grid", "radius"), [(SIZE, CELLS, 8), ((97, 110), CELLS, 8), (SIZE, FINE, 2)])
def test_the_filter_is_that_of_the_paper(size, grid, radius):
    """Window by window, with a solver for each, in float64."""

    def window_means(x):
        for axis in (0, 1):
            x = scipy.ndimage.uniform_filter1d(x, 2 * radius + 1, axis=axis, mode="nearest")
        return x

    mask = disc(size=size)
    image = photo(mask, noise=20)
    found = follow_edges(find_edges(image, grid.stride), cell_scores(mask, grid), grid)
    rows, columns = (-(-side // STEP) for side in size)
    padded = np.pad(image, ((0, -size[0] % STEP), (0, -size[1] % STEP), (0, 0)), mode="edge") / 255
    colours = padded.reshape(rows, STEP, columns, STEP, 3).mean(axis=(1, 3))
    p = probabilities(upsample_to(cell_scores(mask, grid), grid, (STEP * rows, STEP * columns), (rows, columns)))[0]
    p = p.astype(np.float64)
    mean, mean_p = window_means(colours), window_means(p)
    outer = window_means(colours[..., :, None] * colours[..., None, :]) - mean[..., :, None] * mean[..., None, :]
    covariance = window_means(p[..., None] * colours) - mean_p[..., None] * mean
    slopes = np.linalg.solve(outer + SMOOTHNESS * np.eye(3), covariance[..., None])[..., 0]
    offset = mean_p - (slopes * mean).sum(axis=-1)
    fitted = np.moveaxis(window_means(np.concatenate([slopes, offset[..., None]], axis=-1)), -1, 0)
    blocks = Grid(rows, columns, STEP, (STEP - 1) / 2)
    *slopes, offset = upsample_to(fitted.astype(np.float32), blocks, size, size)
    expected = sum(slope * image[..., i] / 255 for i, slope in enumerate(slopes)) + offset
    np.testing.assert_allclose(probabilities(found)[0], np.clip(expected, 1e-4, 1 - 1e-4), atol=2e-5)
