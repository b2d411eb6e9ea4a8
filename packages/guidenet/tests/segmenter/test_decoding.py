"""A segmenter whose network has a decoder: scores at its cells, and what it is told of the image's own annotations."""

import jax
import numpy as np
import pytest
from guidenet import BackboneConfig, Config, DecoderConfig, GuidedNetwork, Segmenter
from guidenet.images import fit
from guidenet.network.backbones import fill_colour
from guidenet.network.geometry import upsample

NETWORK = GuidedNetwork(
    Config(
        BackboneConfig("small", strides=(4, 8), channels=(4, 5, 6)),
        feature_size=8,
        decoder=DecoderConfig((4, 6, 7), groups=2),
    )
)
rng = np.random.default_rng(0)
IMAGE = rng.integers(0, 256, (48, 40, 3)).astype(np.uint8)
POSITIVES, NEGATIVES = [(10, 12), (11, 30)], [(40, 5)]


@pytest.fixture(scope="module")
def params():
    found = NETWORK.init(jax.random.key(0))
    return {**found, "decoder": jax.tree.map(lambda x: x + 0.2 * rng.normal(size=x.shape), found["decoder"])}


def annotate(params, **options):
    segmenter = Segmenter(NETWORK, params, edges=False, min_area=0, **options)
    name = segmenter.add_image(IMAGE)
    for y, x in POSITIVES:
        segmenter.click(name, y, x, True, "a")
    for y, x in NEGATIVES:
        segmenter.click(name, y, x, False, "a")
    segmenter.click(name, 20, 20, True, "b")
    return segmenter, name


def expected(params, with_places):
    fitted = fit(IMAGE, 512, fill_colour(NETWORK.config.backbone))
    size = fitted.pixels.shape[:2]
    masks = np.zeros((2, 2, *size), np.float32)
    for y, x in POSITIVES:
        masks[0, 1, y, x] = 1
    for y, x in NEGATIVES:
        masks[0, 0, y, x] = 1
    masks[1, 1, 20, 20] = 1

    @jax.jit
    def score(params):
        features = NETWORK.encode(params, fitted.pixels)
        prepared = NETWORK.prepare(params, features, jax.numpy.array(fitted.inner))
        places = NETWORK.place(masks) if with_places else None
        return NETWORK.score_prepared(params, prepared, NETWORK.guide(features, masks), None, places)

    return upsample(score(params)[:, :12, :10], NETWORK.score_grid(48, 40), 48, 40)


@pytest.mark.parametrize("pieces", ["all", "annotated"])
def test_it_says_what_the_network_says(params, pieces):
    segmenter, name = annotate(params)
    found = segmenter.predict(name, pieces=pieces).logits
    wanted = np.asarray(expected(params, pieces == "annotated"))
    kept = np.sign(found) == np.sign(wanted)  # pieces without annotations have changed their sign, and only that
    np.testing.assert_allclose(np.abs(found), np.abs(wanted), atol=1e-2)
    assert kept.all() or pieces == "annotated"


def test_annotations_count_in_their_own_image_only(params):
    segmenter, name = annotate(params, pieces="annotated")
    other = np.ascontiguousarray(IMAGE[::-1])
    everywhere, _ = annotate(params)
    np.testing.assert_array_equal(segmenter.predict(other).logits, everywhere.predict(other).logits)
    assert not np.array_equal(np.abs(segmenter.predict(name).logits), np.abs(everywhere.predict(name).logits))
