"""The decoder: what it adds, what lies outside of an image, and where annotations are."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from guidenet import BackboneConfig, Config, DecoderConfig, GuidedNetwork, HeadConfig, with_ridge
from guidenet.network import guides, ridge
from guidenet.network.decoder import thin
from guidenet.network.geometry import regrid

CONFIG = Config(
    BackboneConfig("small", strides=(4, 8), channels=(4, 5, 6)),
    feature_size=8,
    decoder=DecoderConfig((4, 6, 7, 8), groups=2),
)
NETWORK = GuidedNetwork(CONFIG)
SIDE = 64
rng = np.random.default_rng(0)
IMAGE = rng.integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)
MASKS = np.zeros((2, 2, SIDE, SIDE), bool)
MASKS[0, 1, :9, :9] = MASKS[0, 0, 40, 50] = MASKS[1, 1, 30:36, 8:12] = True
UNTRAINED = NETWORK.init(jax.random.key(0))
TRAINED = {**UNTRAINED, "decoder": jax.tree.map(lambda x: x + 0.2 * rng.normal(size=x.shape), UNTRAINED["decoder"])}


@jax.jit
def score(params, places=None, inner=None, features=None):
    own = NETWORK.encode(params, IMAGE)
    prepared = NETWORK.prepare(params, own if features is None else features, inner)
    return NETWORK.score_prepared(params, prepared, NETWORK.guide(own, MASKS), None, places)


def test_an_untrained_decoder_interpolates_the_metric():
    params = UNTRAINED
    plain = GuidedNetwork(dataclasses.replace(CONFIG, decoder=DecoderConfig(), feature_size=8))
    features = NETWORK.encode(params, IMAGE)
    of_cells = NETWORK.guide(features, MASKS)

    @jax.jit
    def expected(cells):
        prepared = plain.prepare({"head": params["head"]}, cells._replace(fine=None))
        return plain.score_prepared({"head": params["head"]}, prepared, of_cells)

    grids = NETWORK.grid(SIDE, SIDE), NETWORK.score_grid(SIDE, SIDE)
    assert [(grid.rows, grid.stride) for grid in grids] == [(8, 8), (16, 4)]
    wanted = regrid(expected(features)[..., None], *grids)[..., 0]
    np.testing.assert_allclose(score(params), wanted, atol=1e-4)


def test_what_fills_an_image_up_changes_nothing_in_it():
    alone = score(TRAINED)
    features = NETWORK.encode(TRAINED, IMAGE)
    noise = [rng.normal(size=(x.shape[0] * 2, x.shape[1] * 3 // 2, x.shape[2])).astype(np.float32) for x in features]
    filled = []
    for x, around in zip(features, noise, strict=True):
        around[: x.shape[0], : x.shape[1]] = x
        filled.append(jnp.asarray(around))
    found = score(TRAINED, inner=jnp.array([SIDE, SIDE]), features=type(features)(*filled))
    assert found.shape == (2, 32, 24)
    np.testing.assert_allclose(found[:, :16, :16], alone, atol=1e-3)


def test_annotations_of_the_query_are_seen_where_they_are():
    places = NETWORK.place(jnp.asarray(MASKS))
    assert places.shape == (2, 2, 16, 16)
    np.testing.assert_array_equal(places, MASKS.reshape(2, 2, 16, 4, 16, 4).max((3, 5)))
    without, seen = score(TRAINED), score(TRAINED, places)
    change = np.abs(np.asarray(seen - without)).max(0)
    assert change.max() > 1e-3
    assert change[2, 2] > 1e-4
    none = score(TRAINED, jnp.zeros_like(places))
    np.testing.assert_allclose(none, without, atol=1e-5)
    # A positive of one class is a negative of the others.
    told = places.at[1, 0].set(jnp.maximum(places[1, 0], places[0, 1]))
    np.testing.assert_allclose(score(TRAINED, told), seen, atol=1e-5)


def test_a_decoder_is_given_the_metric_and_the_ridge_regression():
    network = with_ridge(NETWORK)
    assert network.config.head.ridge == 20
    assert (network.metric_size, network.ridge_size, network.feature_size) == (8, 6, 14)  # but for the finest stride

    @jax.jit
    def found(params, copies):
        features = network.encode(params, IMAGE)
        one = network.guide(features, MASKS)
        guide = jax.tree.map(lambda x: copies * x, one)
        return network.score_prepared(params, network.prepare(params, features), guide)

    @jax.jit
    def expected(params, copies):
        features = network.encode(params, IMAGE)
        regressed = features.cells[..., 8:]
        plain = features._replace(cells=features.cells[..., :8])
        prepared = NETWORK.prepare(params, plain)
        guide, of_metric = (
            jax.tree.map(lambda x: copies * x, net.guide(x, MASKS))
            for net, x in ((network, features), (NETWORK, plain))
        )
        guide = guides.oppose(guide)
        z, _ = guides.pool(guide)
        without = GuidedNetwork(dataclasses.replace(CONFIG, decoder=DecoderConfig()))
        metric = without.score_prepared({"head": params["head"]}, prepared._replace(scene=None), of_metric)
        line = ridge.fit(z[..., 8:14], z[..., 14:], guide.images, decoded=True)
        metric += 20 * ridge.score(regressed, line)
        return NETWORK.decoder.apply({"params": params["decoder"]}, prepared.scene, z[..., :8], guide.count, metric)

    np.testing.assert_allclose(found(TRAINED, 1.0), score(TRAINED), atol=1e-4)  # of one image
    np.testing.assert_allclose(found(TRAINED, 9.0), expected(TRAINED, 9.0), atol=1e-3)


def test_of_many_places_a_few_are_told_evenly():
    places = np.zeros((2, 3, 20, 30), np.float32)
    places[0, 0], places[0, 1, 5, 5:9], places[1, 2, ::2] = 1, 1, 1
    found = np.asarray(thin(jnp.asarray(places), 50))
    assert found.sum((-2, -1)).tolist() == [[50, 4, 0], [0, 0, 50]]
    np.testing.assert_array_equal(found[0, 1], places[0, 1])
    assert (found <= places).all()
    assert found[0, 0].ravel()[:25].nonzero()[0].tolist() == [0, 12, 24]  # every twelfth of 600
    assert (found[0, 0].reshape(4, -1).sum(1) > 11).all()


def test_a_class_without_positives_is_nowhere():
    prepared = NETWORK.prepare(TRAINED, NETWORK.encode(TRAINED, IMAGE))
    masks = np.zeros((2, 2, SIDE, SIDE), bool)
    masks[0, 1, 3, 3] = masks[1, 0, 9, 9] = True
    logits = NETWORK.score_prepared(TRAINED, prepared, NETWORK.guide(NETWORK.encode(TRAINED, IMAGE), masks))
    assert (np.asarray(logits[1]) == -1e4).all()
    assert np.abs(np.asarray(logits[0])).max() < 1e3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"decoder": DecoderConfig((4, 5), groups=3)},
            "feature_size must be a multiple of decoder.groups, 3, .* got 8",
        ),
        ({"feature_size": 0}, "feature_size must be a multiple of decoder.groups, 2, with a decoder, got 0"),
        ({"backbone": BackboneConfig("small", (4,))}, "backbone.strides must be at least two with a decoder"),
        ({"head": HeadConfig("concat", hidden_size=4)}, "head.kind must be cosine with a decoder, got concat"),
        ({"head": HeadConfig(compared=2)}, "head.compared must be 0 with a decoder, got 2"),
    ],
)
def test_a_decoder_needs_cells_groups_and_a_cosine(options, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(CONFIG, **options)


def test_a_decoder_has_two_levels_or_more():
    with pytest.raises(ValueError, match=r"channels must be none or those of at least two levels, got \(4,\)"):
        DecoderConfig((4,))
    with pytest.raises(ValueError, match="channels must be at least 1, got 0"):
        DecoderConfig((4, 0))
    with pytest.raises(ValueError, match="groups must be at least 1, got 0"):
        DecoderConfig((4, 4), groups=0)
