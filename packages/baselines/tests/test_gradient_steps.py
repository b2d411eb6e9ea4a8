"""Inner and outer steps against derivatives by hand and against finite differences."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gradient_cases import draw_trials, make_learner
from jax.flatten_util import ravel_pytree
from metarl_baselines.gradient import Episodes, Played, adapt_through, average, last_batch, outer_loss, reconstruct
from metarl_baselines.maesn import MAESNConfig
from metarl_baselines.maesn.adaptation import Adapted, Drawn, Latent, MAESNAdaptation, MAESNParams
from metarl_baselines.maml import MAMLConfig, ProMPConfig
from metarl_baselines.maml.adaptation import MAMLAdaptation
from metarl_baselines.maml.learner import adapt_coef
from rlcore.distributions import Gaussian
from rlcore.policy_gradient import losses

RATE, MEAN, LOG_STD = 0.1, 0.3, -0.2
ACTION, ADVANTAGE = np.asarray([0.9, -0.5, 0.1, 7.0]), np.asarray([1.0, -2.0, 0.5, 9.0])


@pytest.fixture
def float64():
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", False)


def _tiny(objective, scale=1.0):
    """A policy of a mean and a deviation, as the observation is 0; the fourth step does not count."""
    config = MAMLConfig(hidden_sizes=(), action_scale=scale, inner_objective=objective, inner_learning_rate=RATE)
    adaptation = MAMLAdaptation(config, 1)
    zero, count = jnp.zeros(4), jnp.arange(4)
    action, valid = jnp.asarray(ACTION / scale)[:, None], jnp.asarray([True, True, True, False])
    episodes = Episodes(jnp.zeros((4, 1)), action, zero, count, 0 * count, valid)

    def params(x):
        return {"params": {"MLP_0": {"Dense_0": {"kernel": jnp.ones((1, 1)), "bias": x[:1]}}, "log_std": x[1:]}}

    start = jnp.asarray([MEAN, LOG_STD])
    policy = adaptation.policy(None, params(start), episodes.obs, ())
    played = Played(episodes, jnp.asarray(ADVANTAGE), policy, policy.log_prob(action), ())

    def adapt(x):
        new = adaptation.adapt(None, params(x), played)["params"]
        return jnp.concatenate([new["MLP_0"]["Dense_0"]["bias"], new["log_std"]])

    return adapt, start


@pytest.mark.parametrize("scale", [1.0, 10.0])
def test_an_inner_step_and_its_derivative_are_those_by_hand(float64, scale):
    """log pi = -(a - m)^2 / 2 s^2 - l with s = exp l: its gradient is (d / s^2, d^2 / s^2 - 1) with d = a - m, and its
    second derivative [[-1, -2 d], [-2 d, -2 d^2]] / s^2. That of a ratio has the gradient's square on top. What the
    policy's range is called changes none of them.
    """
    d, a, s2 = ACTION[:3] - MEAN, ADVANTAGE[:3], np.exp(2 * LOG_STD)
    gradient = np.stack([d / s2, d**2 / s2 - 1], axis=-1)
    second = -np.asarray([[np.ones(3), 2 * d], [2 * d, 2 * d**2]]).transpose(2, 0, 1) / s2
    squares = gradient[:, :, None] * gradient[:, None, :]
    expected = {"log_likelihood": second, "likelihood_ratio": second + squares}
    for objective, curvature in expected.items():
        adapt, start = _tiny(objective, scale)
        np.testing.assert_allclose(adapt(start), start + RATE * np.mean(a[:, None] * gradient, axis=0), rtol=1e-12)
        jacobian = np.eye(2) + RATE * np.mean(a[:, None, None] * curvature, axis=0)
        np.testing.assert_allclose(jax.jacobian(adapt)(start), jacobian, rtol=1e-12)


def _outer_losses(learner, params, start, played):
    """The losses of both outer steps, of a flat vector; `start` and the rest are of one task or mapped over."""
    flat, to_tree = ravel_pytree(params)

    def loss(clip, kl_coef, x):
        def of_task(start, played):
            found, last = adapt_through(learner.adaptation, to_tree(x), start(to_tree(x)), played), last_batch(played)
            arguments = (found.log_prob, last.log_prob, last.advantage)
            if clip is None:
                return losses.surrogate_loss(*arguments, last.episodes.weight) + kl_coef * found.kl
            return losses.clipped_surrogate_loss(*arguments, clip, last.episodes.weight) + kl_coef * found.inner_kl

        return average(partial(of_task, start), played)

    return flat, loss


def _to_float64(tree):
    return jax.tree.map(lambda leaf: leaf.astype(jnp.float64), tree)


def _maml_case(objective, num_steps, make_lines):
    learner = make_learner("maml-trpo", make_lines(), inner_objective=objective, num_steps=num_steps, num_episodes=3)
    params = _to_float64(learner.init(jax.random.key(0))[0].params)
    trials = draw_trials(learner, 2, jax.random.key(1), jnp.float64)
    again = partial(reconstruct, learner.adaptation, learner.config.adaptation, params, params)
    played, _ = jax.jit(jax.vmap(again))(trials)
    return learner, params, played


def _assert_gradient_is_that_of_differences(function, x):
    gradient = jax.jit(jax.grad(function))(x)
    function = jax.jit(function)
    for direction in jax.random.normal(jax.random.key(5), (3, *x.shape), x.dtype):
        expected = (function(x + 1e-5 * direction) - function(x - 1e-5 * direction)) / 2e-5
        np.testing.assert_allclose(gradient @ direction, expected, rtol=1e-6, atol=1e-9)
    return gradient


@pytest.mark.parametrize("objective", ["log_likelihood", "likelihood_ratio"])
def test_outer_gradients_through_inner_steps_are_those_of_differences(float64, objective, make_lines):
    """Away from the parameters that played, so that ratios and divergences differ from 1 and 0; their sum at once."""
    learner, params, played = _maml_case(objective, 3, make_lines)
    flat, loss = _outer_losses(learner, params, lambda params: params, played)
    x = flat + 0.03 * jax.random.normal(jax.random.key(2), flat.shape, flat.dtype)
    parts = [partial(loss, clip, kl_coef) for clip, kl_coef in ((None, 0.0), (None, 2.0), (10.0, 3.0))]
    _assert_gradient_is_that_of_differences(lambda x: sum(part(x) for part in parts), x)


def test_every_inner_step_contributes_to_the_outer_gradient_and_log_std_is_adapted_and_trained(float64, make_lines):
    learner, params, played = _maml_case("likelihood_ratio", 3, make_lines)

    @jax.jit
    def gradient(factor):
        scaled = played._replace(advantage=played.advantage * factor[None, :, None])
        flat, loss = _outer_losses(learner, params, lambda params: params, scaled)
        return jax.grad(partial(loss, None, 0.0))(flat)

    whole = gradient(jnp.ones(4))
    for number in range(4):
        without = gradient(jnp.ones(4).at[number].set(0.0))
        assert float(jnp.linalg.norm(without - whole) / jnp.linalg.norm(whole)) > 1e-3
    _, to_tree = ravel_pytree(params)
    assert np.abs(to_tree(whole)["params"]["log_std"]).min() > 1e-4
    one = jax.tree.map(lambda leaf: leaf[0, 0], played)
    adapted = learner.adaptation.adapt(None, params, one)
    assert np.abs(adapted["params"]["log_std"] - params["params"]["log_std"]).min() > 1e-4


def test_both_forms_agree_in_the_inner_gradient_and_differ_in_the_outer_one(float64, make_lines):
    outer, inner = [], []
    for objective in ("log_likelihood", "likelihood_ratio"):
        learner, params, played = _maml_case(objective, 1, make_lines)
        one = jax.tree.map(lambda leaf: leaf[0, 0], played)
        inner.append(ravel_pytree(learner.adaptation.adapt(None, params, one))[0])
        flat, loss = _outer_losses(learner, params, lambda params: params, played)
        outer.append(jax.jit(jax.grad(partial(loss, None, 0.0)))(flat))
    np.testing.assert_allclose(*inner, rtol=1e-12)
    assert float(jnp.linalg.norm(outer[0] - outer[1]) / jnp.linalg.norm(outer[0])) > 1e-3


def test_promp_without_divergence_and_clip_is_maml_of_likelihood_ratios(float64, make_lines):
    learner, params, played = _maml_case("likelihood_ratio", 1, make_lines)
    promp = make_learner("promp", make_lines(), num_episodes=3, promp=ProMPConfig(clip=1e6))
    flat, loss = _outer_losses(learner, params, lambda params: params, played)
    found = ravel_pytree(jax.jit(jax.grad(lambda p: promp.promp_loss(p, 0.0, played)[0]))(params))[0]
    np.testing.assert_allclose(found, jax.jit(jax.grad(partial(loss, None, 0.0)))(flat), rtol=1e-9, atol=1e-12)


def test_promps_divergence_counts_the_policies_before_the_last_inner_step_only(float64, make_lines):
    """A move of all that played by a little: each part of the loss is taken from the other with its coefficient."""
    _, params, played = _maml_case("likelihood_ratio", 1, make_lines)
    moved = jax.tree.map(lambda leaf: leaf + 0.05, params)
    loss = jax.jit(make_learner("promp", make_lines(), num_episodes=3).promp_loss)
    (without, metrics), (with_it, _) = (loss(moved, coef, played) for coef in (0.0, 2.0))
    assert float(metrics["inner/kl"]) > 1e-4
    np.testing.assert_allclose(with_it - without, 2 * metrics["inner/kl"], rtol=1e-9)
    _, at_start = loss(params, 0.0, played)
    np.testing.assert_allclose(at_start["inner/kl"], 0, atol=1e-12)
    np.testing.assert_allclose(at_start["policy/kl"], 0, atol=1e-12)


def test_the_weight_of_promps_divergence_is_halved_below_its_target_and_doubled_above_it(float64, make_lines):
    found = [float(adapt_coef(3.0, kl, target=0.03)) for kl in (0.0199, 0.0201, 0.0449, 0.0451)]
    assert found == [1.5, 3.0, 3.0, 6.0]
    learner, params, played = _maml_case("likelihood_ratio", 2, make_lines)
    agent = learner.init(jax.random.key(0))[0]._replace(params=jax.tree.map(lambda leaf: leaf + 0.05, params))

    @jax.jit
    def measure(target):
        kl = learner.promp_loss(agent.params, 0.0, played)[1]["inner/kl"] / 2  # of an inner step
        return kl, learner.adapt_inner_kl_coef(agent, played, target)

    kl = float(measure(1.0)[0])
    for target, factor in ((1.6 * kl, 0.5), (1.4 * kl, 1), (0.6 * kl, 2)):
        np.testing.assert_allclose(measure(target)[1], factor * 5e-4, rtol=1e-6)


def test_exploring_rewards_what_was_played_before_adapting_where_it_paid_after_it(float64, make_lines):
    learner, params, played = _maml_case("log_likelihood", 1, make_lines)
    (flat, to_tree), ids = ravel_pytree(params), jnp.arange(2)

    def loss(coef, x):
        return outer_loss(learner.outcome, coef, to_tree(x), ids, played)[0]

    rows, valid = played.episodes, np.asarray(played.episodes.valid)
    counted = [np.asarray(rows.reward[i, 1])[valid[i, 1]] for i in range(2)]
    spread, middle = np.std(np.concatenate(counted)), np.mean(np.concatenate(counted))
    worth = [(np.mean(reward) - middle) / spread for reward in counted]
    likelihood = [np.mean(np.asarray(played.log_prob[i, 0])[valid[i, 0]]) for i in range(2)]
    assert abs(worth[0]) > 0.01
    difference = jax.jit(lambda x: loss(0.7, x) - loss(0.0, x))(flat)
    np.testing.assert_allclose(difference, -0.7 * np.mean(np.multiply(worth, likelihood)), rtol=1e-6)
    moved = flat + 0.03 * jax.random.normal(jax.random.key(2), flat.shape, flat.dtype)
    _assert_gradient_is_that_of_differences(lambda x: loss(0.7, x), moved)


@pytest.mark.parametrize("name", ["maml-trpo", "maesn"])
def test_the_deviation_of_actions_has_a_floor_below_which_its_parameter_rests(name, make_lines):
    learner = make_learner(name, make_lines(), min_std=0.1)
    network, inputs = learner.adaptation.network, jnp.ones((1, 1 if name == "maml-trpo" else 3))
    params = network.init(jax.random.key(0), inputs)

    def std(log_std):
        variance = network.apply({"params": {**params["params"], "log_std": log_std}}, inputs).variance
        return jnp.sqrt(variance)[0, 0]

    for log_std, expected, slope in ((np.log(0.05), 0.1, 0.0), (np.log(0.3), 0.3, 0.3)):
        found = jax.value_and_grad(std)(jnp.full(1, log_std, jnp.float32))
        np.testing.assert_allclose(found[0], expected, rtol=1e-6)
        np.testing.assert_allclose(found[1], [slope], rtol=1e-6)


def test_exact_products_and_differences_lead_trpo_to_the_same_step(float64, make_lines):
    moved = []
    for product in ("exact", "differences"):
        learner, params, played = _maml_case("log_likelihood", 1, make_lines)
        config = dataclasses.replace(learner.config.trpo, hessian_product=product)
        learner = make_learner("maml-trpo", make_lines(), num_episodes=3, trpo=config, exploration_coef=0.7)
        new, metrics = learner._step(params, jnp.arange(2), played)
        loss, _ = jax.jit(partial(outer_loss, learner.outcome, 0.7))(new, jnp.arange(2), played)
        np.testing.assert_allclose(metrics["loss/policy"], loss, rtol=1e-9)
        assert 0 < float(metrics["policy/kl"]) <= 0.01
        assert float(metrics["policy/improvement"]) > 0
        moved.append(ravel_pytree(new)[0] - ravel_pytree(params)[0])
    np.testing.assert_allclose(*moved, rtol=1e-3, atol=1e-7)


def test_an_inner_step_of_maesn_is_that_by_hand_and_moves_latents_alone(float64):
    """z of episodes is 1, -1 and 3, their advantages 3, 0 and 99, of which the last does not count: standardised 1 and
    -1. With mean 0 and deviation 1 the gradient of log q is z and z^2 - 1: so (1 - (-1)) / 2 = 1 and (0 - 0) / 2 = 0;
    from mean 1 it is (0 - (-2)) / 2 = 1 and (-1 - 3) / 2 = -2.
    """
    adaptation = MAESNAdaptation(MAESNConfig(latent_size=1), 1)
    step = jnp.asarray([0, 1, 0, 1, 0])
    zero, z = jnp.zeros(5), jnp.asarray([1.0, 1.0, -1.0, -1.0, 3.0])[:, None]
    valid = jnp.asarray([True, True, True, True, False])
    episodes = Episodes(zero[:, None], zero[:, None], zero, step, jnp.asarray([0, 0, 1, 1, 2]), valid)
    advantage = jnp.asarray([3.0, -50.0, 0.0, 50.0, 99.0])
    played = Played(episodes, advantage, Gaussian(zero[:, None], zero[:, None]), zero, Drawn(0 * z, z))
    noise, sizes = jnp.zeros(2, jnp.uint32), Latent(jnp.asarray([0.5]), jnp.asarray([0.25]))
    params = MAESNParams({}, sizes, None, None)
    for mean, new_mean, new_log_std in ((0.0, 0.5, 0.0), (1.0, 1.5, -0.5)):
        start = Adapted(Latent(jnp.asarray([mean]), jnp.zeros(1)), noise)
        adapted = adaptation.adapt(params, start, played)
        np.testing.assert_allclose(adapted.latent.mean, [new_mean], rtol=1e-6)
        np.testing.assert_allclose(adapted.latent.log_std, [new_log_std], atol=1e-6)
        assert adapted.noise is noise


def test_maesns_outer_gradient_is_that_of_differences_and_reaches_weights_latents_and_step_sizes(float64, make_lines):
    learner = make_learner("maesn", make_lines(), num_steps=2, num_episodes=3)
    agent, _ = learner.init(jax.random.key(0))
    params, ids = _to_float64(agent.params), jnp.asarray([0, 2])
    trials = draw_trials(learner, 2, jax.random.key(1), jnp.float64)
    starts = learner.start(params, agent.noise, ids)
    again = partial(reconstruct, learner.adaptation, learner.config.adaptation, params)
    played, _ = jax.jit(jax.vmap(again))(starts, trials)
    flat, to_tree = ravel_pytree(params)

    def function(x):
        def of_task(task, noise, played):
            latent = jax.tree.map(lambda leaf: leaf[task], to_tree(x).latents)
            found = adapt_through(learner.adaptation, to_tree(x), Adapted(latent, noise), played)
            last = last_batch(played)
            loss = losses.surrogate_loss(found.log_prob, last.log_prob, last.advantage, last.episodes.weight)
            return loss + 2 * found.kl

        return average(of_task, ids, starts.noise, played) + 0.1 * learner.prior_kl(to_tree(x), ids)

    x = flat + 0.03 * jax.random.normal(jax.random.key(2), flat.shape, flat.dtype)
    slopes = to_tree(_assert_gradient_is_that_of_differences(function, x))
    for leaf in jax.tree.leaves((slopes.step_size, slopes.weights["params"]["log_std"])):
        assert np.abs(leaf).min() > 1e-6
    visited = np.asarray([True, False, True, False])
    for leaf in slopes.latents:
        assert (np.abs(leaf[visited]) > 1e-6).all()
        assert (np.asarray(leaf[~visited]) == 0).all()
    # KL(N(m, 1) || N(0, 1)) is m^2 / 2.
    expected = np.mean(np.sum(np.asarray(params.latents.mean)[[0, 2]] ** 2, axis=-1)) / 2
    np.testing.assert_allclose(learner.prior_kl(params, ids), expected, rtol=1e-6)
