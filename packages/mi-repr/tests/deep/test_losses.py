"""Losses against hand-computed numbers, and what each scorer can express."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from mi_repr.deep import losses


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([[0.0, 0.0], [0.0, 0.0]], np.log(2)),
        ([[np.log(3), 0.0], [0.0, np.log(3)]], -np.log(0.75)),
        ([[np.log(3), 0.0], [np.log(3), 0.0]], -(np.log(0.75) + np.log(0.25)) / 2),
    ],
)
def test_info_nce(scores, expected, jit):
    function = jax.jit(losses.info_nce) if jit else losses.info_nce
    assert function(jnp.array(scores, jnp.float32)) == pytest.approx(expected, rel=1e-6)


def test_nce_accuracy_counts_rows_whose_own_candidate_wins():
    scores = jnp.array([[2.0, 1.0, 0.0], [3.0, 1.0, 0.0], [0.0, 1.0, 2.0]])
    assert losses.nce_accuracy(scores) == pytest.approx(2 / 3)


def test_inverse_loss():
    logits = jnp.log(jnp.array([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]]))
    loss = losses.inverse_loss(logits, jnp.array([0, 2]))
    assert loss == pytest.approx(-(np.log(0.5) + np.log(0.8)) / 2, rel=1e-6)


@pytest.mark.parametrize(
    ("mean", "std", "expected"),
    [
        ([[0.0, 0.0]], [[1.0, 1.0]], 0.0),
        ([[1.0, 0.0]], [[1.0, 1.0]], 0.5),
        ([[0.0], [2.0]], [[2.0], [1.0]], ((4 - 1) / 2 - np.log(2) + 2) / 2),
    ],
)
def test_gaussian_rate(mean, std, expected):
    rate = losses.gaussian_rate(jnp.array(mean, jnp.float32), jnp.array(std, jnp.float32))
    assert rate == pytest.approx(expected, abs=1e-6)


def test_shared_variance():
    features = jnp.array([[[0.0], [2.0]], [[4.0], [6.0]]])  # within 1, means 1 and 5: variance 4
    assert losses.shared_variance(features) == pytest.approx(4)
    assert losses.shared_variance(10 * features + 3) == pytest.approx(4)


def _random(*shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


def test_per_action_bilinear_equals_the_formula():
    query, key, features, later = _random(5, 3, 2), _random(5, 2), _random(4, 5, seed=1), _random(6, 5, seed=2)
    action = jnp.array([0, 2, 1, 2])
    scores = losses.per_action_bilinear(query, key, features, action, later)
    for i, j in itertools.product(range(4), range(6)):
        expected = (features[i] @ query[:, action[i]]) @ (later[j] @ key)
        assert scores[i, j] == pytest.approx(float(expected), rel=1e-4, abs=1e-4)


def test_concat_bilinear_equals_the_formula():
    matrix, features, later = _random(8, 5), _random(4, 5, seed=1), _random(6, 5, seed=2)
    action = jnp.array([0, 2, 1, 2])
    scores = losses.concat_bilinear(matrix, features, action, later)
    for i, j in itertools.product(range(4), range(6)):
        inputs = np.concatenate([features[i], np.eye(3)[action[i]]])
        assert scores[i, j] == pytest.approx(float(inputs @ np.asarray(matrix) @ later[j]), rel=1e-4, abs=1e-4)


def test_only_the_per_action_scorer_can_express_a_toggle():
    # A toggle needs f(0, keep, s') + f(1, toggle, s') > f(0, toggle, s') + f(1, keep, s') for one s' and the opposite
    # for another; a score that is additive in state and action makes both sides equal.
    features, later = _random(2, 5, seed=1), _random(1, 5, seed=2)

    def excess(score):
        same = score(features, jnp.array([0, 1])).sum()
        return same - score(features, jnp.array([1, 0])).sum()

    matrix, query, key = _random(7, 5), _random(5, 2, 3), _random(5, 3)
    assert excess(lambda z, a: losses.concat_bilinear(matrix, z, a, later)) == pytest.approx(0, abs=1e-4)
    assert abs(excess(lambda z, a: losses.per_action_bilinear(query, key, z, a, later))) > 0.1


def test_ranks_are_checked():
    with pytest.raises(AssertionError):
        losses.info_nce(jnp.zeros(3))
    with pytest.raises(AssertionError):
        losses.inverse_loss(jnp.zeros((2, 3)), jnp.zeros((2, 1), jnp.int32))


def test_squared_error():
    assert losses.squared_error(jnp.array([[0.0, 1.0]]), jnp.array([[0.5, 0.5]])) == pytest.approx(0.25)


def test_bernoulli_error():
    logits = jnp.log(jnp.array([[0.2 / 0.8, 0.5 / 0.5]]))
    expected = -(0.7 * np.log(0.2) + 0.3 * np.log(0.8) + np.log(0.5)) / 2
    assert losses.bernoulli_error(logits, jnp.array([[0.7, 1.0]])) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("predicted", "target", "expected"),
    [([2.0, 0.0], [5.0, 0.0], 0.0), ([1.0, 0.0], [0.0, 3.0], 1.0), ([1.0, 1.0], [-2.0, -2.0], 2.0)],
)
def test_cosine_error(predicted, target, expected):
    error = losses.cosine_error(jnp.array([predicted]), jnp.array([target]))
    assert error == pytest.approx(expected, abs=1e-6)


def test_gradient_of_the_cosine_is_finite_at_zero():
    gradient = jax.grad(losses.cosine_error)(jnp.zeros((1, 3)), jnp.ones((1, 3)))
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        ([[3.0, 4.0], [6.0, 8.0]], 0.0),  # one direction
        ([[1.0, 0.0], [-2.0, 0.0], [0.0, 3.0], [0.0, -1.0]], 1.0),  # all directions
        ([[1.0, 0.0], [0.0, 1.0]], np.sqrt(0.5)),
    ],
)
def test_spread(features, expected):
    assert losses.spread(jnp.array([features])) == pytest.approx(expected, abs=1e-5)
