"""Ridge regression from sums against hand-made numbers, least squares and linear discriminant analysis."""

import functools

import jax
import numpy as np
import pytest
from guidenet.network import ridge

# Compiled as a whole: op by op takes many small compilations.
fit, centre, sum_products, score = (jax.jit(f) for f in (ridge.fit, ridge.centre, ridge.sum_products, ridge.score))

rng = np.random.default_rng(0)
IMAGES = np.full((1, 2), 1e9, np.float32)  # so many that the regression has all of its factor


def moments(*cells):
    """Means `[1, 2, F]` and products `[1, 2, T]` of negatives and positives, `[N, F]` each."""
    means = np.stack([x.mean(0) for x in cells])[None]
    products = np.stack([(x.T @ x / len(x))[np.triu_indices(x.shape[1])] for x in cells])[None]
    return means.astype(np.float32), products.astype(np.float32)


def test_one_feature_by_hand():
    line = fit(*moments(np.array([[-2.0], [0.0]]), np.array([[0.0], [2.0]])), IMAGES)
    # C = 2, the penalty 0.6, m+ - m- = 2: b = 2 / 2.6 = 10 / 13, d = 20 / 13
    np.testing.assert_allclose(line.normal, [[10 / 13]], rtol=1e-5)
    np.testing.assert_allclose(line.offset, [8 / 13 * np.log(9)], rtol=1e-5)
    found = score(np.array([[[1.3], [-1.3]]], np.float32), line)
    np.testing.assert_allclose(found, [[[1 - 8 / 13 * np.log(9), -1 - 8 / 13 * np.log(9)]]], rtol=1e-5)


def some_cells(num_features=5):
    return rng.normal(size=(40, num_features)) + 3, rng.normal(size=(12, num_features)) * 2 + 2


def test_the_direction_is_that_of_least_squares():
    cells = some_cells()
    line = fit(*moments(*cells), IMAGES)
    x, y = np.concatenate(cells), np.repeat([-2.0, 2.0], [len(part) for part in cells])
    weight = np.sqrt(np.repeat([0.5 / len(part) for part in cells], [len(part) for part in cells]))
    middle = (weight**2) @ x
    penalty = ridge.PENALTY * np.mean(weight**2 @ x**2 - middle**2)
    rows = np.concatenate([weight[:, None] * (x - middle), np.sqrt(penalty) * np.eye(x.shape[1])])
    expected = np.linalg.lstsq(rows, np.append(weight * y, np.zeros(x.shape[1])), rcond=None)[0]
    np.testing.assert_allclose(line.normal[0], expected, rtol=1e-3)


def test_the_score_is_the_log_odds_of_discriminant_analysis_on_a_smaller_scale():
    negative, positive = cells = some_cells()
    line = fit(*moments(*cells), IMAGES)
    within = (np.cov(negative.T, bias=True) + np.cov(positive.T, bias=True)) / 2
    difference, middle = positive.mean(0) - negative.mean(0), (positive.mean(0) + negative.mean(0)) / 2
    penalty = ridge.PENALTY * np.trace(within + np.outer(difference, difference) / 4) / 5
    normal = np.linalg.solve(within + penalty * np.eye(5), difference)
    odds = (positive - middle) @ normal - np.log(9)
    scale = 1 - float((line.normal[0] * difference).sum()) / 4
    assert 0 < scale < 1
    found = score(positive[None].astype(np.float32), line)[0, 0]
    np.testing.assert_allclose(found, scale * odds, rtol=1e-3, atol=1e-3)


def test_the_scale_of_all_features_does_not_matter():
    cells = some_cells()
    line, scaled = (fit(*moments(*(factor * part for part in cells)), IMAGES) for factor in (1, 8))
    np.testing.assert_allclose(8 * scaled.normal, line.normal, rtol=1e-3)
    np.testing.assert_allclose(scaled.offset, line.offset, rtol=1e-3)


@pytest.mark.parametrize(
    ("images", "share"), [((11, 11), 0.5), ((11, 31), 0.5), ((31, 11), 0.5), ((1, 9), 0), ((0, 9), 0)]
)
def test_the_regression_counts_as_much_as_there_are_images_of_both_kinds(images, share):
    cells = some_cells()
    line, whole = (fit(*moments(*cells), np.array([found], np.float32)) for found in (images, (1e9, 1e9)))
    np.testing.assert_allclose(line.normal, share * whole.normal, rtol=1e-4)
    np.testing.assert_allclose(line.offset, share * whole.offset, rtol=1e-4)


def test_in_front_of_a_decoder_the_odds_of_background_count_by_the_square():
    half = np.array([[11, 11]], np.float32)
    found = moments(np.array([[-2.0], [0.0]]), np.array([[0.0], [2.0]]))  # whose middle is 0: the offset is of the odds
    line, decoded = (jax.jit(functools.partial(ridge.fit, decoded=d))(*found, half) for d in (False, True))
    np.testing.assert_allclose(decoded.normal, line.normal)
    np.testing.assert_allclose(line.offset, [8 / 13 * np.log(9) / 2], rtol=1e-5)
    np.testing.assert_allclose(decoded.offset, [8 / 13 * np.log(9) / 4], rtol=1e-5)


def test_products_are_summed_under_masks():
    features = rng.normal(size=(3, 4, 2)).astype(np.float32)
    cells = rng.uniform(size=(1, 2, 3, 4)).astype(np.float32)
    found = sum_products(features, cells)
    for sign in range(2):
        expected = np.einsum("rq,rqf,rqg->fg", cells[0, sign], features, features)
        np.testing.assert_allclose(found[0, sign], [expected[0, 0], expected[0, 1], expected[1, 1]], rtol=1e-5)


def test_half_of_the_mean_of_what_is_image_is_taken():
    features = np.array([[[1.0], [3.0], [100.0]]], np.float32)
    np.testing.assert_allclose(centre(features, np.array([[True, True, False]])), features - 1)
    np.testing.assert_allclose(centre(features[:, :2]), features[:, :2] - 1)
