"""Densities against scipy and numeric integrals; divergences and products by their properties."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from rlcore.distributions import Gaussian, GaussianFactors, TanhNormal, standard_gaussian

settings.register_profile("rlcore", deadline=None, max_examples=30)
settings.load_profile("rlcore")


def vectors(low, high, size=3):
    return npst.arrays(np.float32, size, elements=st.floats(low, high, width=32))


def test_tanh_normal_integrates_to_one():
    policy = TanhNormal(jnp.asarray([[0.4], [-1.0], [2.0]]), jnp.asarray([[-0.5], [-2.0], [0.3]]))
    raw = np.linspace(-8, 8, 20001, dtype=np.float32)  # the integral over actions, substituted where it is smooth
    density = jnp.exp(jax.vmap(policy.log_prob, 1, 1)(jnp.tanh(jnp.tile(raw, (3, 1)))[..., None]))
    integral = scipy.integrate.trapezoid(np.asarray(density) * (1 - np.tanh(raw.astype(float)) ** 2), raw, axis=1)
    np.testing.assert_allclose(integral, 1, rtol=2e-3)


@given(mean=vectors(-2, 2), log_std=vectors(-2, 1), action=vectors(-0.9375, 0.9375))
def test_tanh_normal_log_prob_is_the_change_of_variables(mean, log_std, action):
    wide = action.astype(float)
    normal = scipy.stats.norm(mean.astype(float), np.exp(log_std.astype(float)))
    expected = np.sum(normal.logpdf(np.arctanh(wide)) - np.log(1 - wide**2))
    np.testing.assert_allclose(TanhNormal(mean, log_std).log_prob(jnp.asarray(action)), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("mean", [-100.0, -9.0, 0.0, 9.0, 100.0])
@pytest.mark.parametrize("log_std", [-20.0, 0.0, 2.0])
def test_tanh_normal_is_finite_far_out_with_its_gradients(mean, log_std):
    policy = TanhNormal(jnp.full((1, 2), mean), jnp.full((1, 2), log_std))
    for action in (-1.0, 0.0, 1.0):
        assert np.isfinite(policy.log_prob(jnp.full((1, 2), action))).all()

    def total(policy, key):
        sample, log_prob = policy.sample_and_log_prob(key)
        return jnp.sum(sample) + jnp.sum(log_prob)

    value, gradient = jax.value_and_grad(total)(policy, jax.random.key(0))
    assert all(np.isfinite(x).all() for x in (value, *gradient))


def test_tanh_normal_sample_agrees_with_its_log_prob():
    policy = TanhNormal(jnp.asarray([[0.3, -0.8]] * 64), jnp.asarray([[-0.7, -0.2]] * 64))
    action, log_prob = policy.sample_and_log_prob(jax.random.key(0))
    assert action.shape == (64, 2)
    assert log_prob.shape == (64,)
    np.testing.assert_allclose(log_prob, policy.log_prob(action), rtol=1e-3, atol=1e-3)


def test_tanh_normal_samples_follow_the_distribution():
    policy = TanhNormal(jnp.full((4000, 1), 0.5), jnp.full((4000, 1), -0.5))
    action, _ = policy.sample_and_log_prob(jax.random.key(0))
    raw = np.arctanh(np.asarray(action)[:, 0].astype(float))
    assert scipy.stats.kstest(raw, scipy.stats.norm(0.5, np.exp(-0.5)).cdf).pvalue > 0.01


def test_tanh_normal_mode_is_the_squashed_mean():
    policy = TanhNormal(jnp.asarray([0.3, -50.0]), jnp.zeros(2))
    np.testing.assert_allclose(policy.mode(), np.tanh([0.3, -50.0]), rtol=1e-6)


@given(means=vectors(-3, 3, (2, 3)), variances=vectors(0.125, 8, (2, 3)))
def test_gaussian_kl_equals_the_closed_form_and_is_not_negative(means, variances):
    left, right = (Gaussian(jnp.asarray(m), jnp.asarray(v)) for m, v in zip(means, variances, strict=True))
    (m1, m2), (v1, v2) = means.astype(float), variances.astype(float)
    expected = 0.5 * np.sum(np.log(v2 / v1) + (v1 + (m1 - m2) ** 2) / v2 - 1)
    kl = left.kl_divergence(right)
    np.testing.assert_allclose(kl, expected, rtol=1e-4, atol=1e-4)
    assert kl >= -1e-5
    np.testing.assert_allclose(left.kl_divergence(left), 0, atol=1e-5)


def test_gaussian_samples_have_its_moments_and_shape():
    gaussian = Gaussian(jnp.full((5000, 2), 3.0), jnp.full((5000, 2), 4.0))
    draws = np.asarray(gaussian.sample(jax.random.key(0)))
    np.testing.assert_allclose(draws.mean(0), 3, atol=0.1)
    np.testing.assert_allclose(draws.var(0), 4, atol=0.3)


def test_standard_gaussian_has_zero_mean_and_unit_variance():
    prior = standard_gaussian((2, 3))
    np.testing.assert_array_equal(prior.mean, np.zeros((2, 3)))
    np.testing.assert_array_equal(prior.variance, np.ones((2, 3)))


@given(precision=vectors(0.25, 4, (5, 2)), mean=vectors(-3, 3, (5, 2)), seed=st.integers(0, 99))
def test_product_of_gaussians_does_not_depend_on_the_order(precision, mean, seed):
    order = np.random.default_rng(seed).permutation(5)
    product = GaussianFactors(precision, precision * mean).product(axis=0).normalise()
    permuted = GaussianFactors(precision[order], (precision * mean)[order]).product(axis=0).normalise()
    np.testing.assert_allclose(product.mean, permuted.mean, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(product.variance, permuted.variance, rtol=1e-4)


def test_product_of_two_gaussians_is_the_closed_form():
    mean, variance = np.asarray([[1.0], [4.0]], np.float32), np.asarray([[2.0], [0.5]], np.float32)
    product = GaussianFactors(jnp.asarray(1 / variance), jnp.asarray(mean / variance)).product(axis=0).normalise()
    np.testing.assert_allclose(product.mean, (1.0 * 0.5 + 4.0 * 2.0) / (2.0 + 0.5))
    np.testing.assert_allclose(product.variance, 2.0 * 0.5 / (2.0 + 0.5))


def test_factors_of_precision_zero_say_nothing():
    two = GaussianFactors(jnp.asarray([[0.5], [2.0]]), jnp.asarray([[1.0], [3.0]]))
    padded = GaussianFactors(*(jnp.concatenate([x, jnp.zeros((3, 1))]) for x in two))
    for got, expected in zip(padded.product(axis=0), two.product(axis=0), strict=True):
        np.testing.assert_array_equal(got, expected)


def test_factors_multiply_along_the_axis_asked_for():
    factors = GaussianFactors(jnp.ones((2, 3, 4)), jnp.full((2, 3, 4), 2.0))
    product = factors.product(axis=1)
    np.testing.assert_array_equal(product.precision, np.full((2, 4), 3.0))
    np.testing.assert_array_equal(product.weighted_mean, np.full((2, 4), 6.0))
