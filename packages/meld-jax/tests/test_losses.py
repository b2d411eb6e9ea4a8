"""The terms of the bound against NumPy and SciPy, by value."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from meld_jax.losses import image_log_likelihood, kl_divergence, masked_mean, reward_log_likelihood
from meld_jax.model import Normal
from scipy import stats


def test_likelihood_of_a_picture_is_the_sum_over_its_pixels():
    rng = np.random.default_rng(0)
    image, mean = rng.random((2, 3, 4, 5, 3), dtype=np.float32), rng.random((2, 3, 4, 5, 3), dtype=np.float32)
    expected = stats.norm.logpdf(image, mean, 0.3).sum(axis=(2, 3, 4))
    np.testing.assert_allclose(image_log_likelihood(image, mean, 0.3), expected, rtol=1e-5)


def test_likelihood_of_a_reward():
    expected = stats.norm.logpdf(np.float32([1, -2]), np.float32([0.5, -2]), 0.2)
    np.testing.assert_allclose(
        reward_log_likelihood(np.float32([1, -2]), np.float32([0.5, -2]), 0.2), expected, rtol=1e-5
    )


def test_divergence_by_hand():
    """Means 1 apart, standard deviations 1 and 2: log 2 + (1 + 1) / 8 - 1 / 2 in each of two dimensions."""
    one, other = Normal(np.zeros((1, 2)), np.ones((1, 2))), Normal(np.ones((1, 2)), np.full((1, 2), 2.0))
    np.testing.assert_allclose(kl_divergence(one, other), [2 * (np.log(2) + 2 / 8 - 0.5)], rtol=1e-6)


def test_divergence_is_the_expected_difference_of_log_densities():
    rng = np.random.default_rng(1)
    one, other = Normal(np.array([0.3]), np.array([0.7])), Normal(np.array([-0.2]), np.array([1.1]))
    sample = rng.normal(one.mean, one.std, (400_000,))
    difference = stats.norm.logpdf(sample, *one) - stats.norm.logpdf(sample, *other)
    assert float(kl_divergence(one, other)) == pytest.approx(difference.mean(), abs=4 * difference.std() / 400_000**0.5)


@settings(deadline=None, max_examples=30)
@given(mean=st.floats(-3, 3), std=st.floats(0.05, 5), other_mean=st.floats(-3, 3), other_std=st.floats(0.05, 5))
def test_divergence_is_never_negative_and_zero_at_equality(mean, std, other_mean, other_std):
    one = Normal(np.full((4,), mean, np.float32), np.full((4,), std, np.float32))
    other = Normal(np.full((4,), other_mean, np.float32), np.full((4,), other_std, np.float32))
    assert float(kl_divergence(one, other)) >= -1e-4
    assert float(kl_divergence(one, one)) == pytest.approx(0, abs=1e-5)


def test_masked_mean_counts_only_what_holds():
    values, mask = np.float32([[1, 2], [3, 100]]), np.array([[True, True], [True, False]])
    assert float(jax.jit(masked_mean)(values, mask)) == 2
    assert float(masked_mean(values, np.zeros_like(mask))) == 0
