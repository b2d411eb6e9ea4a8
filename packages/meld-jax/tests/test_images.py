"""Image networks: shapes, patches by hand, and what they refuse."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from meld_jax.config import ModelConfig
from meld_jax.images import _from_squares, _to_squares, check_picture, make_decoder, make_encoder

SHAPES = [(32, 32, 3), (64, 64, 3), (64, 128, 3)]


@pytest.mark.parametrize("kind", ["conv", "patches"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_features_are_eight_times_the_depth_and_pictures_come_back_in_shape(kind, shape):
    config = ModelConfig(image_network=kind, depth=4)
    encoder, decoder = make_encoder(config), make_decoder(config, shape)
    image = jax.ShapeDtypeStruct((2, 3, *shape), jnp.float32)
    features, _ = jax.eval_shape(lambda x: encoder.init_with_output(jax.random.key(0), x), image)
    assert features.shape == (2, 3, 32)
    picture, _ = jax.eval_shape(lambda x: decoder.init_with_output(jax.random.key(0), x), features)
    assert picture.shape == (2, 3, *shape)


@pytest.mark.parametrize("kind", ["conv", "patches"])
def test_batch_dimensions_do_not_matter(kind):
    config = ModelConfig(image_network=kind, depth=4, activation="leaky_relu")
    encoder, decoder = make_encoder(config), make_decoder(config, (32, 32, 3))
    image = np.random.default_rng(0).random((2, 3, 32, 32, 3), dtype=np.float32)
    params = encoder.init(jax.random.key(0), image)
    features = encoder.apply(params, image)
    np.testing.assert_allclose(features[1, 2], encoder.apply(params, image[1, 2]), atol=1e-5)
    params = decoder.init(jax.random.key(0), features)
    np.testing.assert_allclose(decoder.apply(params, features)[1, 2], decoder.apply(params, features[1, 2]), atol=1e-5)


def test_pictures_of_two_cameras_get_wider_kernels():
    config = ModelConfig(depth=4)
    for shape, width in (((64, 64, 3), 5), ((64, 128, 3), 10)):
        image = jax.ShapeDtypeStruct((1, *shape), jnp.float32)
        params = jax.eval_shape(lambda x: make_encoder(config).init(jax.random.key(0), x), image)
        assert params["params"]["Conv_0"]["kernel"].shape == (5, width, 3, 4)


def test_squares_by_hand_and_back():
    x = jnp.arange(16.0).reshape(1, 4, 4, 1)
    squares = _to_squares(x, 2)
    np.testing.assert_array_equal(squares[0, 0, 1], [2, 3, 6, 7])
    np.testing.assert_array_equal(squares[0, 1, 0], [8, 9, 12, 13])
    np.testing.assert_array_equal(_from_squares(squares, 2), x)


@pytest.mark.parametrize(
    ("kind", "shape"),
    [("conv", (40, 40, 3)), ("patches", (30, 30, 3)), ("conv", (64, 96, 3)), ("patches", (64, 32, 3)), ("conv", (64,))],
)
def test_pictures_that_do_not_fit_are_named(kind, shape):
    config = dataclasses.replace(ModelConfig(), image_network=kind)
    with pytest.raises(ValueError, match=rf"mine: image_network={kind} needs pictures.*got \[{shape[0]}"):
        check_picture(config, "mine", shape)
