"""Convolutions and their gradients, against flax's layers and what JAX derives of them."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from rlcore.convolution import has_slow_convolutions
from rlcore.networks import Conv, ConvTranspose

SIDES = [(8, 8), (7, 12), (5, 5)]
CASES = [
    # kernel, stride, channels from, channels to
    ((3, 3), 2, 3, 20),
    ((5, 5), 2, 3, 4),
    ((4, 4), 2, 20, 17),
    ((3, 6), 2, 18, 3),
    ((3, 3), 1, 5, 16),
    ((1, 2), 3, 16, 2),
    ((5, 4), 3, 2, 18),
]


def _compare(ours, flaxs, shape):
    x = jax.random.normal(jax.random.key(0), shape)
    params = flaxs.init(jax.random.key(1), x)
    jax.tree.map(np.testing.assert_array_equal, ours.init(jax.random.key(1), x), params)
    params = jax.tree.map(lambda leaf: leaf + 0.1, params)
    y = flaxs.apply(params, x)
    np.testing.assert_allclose(ours.apply(params, x), y, rtol=1e-4, atol=1e-4)
    weight = jax.random.normal(jax.random.key(2), y.shape)

    def gradients(layer):
        return jax.jit(jax.grad(lambda params, x: jnp.sum(weight * layer.apply(params, x)), (0, 1)))(params, x)

    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-3), gradients(ours), gradients(flaxs))


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("sides", SIDES, ids=str)
def test_a_convolution_is_flaxs(case, sides):
    size, stride, before, after = case
    shape = (6, *sides, before)
    _compare(Conv(after, size, stride), nn.Conv(after, size, strides=stride), shape)


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("sides", SIDES[:2], ids=str)
def test_a_transpose_is_flaxs(case, sides):
    size, stride, before, after = case
    shape = (6, *sides, before)
    _compare(ConvTranspose(after, size, stride), nn.ConvTranspose(after, size, strides=(stride, stride)), shape)


def test_leading_dimensions_are_kept():
    x = jax.random.normal(jax.random.key(0), (2, 3, 8, 8, 4))
    for layer, sides in ((Conv(5, (3, 3), 2), (4, 4)), (ConvTranspose(5, (3, 3), 2), (16, 16))):
        params = layer.init(jax.random.key(1), x)
        y = layer.apply(params, x)
        assert y.shape == (2, 3, *sides, 5)
        np.testing.assert_allclose(y[1, 2], layer.apply(params, x[1, 2]), rtol=1e-4, atol=1e-5)


def test_mapped_over_parameters_it_is_each_of_them():
    """As in an ensemble."""
    x, layer = jax.random.normal(jax.random.key(0), (4, 6, 6, 3)), Conv(17, (3, 3), 2)
    params = jax.vmap(layer.init, (0, None))(jax.random.split(jax.random.key(1), 2), x)
    grads = jax.vmap(jax.grad(lambda params: jnp.sum(layer.apply(params, x) ** 2)))(params)
    second = jax.grad(lambda params: jnp.sum(layer.apply(params, x) ** 2))(jax.tree.map(lambda leaf: leaf[1], params))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a[1], b, rtol=1e-3, atol=1e-3), grads, second)


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="elsewhere gradients are XLA's")
@pytest.mark.parametrize(
    ("layer", "slow"),
    [
        (Conv(20, (3, 3), 2), False),
        (ConvTranspose(3, (5, 5), 2), False),
        (ConvTranspose(20, (3, 3), 2), False),
        (nn.Conv(20, (3, 3), strides=1), True),
        (nn.ConvTranspose(3, (5, 5), strides=(2, 2)), True),
        (nn.Dense(3), False),
    ],
    ids=str,
)
def test_gradients_have_no_convolution_that_is_slow_inside_of_loops(layer, slow):
    x = jnp.zeros((4, 16, 16, 18))
    params = layer.init(jax.random.key(0), x)
    traced = jax.make_jaxpr(jax.grad(lambda params, x: jnp.sum(layer.apply(params, x)), (0, 1)))(params, x)
    assert has_slow_convolutions(traced.jaxpr) == slow
    assert "conv_general_dilated" in str(traced) or isinstance(layer, nn.Dense)


def test_pictures_of_bytes_are_taken_as_flax_takes_them():
    x = jax.random.randint(jax.random.key(0), (2, 8, 8, 3), 0, 256).astype(jnp.uint8)
    params = nn.Conv(4, (3, 3), strides=2).init(jax.random.key(1), x)
    expected = nn.Conv(4, (3, 3), strides=2).apply(params, x)
    np.testing.assert_allclose(Conv(4, (3, 3), 2).apply(params, x), expected, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("number", [0, 1, 13])
def test_any_number_of_images_is_learned_from(number, monkeypatch):
    """In parts that do not come out even, too."""
    monkeypatch.setattr("rlcore.convolution._CHUNK_BYTES", 10_000)
    x, layer = jax.random.normal(jax.random.key(0), (number, 8, 8, 16)), Conv(5, (3, 3), 2)
    params = layer.init(jax.random.key(1), x)
    grads = jax.grad(lambda params: jnp.sum(layer.apply(params, x) ** 2))(params)
    flaxs = nn.Conv(5, (3, 3), strides=2)
    expected = jax.grad(lambda params: jnp.sum(flaxs.apply(params, x) ** 2))(params)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-3), grads, expected)
