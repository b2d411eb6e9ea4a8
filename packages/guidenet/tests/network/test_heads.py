"""Heads against the formulas in their docstrings."""

import functools

import jax
import numpy as np
import pytest
from guidenet.network.config import HeadConfig
from guidenet.network.heads import ABSENT_SCORE, make_head

K, R, Q, C = 2, 3, 4, 5
rng = np.random.default_rng(0)
FEATURES = rng.normal(size=(R, Q, C)).astype(np.float32)
Z = rng.normal(size=(K, 2, C)).astype(np.float32)
VALID, PRESENT = np.ones((R, Q), bool), np.ones((K, 2), bool)


def put(array, index, value):
    """A changed copy; `.at` would be compiled for each."""
    array = array.copy()
    array[index] = value
    return array


def make(config, shift=0.3):
    head = make_head(config)
    init = jax.jit(functools.partial(head.init, method="everything"))
    params = init(jax.random.key(0), FEATURES, VALID, Z, PRESENT)
    return head, jax.tree.map(lambda x: np.asarray(x) + shift * rng.normal(size=x.shape).astype(np.float32), params)


@functools.partial(jax.jit, static_argnums=0, static_argnames="deterministic")
def score(head, params, z=Z, present=PRESENT, valid=VALID, **options):
    prepared = head.apply(params, FEATURES, valid, method="prepare")
    return head.apply(params, prepared, z, present, **options)


def dense(layer, x):
    return np.asarray(x) @ layer["kernel"] + layer.get("bias", 0)


def concatenated(params, guide):
    """W2 relu(W1 [x, z] + b1) + b2 with the two parts of W1 put together again."""
    p = params["params"]
    x = np.concatenate([FEATURES, np.broadcast_to(guide, (R, Q, guide.shape[-1]))], axis=-1)
    kernel = np.concatenate([p["query"]["kernel"], p["guide"]["kernel"]])
    return dense(p["score"], np.maximum(x @ kernel + p["query"]["bias"], 0))


def test_concat_is_two_layers_on_features_and_both_guides():
    head, params = make(HeadConfig("concat", hidden_size=6))
    for k in range(K):
        s = concatenated(params, np.concatenate([np.asarray(Z[k, 0]), np.asarray(Z[k, 1])]))
        expected = s[..., 1] - s[..., 0] - params["params"]["threshold"]
        np.testing.assert_allclose(score(head, params)[k], expected, rtol=1e-4, atol=1e-5)


def test_shared_concat_scores_each_guide_alone_by_the_same_weights():
    head, params = make(HeadConfig("concat", shared=True, hidden_size=6))
    present = put(PRESENT, np.s_[1, 0], False)
    background = concatenated(params, np.asarray(Z[0, 0]))[..., 0]  # the only class with negatives
    logits = score(head, params, present=present)
    for k in range(K):
        expected = concatenated(params, np.asarray(Z[k, 1]))[..., 0] - background - params["params"]["threshold"]
        np.testing.assert_allclose(logits[k], expected, rtol=1e-4, atol=1e-5)


def test_concat_takes_guides_with_places():
    head, params = make(HeadConfig("concat", hidden_size=6))
    tiled = np.broadcast_to(Z[:, :, None, None], (K, 2, R, Q, C))
    np.testing.assert_allclose(score(head, params, tiled), score(head, params), rtol=1e-5, atol=1e-6)
    moved = score(head, params, put(tiled, np.s_[:, :, 1, 2], tiled[:, :, 1, 2] + 1))
    assert np.argwhere(np.abs(moved - score(head, params)).max(axis=0) > 1e-4).tolist() == [[1, 2]]


def unit(x):
    x = np.asarray(x)
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def background(z, valid=VALID):
    """The mean of directions in the image, weighted by how unlike the positives they are."""
    cells = unit(FEATURES)[valid]
    likeness = cells @ unit(z[1])
    return unit(np.exp(-(likeness - likeness.mean()) / likeness.std()) @ cells)


def cosines(z, own=None, said=1):
    own = background(z) if own is None else own
    towards = unit(4 * own + said * unit(z[0]))
    positive = unit(FEATURES) @ unit(z[1])
    to_own, negative = unit(FEATURES) @ own, unit(FEATURES) @ towards
    negative = negative + min(1, 4 / max(said, 1)) * np.maximum(to_own - negative, 0)
    return np.stack([positive, negative, positive - negative], axis=-1)


def test_cosine_starts_as_the_nearest_prototype():
    head, params = make(HeadConfig(), shift=0)
    for k in range(K):
        x = cosines(np.asarray(Z[k]))
        np.testing.assert_allclose(score(head, params)[k], 10 * x[..., 2], rtol=1e-4, atol=1e-5)
    hidden, more = make(HeadConfig(hidden_size=4, products=True), shift=0)
    np.testing.assert_allclose(score(hidden, more), score(head, params), atol=1e-5)


@pytest.mark.parametrize("products", [False, True])
def test_cosine_adds_a_hidden_layer(products):
    head, params = make(HeadConfig(hidden_size=4, products=products))
    p = params["params"]
    for k in range(K):
        x = cosines(np.asarray(Z[k]))
        hidden = dense(p["hidden"], x)
        if products:
            hidden += dense(p["positive"], unit(FEATURES) * unit(Z[k, 1]))
            hidden += dense(p["negative"], unit(FEATURES) * unit(4 * background(Z[k]) + unit(Z[k, 0])))
        expected = dense(p["linear"], x) + dense(p["score"], np.maximum(hidden, 0)) - p["threshold"]
        np.testing.assert_allclose(score(head, params)[k], expected[..., 0], rtol=1e-4, atol=1e-5)


def test_without_negatives_the_image_is_the_background():
    head, params = make(HeadConfig(), shift=0)
    present, valid = put(PRESENT, np.s_[0, 0], False), put(VALID, np.s_[:, 2:], False)
    found = score(head, params, put(Z, np.s_[0, 0], 0), present, valid)
    for k in range(K):
        x = cosines(np.asarray(Z[k]), background(np.asarray(Z[k]), valid), said=int(k > 0))  # of what is image
        np.testing.assert_allclose(found[k], 10 * x[..., 2], rtol=1e-4, atol=1e-5)


def test_flat_images_have_a_background_whatever_fills_them_up():
    head, params = make(HeadConfig(), shift=0)
    flat, z = np.broadcast_to(FEATURES[:1, :1], FEATURES.shape), put(Z, np.s_[:, 1], FEATURES[0, 0])
    for odd in (-1, 1):  # beside the image, then a single cell of a large one
        features = put(np.resize(flat, (128, 128, C)), np.s_[-1, -1], odd * FEATURES[0, 0])
        valid = put(np.ones((128, 128), bool), np.s_[-1, -1], odd > 0)
        for mask in (valid, np.ones_like(valid)):
            prepared = head.apply(params, features, mask, method="prepare")
            assert np.isfinite(head.apply(params, prepared, z, PRESENT)).all()


@pytest.mark.parametrize("said", [2, 5, 100])
def test_the_more_is_said_of_the_background_the_less_the_image_does(said):
    head, params = make(HeadConfig(), shift=0)
    found = score(head, params, present=put(np.ones((K, 2)), np.s_[:, 0], said))
    for k in range(K):
        np.testing.assert_allclose(found[k], 10 * cosines(np.asarray(Z[k]), said=said)[..., 2], rtol=1e-4, atol=1e-4)


def test_the_first_negative_annotation_only_takes_away():
    head, params = make(HeadConfig(), shift=0)
    before = score(head, params, put(Z, np.s_[:, 0], 0), put(PRESENT, np.s_[:, 0], False))
    assert (score(head, params) <= before + 1e-5).all()
    assert (score(head, params) < before - 1e-3).any()


@pytest.mark.parametrize("config", [HeadConfig(), HeadConfig("concat", hidden_size=3), HeadConfig("concat", True, 3)])
def test_a_class_without_positives_is_nowhere(config):
    head, params = make(config)
    logits = score(head, params, put(Z, np.s_[1, 1], 0), put(PRESENT, np.s_[1, 1], False))
    np.testing.assert_array_equal(logits[1], np.full((R, Q), ABSENT_SCORE))
    assert np.abs(logits[0]).max() < 1e3


def test_gradients_are_finite_where_there_are_no_annotations():
    head, params = make(HeadConfig())
    gradients = jax.grad(lambda z: score(head, params, z, ~PRESENT).sum())(0 * Z)
    assert np.isfinite(gradients).all()


def test_dropout_drops_only_in_training():
    head, params = make(HeadConfig("concat", hidden_size=8, dropout=0.5))
    keys = jax.random.split(jax.random.key(1))
    first, second = (score(head, params, deterministic=False, rngs={"dropout": key}) for key in keys)
    assert np.abs(first - second).max() > 1e-3
    np.testing.assert_array_equal(score(head, params), score(head, params))


def test_the_thesis_starts_with_small_weights():
    small, _ = (make(HeadConfig("concat", hidden_size=512, initialisation=kind), 0)[1] for kind in ("thesis", "scaled"))
    kernel = small["params"]["guide"]["kernel"]
    np.testing.assert_allclose(np.std(kernel), 1e-3, rtol=0.1)
    assert not np.any(small["params"]["score"]["kernel"])
