"""Encoders: the patch layer is the convolution that it stands for; sizes; Gaussian heads."""

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from mi_repr.deep.config import EncoderConfig
from mi_repr.deep.encoders import Conv, Encoder, PatchLayer

SMALL = {"channels": (4, 4, 4, 4, 8), "feature_size": 6}


def test_patch_layer_is_a_convolution_whose_stride_is_its_size():
    x = jnp.asarray(np.random.default_rng(0).normal(size=(2, 8, 8, 3)), jnp.float32)
    layer = PatchLayer(5, 4)
    params = layer.init(jax.random.key(0), x)
    kernel = params["params"]["Dense_0"]["kernel"].reshape(4, 4, 3, 5)
    expected = jax.lax.conv_general_dilated(x, kernel, (4, 4), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    np.testing.assert_allclose(layer.apply(params, x), expected, rtol=1e-4, atol=1e-4)


def test_patch_layer_adds_zeros_where_it_does_not_divide_the_sides():
    x = jnp.asarray(np.random.default_rng(0).normal(size=(2, 6, 9, 3)), jnp.float32)
    layer = PatchLayer(5, 4)
    params = layer.init(jax.random.key(0), x)
    padded = jnp.pad(x, [(0, 0), (0, 2), (0, 3), (0, 0)])
    np.testing.assert_array_equal(layer.apply(params, x), layer.apply(params, padded))
    assert layer.apply(params, x).shape == (2, 2, 3, 5)


@pytest.mark.parametrize("sides", [(8, 8), (9, 12), (13, 11), (64, 64), (2, 1)])
def test_a_convolution_by_matrices_is_flaxs(sides):
    x = jax.random.normal(jax.random.key(0), (2, 3, *sides, 4))
    ours, flaxs = Conv(5), nn.Conv(5, (3, 3), strides=2)
    params = flaxs.init(jax.random.key(1), x)
    chex.assert_trees_all_equal_shapes(params, ours.init(jax.random.key(1), x))
    bias = jax.random.normal(jax.random.key(2), (5,))
    params = {"params": {**params["params"], "bias": bias}}
    chex.assert_trees_all_close(ours.apply(params, x), flaxs.apply(params, x), atol=1e-5)

    def total(apply, params):
        return jnp.sum(apply(params, x) ** 2)

    grads = [jax.grad(lambda params, apply=apply: total(apply, params))(params) for apply in (ours.apply, flaxs.apply)]
    chex.assert_trees_all_close(*grads, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("kind", ["patch", "conv"])
@pytest.mark.parametrize("side", [32, 64])
def test_features_have_the_configured_size_whatever_the_batch(kind, side):
    encoder = Encoder(EncoderConfig(kind=kind, **SMALL))
    image = jnp.asarray(np.random.default_rng(0).integers(0, 256, (2, 3, side, side, 3)), jnp.uint8)
    params = encoder.init(jax.random.key(0), image)
    mean, std = encoder.apply(params, image)
    assert mean.shape == (2, 3, 6)
    assert std is None
    np.testing.assert_allclose(mean[1, 2], encoder.apply(params, image[1, 2]).mean, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["patch", "conv"])
@pytest.mark.parametrize("shape", [(8, 8, 1), (84, 84, 4), (40, 100, 3)])
def test_images_of_any_size_and_any_number_of_channels(kind, shape):
    encoder = Encoder(EncoderConfig(kind=kind, channels=(16,) * 5, feature_size=6))
    image = jnp.asarray(np.random.default_rng(0).integers(0, 256, (2, *shape)), jnp.uint8)
    params = encoder.init(jax.random.key(0), image)
    mean = encoder.apply(params, image).mean
    assert mean.shape == (2, 6)
    corner = encoder.apply(params, image.at[:, -1, -1].set(255 - image[:, -1, -1])).mean
    assert not np.array_equal(mean, corner)  # to the last pixel


def test_images_that_are_too_small():
    with pytest.raises(ValueError, match="images must be at least 8 pixels a side, got 64 x 7"):
        Encoder(EncoderConfig(**SMALL)).init(jax.random.key(0), jnp.zeros((1, 64, 7, 3), jnp.uint8))


def test_gaussian_encoder_starts_narrow():
    encoder = Encoder(EncoderConfig(**SMALL), gaussian=True)
    image = jnp.zeros((1, 32, 32, 3), jnp.uint8)
    _, std = encoder.apply(encoder.init(jax.random.key(0), image), image)
    np.testing.assert_allclose(std, 0.1, atol=0.001)
