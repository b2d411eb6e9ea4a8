"""Late fusion, shots and classes against sums worked out by hand."""

import jax
import numpy as np
import pytest
from guidenet import Guide
from guidenet.network import guides

# Compiled as a whole: op by op takes many small compilations.
guide = jax.jit(guides.guide, static_argnames="local")
merge_shots = jax.jit(guides.merge_shots, static_argnums=1)
oppose = jax.jit(guides.oppose, static_argnames="local")
oppose_masks, pool = jax.jit(guides.oppose_masks), jax.jit(guides.pool)

FEATURES = np.array([[[1.0, 10.0], [2.0, 20.0]], [[3.0, 30.0], [4.0, 40.0]]], np.float32)  # [R, Q, C]


def masks_of(negative, positive):
    return np.asarray([negative, positive], np.float32)[None]


def test_guide_sums_features_under_each_mask():
    total, weight, count, _ = guide(FEATURES, masks_of([[1, 0], [0, 0]], [[0, 0.5], [0, 1]]))
    np.testing.assert_allclose(count, weight)
    np.testing.assert_allclose(total, [[[1, 10], [5, 50]]])
    np.testing.assert_allclose(weight, [[1, 1.5]])
    z, present = pool(Guide(total, weight, count))
    np.testing.assert_allclose(np.asarray(z)[0, 1], [10 / 3, 100 / 3], rtol=1e-6)
    assert present.all()


def test_without_annotations_z_is_zero_and_absent():
    z, present = pool(guide(FEATURES, masks_of([[0, 0], [0, 0]], [[1, 0], [0, 0]])))
    np.testing.assert_array_equal(z, [[[0, 0], [1, 10]]])
    np.testing.assert_array_equal(present, [[False, True]])


def test_local_guides_keep_places_and_weigh_a_cell_at_most_once():
    total, weight, count, _ = guide(FEATURES, masks_of([[0, 0], [0, 0]], [[3, 0.5], [0, 0]]), local=True)
    np.testing.assert_allclose(count, [[0, 3.5]])
    np.testing.assert_allclose(np.asarray(weight)[0, 1], [[1, 0.5], [0, 0]])
    np.testing.assert_allclose(np.asarray(total)[0, 1, ..., 0], [[1, 1], [0, 0]])


def test_shots_count_equally_or_by_pixels_and_only_where_they_have_annotations():
    shots = Guide(
        np.asarray([[[[0.0], [2.0]]], [[[0.0], [90.0]]], [[[5.0], [0.0]]]]),  # [S, K, 2, C]
        np.asarray([[[0.0, 1.0]], [[0.0, 9.0]], [[1.0, 0.0]]]),
        np.asarray([[[0.0, 1.0]], [[0.0, 9.0]], [[1.0, 0.0]]]),
    )
    for kind in ("equal", "pixels"):
        np.testing.assert_allclose(merge_shots(shots, kind).count, [[1, 10]])
    z, present = pool(merge_shots(shots, "equal"))
    np.testing.assert_allclose(z, [[[5], [6]]])  # (2 + 10) / 2
    assert present.all()
    z, _ = pool(merge_shots(shots, "pixels"))
    np.testing.assert_allclose(z, [[[5], [9.2]]])  # 92 / 10


def test_the_order_of_shots_does_not_matter():
    rng = np.random.default_rng(0)
    weight = np.asarray(rng.uniform(1, 9, (5, 2, 2)), np.float32)
    shots = Guide(np.asarray(rng.normal(size=(5, 2, 2, 3)), np.float32), weight, weight)
    turned = jax.tree.map(lambda x: x[::-1], shots)
    for kind in ("equal", "pixels"):
        np.testing.assert_allclose(pool(merge_shots(shots, kind))[0], pool(merge_shots(turned, kind))[0], atol=1e-6)


def test_positives_of_other_classes_are_negatives():
    one = Guide(
        np.asarray([[[1.0], [2.0]], [[10.0], [20.0]], [[100.0], [200.0]]]),
        np.asarray([[0.0, 1.0], [1.0, 1.0], [1.0, 3.0]]),
        np.asarray([[0.0, 2.0], [2.0, 2.0], [2.0, 6.0]]),
    )
    total, weight, count, _ = oppose(one)
    np.testing.assert_allclose(count, [[8, 2], [10, 2], [6, 6]])
    np.testing.assert_allclose(np.asarray(total)[..., 0], [[221, 2], [212, 20], [122, 200]])
    np.testing.assert_allclose(weight, [[4, 1], [5, 1], [3, 3]])
    batched = oppose(jax.tree.map(lambda x: np.stack([x, 2 * x]), one))
    np.testing.assert_allclose(np.asarray(batched.total)[1], 2 * np.asarray(total))
    local = oppose(Guide(one.total[..., None, None, :], one.weight[..., None, None], one.count), local=True)
    np.testing.assert_allclose(local.count, count)
    np.testing.assert_allclose(np.asarray(local.total)[..., 0, 0, :], total)
    np.testing.assert_allclose(np.asarray(local.weight)[..., 0, 0], weight)


def test_masks_are_opposed_like_guides_but_weigh_at_most_one():
    masks = np.asarray([[[[1.0, 0]], [[0, 1.0]]], [[[1.0, 1.0]], [[0, 1.0]]]])  # [K, 2, H, W]
    np.testing.assert_allclose(np.asarray(oppose_masks(masks))[:, 0, 0], [[1, 1], [1, 1]])
    np.testing.assert_allclose(np.asarray(oppose_masks(masks))[:, 1], masks[:, 1])


def test_mapping_over_shots_is_a_stack_of_shots():
    rng = np.random.default_rng(1)
    features = np.asarray(rng.normal(size=(3, 2, 2, 4)), np.float32)
    masks = np.asarray(rng.uniform(size=(3, 2, 2, 2, 2)), np.float32)
    mapped = jax.jit(jax.vmap(guides.guide))(features, masks)
    for i in range(3):
        for whole, part in zip(mapped[:3], guide(features[i], masks[i])[:3], strict=True):
            np.testing.assert_allclose(np.asarray(whole)[i], part, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(guide(features, masks).total, mapped.total, rtol=1e-5, atol=1e-6)


def test_masks_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"masks must have the \(2, 2\) cells of the features, got \(3, 2\)"):
        guide(FEATURES, np.zeros((1, 2, 3, 2)))
    with pytest.raises(ValueError, match=r"masks must be \[..., K, 2, R, Q\], got \(2, 2, 2\)"):
        guide(FEATURES, np.zeros((2, 2, 2)))


def test_images_are_counted_for_those_who_ask():
    one = guide(FEATURES, masks_of([[1, 0], [0, 0]], [[0, 0], [0, 0]]))
    two = guide(FEATURES, masks_of([[1, 0], [0, 0]], [[0, 1], [0, 1]]))
    assert oppose(one).images is None
    asked = [x._replace(images=(x.count > 0).astype(np.float32)) for x in (one, two)]
    merged = merge_shots(jax.tree.map(lambda *x: np.stack(x), *asked))
    np.testing.assert_array_equal(merged.images, [[2, 1]])
    classes = jax.tree.map(lambda *x: np.concatenate(x), *asked)
    np.testing.assert_array_equal(oppose(classes).images, [[2, 0], [1, 1]])
