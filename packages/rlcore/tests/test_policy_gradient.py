"""Advantages, losses, trust regions and the linear baseline against numbers computed by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from rlcore.distributions import Gaussian
from rlcore.policy_gradient import (
    PPO,
    ActorCritic,
    Experience,
    PPOBatch,
    PPOConfig,
    TRPOConfig,
    conjugate_gradient,
    difference_product,
    episode_discounts,
    fit_linear,
    generalised_advantages,
    hessian_vector_product,
    init_value_scale,
    linear_features,
    linear_values,
    losses,
    natural_step,
    standardise,
    trust_region_step,
)
from rlcore.updates import make_update_epochs
from scipy import stats


def _arrays(*lists):
    return [jnp.asarray(values, jnp.float32) for values in lists]


LN2 = float(np.log(2))
LOSSES = {
    # ratios 2 and 1/2: -(2 * 3 + 0.5 * -4) / 2
    "surrogate_loss": (losses.surrogate_loss, ([LN2, -LN2], [0.0, 0.0], [3.0, -4.0]), -2.0),
    # each of the four cases: what would gain more counts to the border only, what would lose counts in full
    # a third step of weight 0 changes nothing; one of weight 3 counts three times: -(2 * 3 + 3 * 0.5 * -4) / 4
    "surrogate_loss, weighted": (
        losses.surrogate_loss,
        ([LN2, -LN2, 5.0], [0.0] * 3, [3.0, -4.0, 7.0], [1.0, 3.0, 0.0]),
        0.0,
    ),
    "clipped_surrogate_loss, weighted": (
        lambda a, b, c, w: losses.clipped_surrogate_loss(a, b, c, 0.2, w),
        ([LN2, -LN2], [0.0, 0.0], [3.0, 7.0], [1.0, 0.0]),
        -1.2 * 3,
    ),
    # -(2 * 3 + 1 * -4) / 2, and of the first alone
    "score_loss": (losses.score_loss, ([2.0, 1.0], [3.0, -4.0]), -1.0),
    "score_loss, weighted": (losses.score_loss, ([2.0, 1.0], [3.0, -4.0], [1.0, 0.0]), -6.0),
    "clipped_surrogate_loss, good action, more likely": (
        lambda *xs: losses.clipped_surrogate_loss(*xs, 0.2),
        ([LN2], [0.0], [3.0]),
        -1.2 * 3,
    ),
    "clipped_surrogate_loss, good action, less likely": (
        lambda *xs: losses.clipped_surrogate_loss(*xs, 0.2),
        ([-LN2], [0.0], [3.0]),
        -0.5 * 3,
    ),
    "clipped_surrogate_loss, bad action, more likely": (
        lambda *xs: losses.clipped_surrogate_loss(*xs, 0.2),
        ([LN2], [0.0], [-3.0]),
        2 * 3.0,
    ),
    "clipped_surrogate_loss, bad action, less likely": (
        lambda *xs: losses.clipped_surrogate_loss(*xs, 0.2),
        ([-LN2], [0.0], [-3.0]),
        0.8 * 3,
    ),
    # (1 + 9) / 2 / 2
    "value_loss": (losses.value_loss, ([1.0, 2.0], [0.0, 5.0]), 2.5),
    "clipped_share": (lambda *xs: losses.clipped_share(*xs, 0.2), ([LN2, 0.1, -0.1, 0.0], [0.0] * 4), 0.25),
    # (2 - 1 - ln 2 + 0) / 2
    "approximate_kl": (losses.approximate_kl, ([LN2, 0.0], [0.0, 0.0]), (1 - LN2) / 2),
}


@pytest.mark.parametrize(("function", "arguments", "expected"), LOSSES.values(), ids=LOSSES)
def test_losses_are_the_numbers_computed_by_hand(function, arguments, expected):
    for call in (function, jax.jit(function)):
        result = call(*_arrays(*arguments))
        assert result.shape == ()
        np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("advantage", "slope"), [(1.0, 0.0), (-1.0, 2.0)])
def test_a_clipped_gain_has_no_gradient_and_a_loss_has(advantage, slope):
    """At ratio 2: where the action was good there is no more to gain."""
    old, advantage = jnp.zeros(1), jnp.full(1, advantage)
    gradient = jax.grad(lambda log_prob: losses.clipped_surrogate_loss(log_prob, old, advantage, 0.2))
    np.testing.assert_allclose(gradient(jnp.full(1, LN2)), [slope], rtol=1e-6)


def test_mismatched_shapes_are_refused():
    row, column = jnp.ones(3), jnp.ones((3, 1))
    for function, arguments in (
        (losses.surrogate_loss, (row, row, column)),
        (losses.value_loss, (row, column)),
        (generalised_advantages, (row, row, row, row, column)),
        (episode_discounts, (row, column, 0.9, 0.9)),
    ):
        with pytest.raises(AssertionError):
            function(*arguments)


# Steps of rewards 1, 2, 3; the values are 0.5 before each step, and 4, 5, 6 after them.
REWARD, VALUE, NEXT = [1.0, 2.0, 3.0], [0.5, 0.5, 0.5], [4.0, 5.0, 6.0]


@pytest.mark.parametrize(
    ("terminated", "ended", "expected"),
    [
        # gamma 1/2, lambda 1/2: errors 1 + 2 - .5 = 2.5, 2 + 2.5 - .5 = 4, 3 + 3 - .5 = 5.5, each passed on by 1/4
        ([0, 0, 0], [0, 0, 0], [2.5 + (4 + 5.5 / 4) / 4, 4 + 5.5 / 4, 5.5]),
        # a time limit after the second step: what follows still has a value, and the third step's advantage is no part
        ([0, 0, 0], [0, 1, 0], [2.5 + 4 / 4, 4.0, 5.5]),
        # a termination there: nothing follows, 2 - .5 = 1.5
        ([0, 1, 0], [0, 1, 0], [2.5 + 1.5 / 4, 1.5, 5.5]),
    ],
    ids=["one_episode", "time_limit", "termination"],
)
def test_advantages_within_episodes(terminated, ended, expected):
    reward, value, next_value, terminated = _arrays(REWARD, VALUE, NEXT, terminated)
    discounts = episode_discounts(1 - terminated, jnp.asarray(ended, bool), 0.5, 0.5)
    for function in (generalised_advantages, jax.jit(generalised_advantages)):
        np.testing.assert_allclose(function(reward, value, next_value, *discounts), expected, rtol=1e-6)


def test_credit_crosses_what_the_caller_does_not_cut():
    """The second step ends an episode; a reward of the third is credited to the first all the same."""
    zero, discount = jnp.zeros(3), jnp.full(3, 0.5)
    reward = jnp.asarray([0.0, 0.0, 8.0])
    np.testing.assert_allclose(generalised_advantages(reward, zero, zero, discount, discount), [2.0, 4.0, 8.0])
    cut = episode_discounts(jnp.ones(3), jnp.asarray([False, True, False]), 0.5, 1.0)
    np.testing.assert_allclose(generalised_advantages(reward, zero, zero, *cut), [0.0, 0.0, 8.0])


def test_with_lambda_1_advantages_are_returns_less_values_and_batches_do_not_mix():
    reward, value = jax.random.normal(jax.random.key(0), (2, 7, 3))
    discount = jnp.full((7, 3), 0.9)
    after = jnp.concatenate([value[1:], jnp.zeros((1, 3))])
    advantage = generalised_advantages(reward, value, after, discount, discount)
    powers = 0.9 ** np.arange(7)
    for n in range(3):
        returns = [np.sum(powers[: 7 - t] * np.asarray(reward)[t:, n]) for t in range(7)]
        np.testing.assert_allclose(advantage[:, n], returns - np.asarray(value)[:, n], rtol=1e-4, atol=1e-5)


def test_standardised_values_have_mean_0_and_deviation_1_and_equal_ones_are_0():
    np.testing.assert_allclose(standardise(jnp.asarray([[1.0, 3.0]])), [[-1.0, 1.0]], rtol=1e-6)
    np.testing.assert_array_equal(standardise(jnp.full(3, 2.0)), [0.0, 0.0, 0.0])
    weighted = standardise(jnp.asarray([1.0, 3.0, 99.0]), jnp.asarray([1.0, 1.0, 0.0]))
    np.testing.assert_allclose(weighted, [-1.0, 1.0, 0.0], rtol=1e-6)
    np.testing.assert_array_equal(standardise(jnp.ones(2), jnp.zeros(2)), [0.0, 0.0])


def test_gaussian_log_prob_and_entropy_are_scipys():
    mean, std, sample = np.asarray([0.5, -1.0]), np.asarray([0.3, 2.0]), np.asarray([0.1, 1.5])
    normal, gaussian = stats.norm(mean, std), Gaussian(*_arrays(mean, std**2))
    np.testing.assert_allclose(gaussian.log_prob(*_arrays(sample)), normal.logpdf(sample).sum(), rtol=1e-5)
    np.testing.assert_allclose(gaussian.entropy(), normal.entropy().sum(), rtol=1e-5)


# H = [[2, 1], [1, 4]]: of the function x^2 + x y + 2 y^2.
HESSIAN = np.asarray([[2.0, 1.0], [1.0, 4.0]])


def _bowl(x):
    return x[0] ** 2 + x[0] * x[1] + 2 * x[1] ** 2


def test_hessian_vector_product_of_a_bowl_and_of_what_is_no_bowl():
    vector = jnp.asarray([1.0, -2.0])
    np.testing.assert_allclose(hessian_vector_product(_bowl, jnp.asarray([3.0, 5.0]), vector), HESSIAN @ vector)
    # Differences over a step of 1e-5 keep two digits near 0, however long the vector is.
    for size in (1.0, 1e4):
        product = difference_product(_bowl, jnp.asarray([0.01, 0.02]), size * vector)
        np.testing.assert_allclose(product, size * HESSIAN @ vector, rtol=0.02, atol=0.02 * size)
    # x^3 y has the Hessian [[6 x y, 3 x^2], [3 x^2, 0]]
    product = hessian_vector_product(lambda x: x[0] ** 3 * x[1], jnp.asarray([1.0, 2.0]), vector)
    np.testing.assert_allclose(product, [12 - 6, 3], rtol=1e-6)


def test_conjugate_gradient_step_by_step():
    """b = (1, 0): the first step is b b / b H b = 1/2 along b; two of them solve it, x = (4, -1) / 7."""
    b, product = jnp.asarray([1.0, 0.0]), lambda v: jnp.asarray(HESSIAN, jnp.float32) @ v
    np.testing.assert_array_equal(conjugate_gradient(product, b, 0), [0.0, 0.0])
    np.testing.assert_allclose(conjugate_gradient(product, b, 1), [0.5, 0.0], rtol=1e-6)
    for num_iterations in (2, 10):
        np.testing.assert_allclose(conjugate_gradient(product, b, num_iterations), [4 / 7, -1 / 7], rtol=1e-6)
    np.testing.assert_array_equal(conjugate_gradient(product, jnp.zeros(2), 10), [0.0, 0.0])


def test_conjugate_gradient_leaves_out_what_rounding_makes_of_level_directions():
    """A has rank 1; what is left of b after the step along it is rounding, which A hardly sees."""
    steep = jnp.asarray([1.0, 2.0, 3.0]) / jnp.sqrt(14.0)
    b = 0.1 * steep + 3e-4 * jnp.asarray([3.0, 0.0, -1.0])
    found = conjugate_gradient(lambda v: steep * (steep @ v) + 1e-9 * v, b, 10)
    np.testing.assert_allclose(found, 0.1 * steep, atol=1e-3)


def test_trust_region_step_by_differences_is_the_exact_one():
    steps = [
        trust_region_step(lambda p: p["mean"][0] - p["log_std"][1], _kl, START, TRPOConfig(hessian_product=product))[0]
        for product in ("exact", "differences")
    ]
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=0.02, atol=1e-3), *steps)


def test_natural_step_goes_as_far_as_the_divergence_allows():
    """d = H^-1 g = (4, -1) / 7 with d H d = 4/7, so it is -sqrt(2 * 0.02 / (4/7)) d."""
    gradient, product = jnp.asarray([1.0, 0.0]), lambda v: jnp.asarray(HESSIAN, jnp.float32) @ v
    step = natural_step(gradient, product, 0.02, 10)
    np.testing.assert_allclose(step, -np.sqrt(0.07) * np.asarray([4 / 7, -1 / 7]), rtol=1e-5)
    np.testing.assert_allclose(0.5 * step @ product(step), 0.02, rtol=1e-5)
    np.testing.assert_array_equal(natural_step(jnp.zeros(2), product, 0.02, 10), [0.0, 0.0])


MAX_KL = 0.02


def _kl(params):
    """Of two Gaussians of mean 0 and log-deviation 0 to those of the parameters, exactly."""
    return Gaussian(jnp.zeros(2), jnp.ones(2)).kl_divergence(Gaussian(params["mean"], jnp.exp(2 * params["log_std"])))


START = {"mean": jnp.zeros(2), "log_std": jnp.zeros(2)}


def test_trust_region_step_takes_the_whole_natural_step_where_the_bound_allows():
    """A log-deviation has Fisher information 2, so the step is sqrt(2 * 0.02 / 2) long; widening costs less than that
    model says: KL = s + exp(-2 s) / 2 - 1/2."""
    new, step = jax.jit(lambda p: trust_region_step(lambda p: -3 * p["log_std"][0], _kl, p, TRPOConfig(max_kl=MAX_KL)))(
        START
    )
    length = np.sqrt(MAX_KL)
    np.testing.assert_allclose(new["log_std"], [length, 0.0], rtol=1e-4)
    np.testing.assert_allclose(step.kl, length + np.exp(-2 * length) / 2 - 0.5, rtol=1e-3)
    np.testing.assert_allclose(step.improvement, 3 * length, rtol=1e-4)
    assert float(step.scale) == 1


def test_natural_gradient_weighs_means_and_deviations_by_the_fisher_matrix():
    """Of equal gradients a log-deviation moves half as far as a mean: its Fisher information is twice as large."""
    new, _ = trust_region_step(lambda p: p["mean"][0] - p["log_std"][1], _kl, START, TRPOConfig(max_kl=1e-4))
    assert float(new["log_std"][1]) == pytest.approx(-0.5 * float(new["mean"][0]), rel=1e-3)


def test_trust_region_step_backs_up_until_the_divergence_is_within_bounds():
    """Narrowing costs more than the quadratic model says."""
    new, step = trust_region_step(lambda p: p["log_std"][0], _kl, START, TRPOConfig(max_kl=0.3))
    trials = np.sqrt(0.3) * 0.8 ** np.arange(15)
    good = trials[-trials + np.exp(2 * trials) / 2 - 0.5 <= 0.3][0]
    np.testing.assert_allclose(new["log_std"][0], -good, rtol=1e-4)
    assert 0 < float(step.kl) <= 0.3
    assert 0 < float(step.scale) < 1


def test_trust_region_step_backs_up_until_the_loss_falls():
    """The whole step, 0.77, overshoots the minimum at 0.05 by far: good is what ends below 0.1."""
    new, step = trust_region_step(lambda p: (p["log_std"][0] - 0.05) ** 2, _kl, START, TRPOConfig(max_kl=0.6))
    assert 0 < float(new["log_std"][0]) < 0.1
    assert float(step.improvement) > 0
    assert float(step.scale) < 0.8**9


@pytest.mark.parametrize(
    "loss",
    [lambda p: 0 * jnp.sum(p["mean"]), lambda p: jnp.sum(p["mean"] ** 2), lambda p: jnp.log(p["mean"][0])],
    ids=["flat", "minimum", "not_finite"],
)
def test_trust_region_step_stays_where_no_step_is_good(loss):
    new, step = trust_region_step(loss, _kl, START, TRPOConfig(max_kl=MAX_KL))
    jax.tree.map(np.testing.assert_array_equal, new, START)
    assert [float(value) for value in step] == [0, 0, 0]


def test_damping_shortens_the_step():
    """With 2 + 6 in place of 2 on the diagonal it is half as long."""
    free, damped = (
        trust_region_step(lambda p: -p["log_std"][0], _kl, START, TRPOConfig(max_kl=1e-4, damping=damping))[0][
            "log_std"
        ][0]
        for damping in (0.0, 6.0)
    )
    assert float(damped) == pytest.approx(0.5 * float(free), rel=1e-3)


def test_linear_features():
    features = linear_features(jnp.asarray([[20.0, -3.0]]), jnp.asarray([50]))
    np.testing.assert_allclose(features, [[10, -3, 100, 9, 0.5, 0.25, 0.125, 1]], rtol=1e-6)


def test_linear_baseline_is_the_least_squares_solution_where_normal_equations_in_float32_are_lost():
    """Features far from 0 that vary little, as those of a robot, 200 steps of 20 episodes; one never varies."""
    generator = np.random.default_rng(0)
    obs = 5 + 0.02 * generator.normal(0, 1, (20, 200, 17)).cumsum(axis=1)
    obs[..., 3] = 7.0
    step = np.broadcast_to(np.arange(200), (20, 200))
    target = 3 * obs[..., 0] - 100 + 0.01 * (200 - step) ** 2 + generator.normal(0, 1, (20, 200))
    features = linear_features(jnp.asarray(obs, jnp.float32), jnp.asarray(step)).reshape(4000, -1)
    y = jnp.asarray(target.reshape(-1), jnp.float32)
    weight = jnp.asarray(generator.random(4000) < 0.9, jnp.float32)

    def solve(precision):
        x, w, wanted = (np.asarray(values, precision) for values in (features, weight, y))
        damping = precision(1e-5) * np.eye(x.shape[1], dtype=precision)
        return np.linalg.solve((x.T * w) @ x + damping, (x.T * w) @ wanted)

    def error(coefficients):
        """Of predictions, against those of float64."""
        return np.abs(np.asarray(features, np.float64) @ (coefficients - solve(np.float64))).max()

    assert error(np.asarray(jax.jit(fit_linear)(features, y, weight), np.float64)) < 0.005
    assert error(solve(np.float32)) > 0.5


def test_linear_baseline_of_two_points_and_steps_that_do_not_count():
    features, target = jnp.asarray([[0.0, 1.0], [1.0, 1.0], [5.0, 1.0]]), jnp.asarray([1.0, 3.0, 99.0])
    fit = jax.vmap(lambda w: fit_linear(features, target, w))(jnp.asarray([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]]))
    np.testing.assert_allclose(fit[0], [2.0, 1.0], atol=1e-3)
    np.testing.assert_allclose(fit[1], [0.0, 1.0], atol=1e-3)


def test_linear_values_are_fitted_to_what_was_earned_until_credit_ends():
    """Two episodes, whose observations tell every step apart: returns 1 + 2/2 = 2 and 2; 3; the last row counts not."""
    obs, step = jnp.asarray([[0.0], [1.0], [2.0], [7.0]]), jnp.asarray([0, 1, 0, 0])
    ended, weight = jnp.asarray([False, True, True, True]), jnp.asarray([1.0, 1.0, 1.0, 0.0])
    value, next_value = linear_values(obs, step, jnp.asarray([1.0, 2.0, 3.0, 50.0]), ended, weight, 0.5)
    np.testing.assert_allclose(value[:3], [2.0, 2.0, 3.0], atol=0.01)
    np.testing.assert_allclose(next_value, [value[1], 0, 0, 0])


def test_value_scale_is_the_mean_of_batches_and_then_a_moving_average():
    scale = init_value_scale()
    for batch in ([1.0, 3.0], [5.0, 7.0]):
        scale = scale.update(jnp.asarray(batch), 0.1)
    np.testing.assert_allclose([scale.mean, scale.square], [4.0, 21.0], rtol=1e-6)
    np.testing.assert_allclose(scale.std, np.sqrt(5), rtol=1e-6)
    np.testing.assert_allclose(scale.from_units(scale.to_units(jnp.asarray([9.0]))), [9.0], rtol=1e-6)
    np.testing.assert_allclose(scale.to_units(jnp.asarray(4 + np.sqrt(5))), 1.0, rtol=1e-5)
    late = scale._replace(num_batches=jnp.asarray(1000)).update(jnp.asarray([14.0]), 0.1)
    np.testing.assert_allclose(late.mean, 5.0, rtol=1e-6)
    assert scale.update(jnp.asarray([14.0]), 0.0) is scale
    assert float(init_value_scale().update(jnp.full(3, 2.0), 1.0).std) > 0


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("discount", 1.5, r"discount must be in \[0, 1\], got 1.5"),
        ("gae_lambda", -0.1, "gae_lambda must be in"),
        ("value_scale_rate", 2.0, "value_scale_rate must be in"),
        ("learning_rate", 0.0, "learning_rate must be in"),
        ("clip", 0.0, "clip must be positive, got 0"),
        ("num_epochs", 0, "num_epochs must be positive"),
        ("num_minibatches", 0, "num_minibatches must be positive"),
        ("value_coef", -1.0, "value_coef must be at least 0"),
        ("entropy_coef", -1.0, "entropy_coef must be at least 0"),
        ("max_grad_norm", 0.0, "max_grad_norm must be positive"),
        ("num_epochs", 1.5, "num_epochs must be an integer, got 1.5"),
    ],
)
def test_bad_option_is_refused_by_name_and_value(option, value, message):
    with pytest.raises(ValueError, match=message):
        PPOConfig(**{option: value})


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("max_kl", 0.0, "max_kl must be positive, got 0"),
        ("damping", -1.0, "damping must be at least 0, got -1"),
        ("num_iterations", 0, "num_iterations must be positive"),
        ("num_trials", 0, "num_trials must be positive"),
        ("shrink", 1.0, r"shrink must be in \(0, 1\), got 1"),
        ("hessian_product", "none", "hessian_product must be one of exact, differences, got 'none'"),
    ],
)
def test_bad_option_of_trpo_is_refused_by_name_and_value(option, value, message):
    with pytest.raises(ValueError, match=message):
        TRPOConfig(**{option: value})


def test_fewer_trials_of_a_step_and_a_stronger_shrink_are_taken_as_said():
    """Narrowing overshoots the bound at full length: with one trial nothing is taken; half of it is good."""
    options = {"max_kl": 0.3, "num_trials": 1}
    assert float(trust_region_step(lambda p: p["log_std"][0], _kl, START, TRPOConfig(**options))[1].scale) == 0
    options = {"max_kl": 0.3, "shrink": 0.5}
    assert float(trust_region_step(lambda p: p["log_std"][0], _kl, START, TRPOConfig(**options))[1].scale) == 0.5


def _ppo_and_batch(**options):
    ppo = PPO(PPOConfig(**options), ActorCritic((8,), 2))
    obs_key, action_key, rest_key, init_key = jax.random.split(jax.random.key(0), 4)
    obs, action = jax.random.normal(obs_key, (12, 3)), jax.random.normal(action_key, (12, 2))
    state = ppo.init(init_key, obs)
    policy, _ = ppo.network.apply(state.params, obs)
    advantage, target = jax.random.normal(rest_key, (2, 12))
    return ppo, state, PPOBatch(obs, action, policy.log_prob(action), advantage, target)


def test_ppo_loss_is_the_sum_of_its_parts_each_by_its_coefficient():
    ppo, state, batch = _ppo_and_batch(value_coef=0.25, entropy_coef=0.5)
    total, metrics = ppo.loss(state.params, batch)
    parts = metrics["loss/policy"] + 0.25 * metrics["loss/value"] - 0.5 * metrics["policy/entropy"]
    np.testing.assert_allclose(total, parts, rtol=1e-6)
    np.testing.assert_allclose(metrics["loss/policy"], -jnp.mean(batch.advantage), rtol=1e-5)
    assert float(metrics["policy/kl"]) == pytest.approx(0, abs=1e-6)
    # Two actions of deviation 1/2.
    assert float(metrics["policy/entropy"]) == pytest.approx(2 * stats.norm(0, 0.5).entropy(), rel=1e-5)


def test_gradient_norm_is_clipped_and_clipping_can_be_turned_off():
    changed = []
    for norm in (1e-8, None):
        ppo, state, batch = _ppo_and_batch(max_grad_norm=norm, learning_rate=0.1)
        new, _ = jax.jit(ppo.update)(state, batch)
        changed.append(float(jnp.abs(new.params["params"]["MLP_0"]["Dense_1"]["bias"]).max()))
    # Adam's step is as long as the step size, unless the gradient is as small as its epsilon.
    assert changed[0] < 0.06 < changed[1]


def test_assess_gives_advantages_and_targets_in_their_units():
    ppo, state, _ = _ppo_and_batch(discount=0.5, gae_lambda=1.0, value_scale_rate=1.0)
    zero, half = jnp.zeros((2, 1)), jnp.full((2, 1), 0.5)
    played = Experience(zero, zero, zero, jnp.asarray([[4.0], [2.0]]), half, half)
    state, advantage, target, metrics = ppo.assess(state, played)
    np.testing.assert_allclose(advantage, [[1.0], [-1.0]], rtol=1e-5)  # returns 5 and 2
    np.testing.assert_allclose(target, [[1.0], [-1.0]], rtol=1e-5)
    np.testing.assert_allclose([state.value_scale.mean, state.value_scale.std], [3.5, 1.5], rtol=1e-5)
    assert float(metrics["critic/explained_variance"]) == pytest.approx(0)  # values were 0


def test_an_epoch_takes_every_item_once_and_options_compile_once():
    traces = []

    def count(state, minibatch):
        traces.append(0)
        assert minibatch.shape == (3,)
        return state.at[minibatch].add(1), {"sum": jnp.sum(minibatch)}

    update = make_update_epochs(count)
    for seed in range(3):
        counts, metrics = update(jnp.zeros(12, jnp.int32), jnp.arange(12), jax.random.key(seed), 5, 4)
        np.testing.assert_array_equal(counts, np.full(12, 5))
        assert float(metrics["sum"]) == 66 / 4
    assert len(traces) == 1
    counts, _ = update(jnp.zeros(11, jnp.int32), jnp.arange(11), jax.random.key(0), 2, 3)
    assert counts.sum() == 2 * 9


def test_minibatches_of_epochs_differ():
    update = make_update_epochs(lambda state, ids: (state.at[ids[0]].add(1), {}))
    first, _ = update(jnp.zeros(16, jnp.int32), jnp.arange(16), jax.random.key(0), 8, 1)
    assert (first > 0).sum() > 3
