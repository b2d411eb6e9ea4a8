"""Shapes for any leading dimensions, and what each option of the networks does."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from rlcore.networks import LOG_STD_RANGE, MLP, ConvEncoder, EnsembleMLP, TanhNormalPolicy, scaled_uniform

LEADING = [(), (3,), (2, 3)]


def init_and_apply(network, x):
    return jax.jit(network.init_with_output)(jax.random.key(7), x)


def shape_of_output(network, *shape, dtype=jnp.float32):
    out, _ = jax.eval_shape(network.init_with_output, jax.random.key(7), jax.ShapeDtypeStruct(shape, dtype))
    return jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), out)


@pytest.mark.parametrize("leading", LEADING)
def test_mlp_takes_any_leading_dimensions(leading):
    network = MLP((8, 8), 2)
    x = jax.random.normal(jax.random.key(0), (*leading, 5))
    out, params = init_and_apply(network, x)
    assert out.shape == (*leading, 2)
    one_by_one = jax.lax.map(lambda row: network.apply(params, row), x.reshape(-1, 5))
    np.testing.assert_allclose(out.reshape(-1, 2), one_by_one, rtol=1e-5, atol=1e-6)


def test_mlp_is_relu_layers_and_a_linear_one():
    x = jax.random.normal(jax.random.key(0), (4, 3))
    out, params = init_and_apply(MLP((6,), 2), x)
    first, last = params["params"]["Dense_0"], params["params"]["Dense_1"]
    expected = np.maximum(x @ first["kernel"] + first["bias"][None], 0) @ last["kernel"] + last["bias"][None]
    np.testing.assert_allclose(out, expected, rtol=1e-5, atol=1e-6)


def test_final_scale_bounds_the_last_layer():
    params = init_and_apply(MLP((64,), 64, final_scale=0.01), jnp.zeros((1, 4)))[1]["params"]
    kernel = np.asarray(params["Dense_1"]["kernel"])
    assert np.abs(kernel).max() <= 0.01
    assert kernel.min() < -0.009
    assert kernel.max() > 0.009
    assert not np.asarray(params["Dense_1"]["bias"]).any()
    assert np.abs(params["Dense_0"]["kernel"]).max() > 0.1


def test_scaled_uniform_is_symmetric():
    draws = np.asarray(scaled_uniform(0.5)(jax.random.key(0), (4000,)))
    np.testing.assert_allclose([draws.min(), draws.mean(), draws.max()], [-0.5, 0, 0.5], atol=0.02)


def test_layer_norm_makes_hidden_layers_blind_to_the_scale_of_the_input():
    x = jax.random.normal(jax.random.key(0), (4, 5))
    for layer_norm in (False, True):
        network = MLP((16,), 2, layer_norm=layer_norm)
        out, params = init_and_apply(network, x)
        same = np.allclose(out, network.apply(params, 100 * x), atol=1e-3)
        assert same == layer_norm


@pytest.mark.parametrize("layer_norm", [False, True])
def test_ensemble_equals_its_members_applied_one_by_one(layer_norm):
    x = jax.random.normal(jax.random.key(0), (4, 5))
    ensemble, member = EnsembleMLP(3, (8,), 2, layer_norm=layer_norm), MLP((8,), 2, layer_norm=layer_norm)
    out, params = init_and_apply(ensemble, x)
    (inner,) = params["params"].values()
    stack = [member.apply({"params": jax.tree.map(lambda leaf, i=i: leaf[i], inner)}, x) for i in range(3)]
    np.testing.assert_allclose(out, np.stack(stack), rtol=1e-5, atol=1e-6)
    assert min(np.abs(out[i] - out[j]).max() for i, j in ((0, 1), (0, 2), (1, 2))) > 1e-3
    np.testing.assert_allclose(
        ensemble.apply(params, x[:, :2], x[:, 2:]), out, rtol=1e-5, atol=1e-6
    )  # several inputs are joined


@pytest.mark.parametrize("leading", LEADING)
def test_ensemble_and_policy_take_any_leading_dimensions(leading):
    assert shape_of_output(EnsembleMLP(2, (8,), 3), *leading, 5) == ((2, *leading, 3), jnp.float32)
    policy = shape_of_output(TanhNormalPolicy((8,), 4), *leading, 5)
    assert policy == (((*leading, 4), jnp.float32), ((*leading, 4), jnp.float32))


def test_policy_starts_near_zero_actions():
    obs = jax.random.normal(jax.random.key(0), (32, 5))
    policy, _ = init_and_apply(TanhNormalPolicy((64,), 2), obs)
    assert np.abs(policy.mode()).max() < 0.05


def test_policy_clips_its_log_std():
    obs = jax.random.normal(jax.random.key(0), (64, 5)) * 1e3
    policy, _ = init_and_apply(TanhNormalPolicy((16,), 2, final_scale=None), obs)
    log_std = np.asarray(policy.log_std)
    assert (log_std.min(), log_std.max()) == LOG_STD_RANGE


@pytest.mark.parametrize("leading", LEADING)
def test_encoder_takes_any_leading_dimensions(leading):
    encoder = ConvEncoder((4, 8), output_size=5)
    assert shape_of_output(encoder, *leading, 16, 24, 3, dtype=jnp.uint8) == ((*leading, 5), jnp.float32)


def test_encoder_tells_images_apart_by_bounded_features():
    images = jax.random.randint(jax.random.key(0), (2, 3, 8, 8, 1), 0, 256).astype(jnp.uint8)
    encoder = ConvEncoder((4,), output_size=5)
    features, params = init_and_apply(encoder, images)
    assert 0.1 < np.abs(features).max() <= 1
    assert min(np.abs(features[0] - features[1]).max(-1)) > 1e-3
    np.testing.assert_allclose(features[1], encoder.apply(params, images[1]), rtol=1e-4, atol=1e-5)
