"""A guided network as functions: every kind of fusion, pooling and head, and what each part of the parameters does."""

import dataclasses
import functools

import jax
import numpy as np
import pytest
from guidenet import BackboneConfig, Config, GuidedNetwork, HeadConfig, LossConfig, fusion, pretrained
from guidenet.network.losses import pixel_cross_entropy
from scipy import ndimage

SMALL = BackboneConfig("small", strides=(4,), channels=(4, 5, 6))
CONCAT = HeadConfig("concat", hidden_size=8)
SIDE = 32
rng = np.random.default_rng(0)
IMAGE = rng.integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)
MASKS = np.zeros((2, 2, SIDE, SIDE), np.float32)
MASKS[0, 1, :9, :9] = MASKS[0, 0, 20, 20] = MASKS[1, 1, 12:, :6] = 1

KINDS = {
    "cosine": Config(SMALL, HeadConfig(hidden_size=4, products=True, dropout=0.5)),
    "shared": Config(SMALL, HeadConfig("concat", shared=True, hidden_size=8)),
    "projected": Config(dataclasses.replace(SMALL, strides=(4, 8)), CONCAT, feature_size=3),
    "local": Config(SMALL, CONCAT, pooling="local"),
    "early": Config(SMALL, CONCAT, fusion="early", feature_size=3),
    "none": Config(SMALL, CONCAT, fusion="none"),
    "masking": Config(SMALL, CONCAT, fusion="masking", pooling="local"),
}


@functools.cache
def make(kind):
    network = GuidedNetwork(KINDS[kind])
    return network, network.init(jax.random.key(0))


# Compiled as a whole: op by op takes many small compilations.
encode = jax.jit(GuidedNetwork.encode, static_argnums=0)
guide_image = jax.jit(GuidedNetwork.guide_image, static_argnums=0)
score = jax.jit(GuidedNetwork.score, static_argnums=(0, 4))


def other_head(params):
    """Parameters with a head whose last layer is not zero."""
    head = jax.tree.map(lambda x: np.asarray(x) + 0.3 * np.random.default_rng(1).normal(size=x.shape), params["head"])
    return {**params, "head": head}


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_along_the_gradient_lowers_the_loss_of_an_episode(kind):
    network, params = make(kind)
    labels = np.where(MASKS[0, 1] > 0, 1, np.where(MASKS[1, 1] > 0, 2, 0))

    @jax.jit
    @jax.value_and_grad
    def loss(params):
        guide = network.guide_image(params, IMAGE, MASKS)
        logits = network.score(params, network.encode(params, IMAGE), guide, (SIDE, SIDE))
        assert logits.shape == (2, SIDE, SIDE)
        return pixel_cross_entropy(logits, labels, LossConfig())

    first, gradient = loss(params)
    norm = np.sqrt(sum(np.sum(np.asarray(leaf) ** 2) for leaf in jax.tree.leaves(gradient)))
    second, gradient = loss(jax.tree.map(lambda p, g: np.asarray(p - 0.01 / norm * np.asarray(g)), params, gradient))
    assert second < first
    # Behind a last layer of zeros nothing learns in the first step; the second gradient reaches every part.
    for part, leaves in gradient.items():
        assert not params[part] or any(np.any(leaf) for leaf in jax.tree.leaves(leaves)), part


def test_scoring_and_guiding_touch_no_parameter_of_the_encoder():
    network, params = make("projected")
    features = encode(network, params, IMAGE)

    @jax.jit
    def update(params, masks):
        return network.score(params, features, network.guide(features, masks), (SIDE, SIDE))

    jaxpr = jax.make_jaxpr(update.__wrapped__)(params, MASKS).jaxpr
    leaves = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(params)]
    used = {str(variable) for equation in jaxpr.eqns for variable in equation.invars}
    touched = [leaf for leaf, variable in zip(leaves, jaxpr.invars, strict=False) if str(variable) in used]
    assert touched
    assert all(leaf.startswith("['head']") for leaf in touched)
    np.testing.assert_array_equal(update({"head": params["head"]}, MASKS), update(params, MASKS))


def test_images_of_a_batch_are_encoded_as_they_are_alone():
    network, params = make("projected")
    images = rng.integers(0, 256, (2, 1, SIDE, 64, 3)).astype(np.uint8)
    features = encode(network, params, images).cells
    assert features.shape == (2, 1, 8, 16, 3)
    np.testing.assert_allclose(np.asarray(features)[1, 0], encode(network, params, images[1, 0]).cells, atol=1e-4)
    with pytest.raises(ValueError, match=r"image must be \[..., H, W, 3\], got \(32, 32\)"):
        network.encode(params, images[0, 0, :, :32, 0])
    with pytest.raises(ValueError, match="image sides must be multiples of 8, got 32 x 60"):
        network.encode(params, images[..., :60, :])


def test_features_of_two_strides_are_side_by_side():
    one, both = (GuidedNetwork(Config(dataclasses.replace(SMALL, strides=s))) for s in ((4,), (4, 8)))
    params = both.init(jax.random.key(0))
    features = encode(both, params, IMAGE).cells
    np.testing.assert_allclose(np.asarray(features)[..., :5], encode(one, params, IMAGE).cells, atol=1e-5)
    assert (both.feature_size, features.shape) == (11, (8, 8, 11))
    assert (one.multiple, both.multiple) == (4, 8)


def test_a_ridge_regression_sees_strides_that_the_metric_does_not():
    one = GuidedNetwork(Config(SMALL))
    both = GuidedNetwork(Config(dataclasses.replace(SMALL, strides=(4, 8)), HeadConfig(compared=5, ridge=2)))
    params = both.init(jax.random.key(0))
    features, metric = encode(both, params, IMAGE), encode(one, params, IMAGE)
    assert (both.metric_size, both.ridge_size, both.feature_size, both.guide_size) == (5, 11, 16, 16 + 66)
    np.testing.assert_allclose(features.cells[..., :5], metric.cells, atol=1e-5)
    np.testing.assert_allclose(features.cells[..., 5:].mean((0, 1))[:5], metric.cells.mean((0, 1)) / 2, atol=1e-5)
    masks = np.zeros((1, 2, SIDE, SIDE), np.float32)
    masks[0, 1, :9], masks[0, 0, 20:] = 1, 1
    found, alone = (
        net.score(params, x, net.guide(x, masks), (SIDE, SIDE)) for net, x in ((both, features), (one, metric))
    )
    np.testing.assert_allclose(found, alone, atol=1e-4)  # of one image
    with pytest.raises(ValueError, match="guide must have images for a ridge regression"):
        both.score(params, features, both.guide(features, masks)._replace(images=None), (SIDE, SIDE))


def test_clicks_guide_by_the_features_below_them():
    network, params = make("cosine")
    features = encode(network, params, IMAGE)
    grid = network.grid(SIDE, SIDE)
    y, x = (int(grid.offset + grid.stride * cell) for cell in (2, 5))
    masks = np.zeros((1, 2, SIDE, SIDE), np.float32)
    masks[0, 1, y, x] = 1
    guide = network.guide(features, masks)
    np.testing.assert_allclose(np.asarray(guide.total)[0, 1], np.asarray(features.cells)[2, 5], rtol=1e-5)
    np.testing.assert_allclose(guide.weight, [[0, 1]])


def test_a_trained_backbone_is_kept_and_starts_the_support_encoder():
    network, params = make("early")
    trained = jax.tree.map(lambda x: np.asarray(x) + 1, params["backbone"])
    params = network.init(jax.random.key(1), trained)
    assert params["backbone"] is trained
    kernel = np.asarray(params["support_backbone"]["conv0"]["kernel"])
    assert kernel.shape == (3, 3, 5, 4)
    np.testing.assert_array_equal(kernel[:, :, :3], trained["conv0"]["kernel"])
    np.testing.assert_allclose(kernel[:, :, 4], trained["conv0"]["kernel"].mean(axis=2), rtol=1e-5)


def test_early_fusion_sees_positions_of_annotations_and_guides_by_features_only_in_late():
    network, params = make("early")
    guide = guide_image(network, params, IMAGE, MASKS)
    moved = guide_image(network, params, IMAGE, np.roll(MASKS, 8, axis=-1))
    assert guide.total.shape == (2, 2, 3)
    assert np.abs(np.asarray(guide.total) - moved.total).max() > 1e-3
    np.testing.assert_array_equal(guide.weight, [[0, 1], [0, 1]])
    with pytest.raises(ValueError, match="fusion must be late or none to guide by features, got early"):
        network.guide(np.zeros((8, 8, 3)), MASKS)


def test_early_fusion_without_positives_is_absent():
    network, params = make("early")
    masks = MASKS.copy()
    masks[1, 1] = 0
    guide = guide_image(network, params, IMAGE, masks)
    np.testing.assert_array_equal(guide.weight, [[0, 1], [0, 0]])
    assert not np.any(np.asarray(guide.total)[1])


def test_masking_encodes_the_image_with_all_but_positives_blank():
    network, params = make("masking")
    image = np.where(np.asarray(MASKS[0, 1, :, :, None]) > 0, IMAGE, 127.5).astype(np.float32)
    features = encode(network, params, image)
    guide = guide_image(network, params, IMAGE, MASKS)
    np.testing.assert_allclose(np.asarray(guide.total)[0, 1], features.cells, atol=1e-5)
    assert (guide.weight[:, 1] == 1).all()
    pooled = guide_image(GuidedNetwork(dataclasses.replace(network.config, pooling="global")), params, IMAGE, MASKS)
    np.testing.assert_allclose(np.asarray(pooled.total)[0, 1], np.mean(features.cells, (0, 1)), atol=1e-5)


def test_stacks_hold_dilated_annotations_between_minus_one_and_one():
    stack = np.asarray(jax.jit(fusion.stack)(IMAGE, MASKS))
    assert stack.shape == (2, SIDE, SIDE, 5)
    np.testing.assert_array_equal(stack[1, ..., :3], IMAGE)
    expected = ndimage.maximum_filter(np.asarray(MASKS[0, 0]), 11, mode="constant")
    np.testing.assert_array_equal(stack[0, ..., 3], 2 * expected - 1)


def test_local_guidance_stays_where_it_is():
    network, params = make("local")
    params = other_head(params)
    features = encode(network, params, IMAGE)

    @jax.jit
    def score_cells(masks):
        return network.score_prepared(params, network.prepare(params, features), network.guide(features, masks))[0]

    one = MASKS[:1]
    more = one.copy()
    more[0, 1, 25, 25] = 1
    changed = np.argwhere(np.abs(np.asarray(score_cells(more)) - score_cells(one)) > 1e-6)
    assert len(changed)
    assert (np.abs(changed * 4 + 3 - 25) < 4).all()


def test_dropout_needs_a_key():
    network, params = make("cosine")
    params = other_head(params)
    features, guide = encode(network, params, IMAGE), guide_image(network, params, IMAGE, MASKS)
    without = score(network, params, features, guide, (SIDE, SIDE))
    dropped = score(network, params, features, guide, (SIDE, SIDE), jax.random.key(2))
    assert np.abs(np.asarray(without) - dropped).max() > 1e-3


def test_pretrained_makes_what_the_file_lacks(tmp_path):
    backbone = BackboneConfig("vgg16", (32,), (2, 2, 2, 2, 2, 3))
    network = GuidedNetwork(Config(backbone, CONCAT))
    shapes = jax.eval_shape(network.init, jax.random.key(0))["backbone"]
    params = jax.tree.map(lambda leaf: rng.normal(size=leaf.shape).astype(np.float32), shapes)
    tensors, position = {}, 0
    for name in sorted(name for name in params if name != "fc6"):
        tensors[f"features.{position}.weight"] = params[name]["kernel"].transpose(3, 2, 0, 1)
        tensors[f"features.{position}.bias"] = params[name]["bias"]
        position += 3 if name in ("conv1_2", "conv2_2", "conv3_3", "conv4_3") else 2
    np.savez(tmp_path / "v.npz", **tensors, **{"classifier.0.weight": np.zeros((4096, 98))})
    _, found = pretrained(network.config, tmp_path / "v.npz", jax.random.key(3))
    np.testing.assert_array_equal(found["backbone"]["conv5_3"]["kernel"], params["conv5_3"]["kernel"])
    assert found["backbone"]["fc6"]["kernel"].shape == (7, 7, 2, 3)


def test_a_metric_of_the_first_features_needs_no_ridge_regression():
    network = GuidedNetwork(Config(dataclasses.replace(SMALL, strides=(4, 8)), HeadConfig(compared=5)))
    params = network.init(jax.random.key(0))
    features = encode(network, params, IMAGE)
    assert (network.feature_size, features.cells.shape[-1]) == (5, 5)
