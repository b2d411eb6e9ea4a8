"""In the shapes below, N = 3 tasks, C = 6 transitions, Dc = 5 numbers in each, Dz = 2."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pearl_jax import PearlConfig
from pearl_jax.encoders import make_encoder

N, C, DC, DZ = 3, 6, 5, 2
KINDS = {
    "variance": {"factor": "variance"},
    "precision": {"factor": "precision"},
    "prior factor": {"factor": "precision", "prior_factor": True},
    "deterministic": {"encoder": "deterministic"},
    "recurrent": {"encoder": "recurrent"},
}


def _make(**options):
    encoder = make_encoder(PearlConfig(latent_size=DZ, encoder_sizes=(8, 8), **options))
    context = jax.random.normal(jax.random.key(1), (N, C, DC))
    return encoder, encoder.init(jax.random.key(0), context), context


def _posterior(encoder, params, context, valid=None):
    valid = jnp.ones(context.shape[:2], bool) if valid is None else valid
    return encoder.posterior(params, encoder.summarise(params, context, valid))


@pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)
def test_one_transition_at_a_time_gives_the_belief_of_the_whole_context(options):
    encoder, params, context = _make(**options)
    belief = encoder.blank(N)
    for t in range(C):
        belief = encoder.absorb(params, belief, context[:, t])
    step_by_step, at_once = encoder.posterior(params, belief), _posterior(encoder, params, context)
    np.testing.assert_allclose(step_by_step.mean, at_once.mean, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(step_by_step.variance, at_once.variance, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["variance", "precision", "prior factor", "deterministic"])
def test_order_does_not_matter(kind):
    encoder, params, context = _make(**KINDS[kind])
    forwards, backwards = (_posterior(encoder, params, c) for c in (context, context[:, ::-1]))
    np.testing.assert_allclose(forwards.mean, backwards.mean, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(forwards.variance, backwards.variance, rtol=1e-5, atol=1e-6)


def test_order_matters_to_the_recurrent_encoder():
    encoder, params, context = _make(encoder="recurrent")
    forwards, backwards = (_posterior(encoder, params, c) for c in (context, context[:, ::-1]))
    assert np.abs(forwards.mean - backwards.mean).max() > 1e-4


@pytest.mark.parametrize("kind", ["variance", "precision", "prior factor", "deterministic"])
def test_transitions_that_do_not_count_change_nothing(kind):
    encoder, params, context = _make(**KINDS[kind])
    valid = jnp.broadcast_to(jnp.arange(C) < 4, (N, C))
    masked, short = _posterior(encoder, params, context, valid), _posterior(encoder, params, context[:, :4])
    np.testing.assert_allclose(masked.mean, short.mean, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(masked.variance, short.variance, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("options", [KINDS["variance"], KINDS["prior factor"], KINDS["recurrent"]])
def test_nothing_known_is_the_prior(options):
    encoder, params, _ = _make(**options)
    posterior = encoder.posterior(params, encoder.blank(N))
    np.testing.assert_array_equal(posterior.mean, np.zeros((N, DZ)))
    np.testing.assert_array_equal(posterior.variance, np.ones((N, DZ)))


def test_nothing_known_is_the_origin_for_the_deterministic_encoder():
    encoder, params, _ = _make(encoder="deterministic")
    posterior = encoder.posterior(params, encoder.blank(N))
    np.testing.assert_array_equal(posterior.mean, np.zeros((N, DZ)))
    np.testing.assert_array_equal(posterior.variance, np.zeros((N, DZ)))


def test_prior_factor_bounds_the_posterior_by_the_prior():
    encoder, params, context = _make(**KINDS["prior factor"])
    assert (_posterior(encoder, params, context).variance < 1).all()


def test_prior_is_no_factor_by_default():
    """The same factors with and without N(0, I): precisions differ by exactly 1, weighted means not at all."""
    encoder, params, context = _make(factor="precision")
    without = _posterior(encoder, params, context)
    bounded = _posterior(_make(**KINDS["prior factor"])[0], params, context)
    np.testing.assert_allclose(1 / bounded.variance, 1 / without.variance + 1, rtol=1e-5)
    np.testing.assert_allclose(bounded.mean / bounded.variance, without.mean / without.variance, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)
def test_more_tasks_at_once_are_the_same_as_one_after_the_other(options):
    encoder, params, context = _make(**options)
    together = _posterior(encoder, params, context)
    for task in range(N):
        alone = _posterior(encoder, params, context[task : task + 1])
        np.testing.assert_allclose(together.mean[task], alone.mean[0], rtol=1e-5, atol=1e-6)
