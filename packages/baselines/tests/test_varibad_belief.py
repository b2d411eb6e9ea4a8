"""VariBAD's belief: its losses by hand, what the decoder explains, whose gradient trains it, and how it is used."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from baseline_cases import POINT, enliven
from metarl_baselines.off_policy import make_batch
from metarl_baselines.policy import TrialPolicy
from metarl_baselines.trials import Inputs, Trials
from metarl_baselines.varibad import make_learner
from metarl_baselines.varibad.losses import belief_divergence, decoding_error
from metarl_baselines.varibad.representation import join_belief
from metarl_envs import benchmark
from rlcore.distributions import Gaussian

B, S, DO = 2, 6, 2


def _make_trials():
    keys = jax.random.split(jax.random.key(7), 4)
    obs, next_obs = (jax.random.normal(key, (B, S, DO)) for key in keys[:2])
    action, reward = jax.random.uniform(keys[2], (B, S, 2), minval=-1), jax.random.normal(keys[3], (B, S))
    ended = jnp.zeros((B, S), bool).at[:, [2, 5]].set(True)
    return Trials(obs, action, reward, jnp.ones((B, S)), next_obs, reward, ended)


def _make(small_replaying, **options):
    """A learner, its first parameters made larger, its representation and a batch."""
    learner = make_learner(small_replaying("varibad", **options), benchmark(POINT))
    agent, _ = learner.init(jax.random.key(0))
    return learner, agent._replace(params=enliven(agent.params)), make_batch(learner.config, _make_trials())


def test_the_divergence_of_two_beliefs_by_hand():
    """From N(0, 1) to N(1, 1/4), and from there to N(2, 1); in a second dimension nothing is told."""
    mean = jnp.asarray([[[1.0, 0.0], [2.0, 0.0]]])
    variance = jnp.asarray([[[0.25, 1.0], [1.0, 1.0]]])
    first = 0.5 * (np.log(1 / 0.25) + 0.25 + 1 - 1)
    second = 0.5 * (np.log(0.25 / 1) + (1 + 1) / 0.25 - 1)
    np.testing.assert_allclose(belief_divergence(Gaussian(mean, variance)), [[first, second]], rtol=1e-6)


def test_the_decoding_error_by_hand():
    """Two beliefs of a trial of three steps."""
    decoded = jnp.asarray([[[[1.0], [2.0], [3.0]], [[0.0], [0.0], [0.0]]]])
    np.testing.assert_allclose(decoding_error(decoded, jnp.asarray([[[1.0], [0.0], [5.0]]])), [[8.0, 26.0]])


def test_every_belief_explains_rewards_of_the_past_and_of_the_future(small_replaying):
    """A reward, early or late, changes the error of each belief by what it is off, and the memory is not told."""
    learner, agent, batch = _make(small_replaying, num_beliefs=0)
    representation = learner.agent.sac.representation
    rewards, encoder = (getattr(agent.params.representation, name) for name in ("rewards", "encoder"))
    belief = representation.encoder.apply(encoder, batch.told)
    decoded = representation._rewards.apply(rewards, belief.mean, batch.trials)
    assert decoded.shape == (B, S, S, 1)
    for step in (0, S - 1):
        other = batch.reward.at[:, step].add(1.0)
        change = decoding_error(decoded, other[..., None]) - decoding_error(decoded, batch.reward[..., None])
        expected = 1 - 2 * (decoded[:, :, step, 0] - batch.reward[:, step][:, None])
        np.testing.assert_allclose(change, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("num_beliefs", [0, 3])
@pytest.mark.parametrize("state_coef", [0.0, 0.5])
def test_the_loss_is_the_mean_of_errors_and_divergences(num_beliefs, state_coef, small_replaying):
    learner, agent, batch = _make(small_replaying, num_beliefs=num_beliefs, state_coef=state_coef, kl_coef=0.3)
    representation = learner.agent.sac.representation
    out = representation.apply(agent.params.representation, batch, jax.random.key(3))
    metrics = out.metrics
    expected = S * metrics["belief/reward_rmse"] ** 2 + 0.3 * metrics["belief/kl"]
    if state_coef:
        expected += 0.5 * S * DO * metrics["belief/state_rmse"] ** 2
    assert ("belief/state_rmse" in metrics) == bool(state_coef)
    np.testing.assert_allclose(out.loss, expected, rtol=1e-5)
    assert metrics["loss/belief"] == out.loss
    belief = representation.encoder.apply(agent.params.representation.encoder, batch.told)
    if num_beliefs == 0:
        np.testing.assert_allclose(metrics["belief/kl"], jnp.mean(belief_divergence(belief)), rtol=1e-5)


@pytest.mark.parametrize("rl_gradient", [False, True])
def test_actor_and_critics_train_the_encoder_only_if_asked(rl_gradient, small_replaying):
    learner, agent, batch = _make(small_replaying, rl_gradient=rl_gradient)

    def metric(params, name):
        return learner.agent.sac.loss(params, agent.target, batch, jax.random.key(2))[1][name]

    def reached(name):
        return {
            part: any(np.asarray(leaf).any() for leaf in jax.tree.leaves(tree))
            for part, tree in jax.grad(metric)(agent.params, name).representation._asdict().items()
        }

    assert reached("loss/belief") == {"encoder": True, "rewards": True, "states": False}
    assert reached("loss/critic") == {"encoder": rl_gradient, "rewards": False, "states": False}
    assert not any(reached("loss/actor").values())


def test_actor_and_critics_are_given_the_mean_and_the_logarithm_of_the_variance(small_replaying):
    learner, agent, batch = _make(small_replaying)
    representation = learner.agent.sac.representation
    params = agent.params.representation
    out = representation.apply(params, batch, jax.random.key(3))
    belief = representation.encoder.apply(params.encoder, batch.told)
    expected = np.concatenate([batch.trials.obs, belief.mean, np.log(belief.variance)], axis=-1)
    np.testing.assert_allclose(out.obs, expected, rtol=1e-5, atol=1e-6)
    assert out.obs.shape == (B, S, DO + 2 * learner.config.latent_size)
    np.testing.assert_allclose(out.next_obs[:, :-1], out.obs[:, 1:], rtol=1e-5, atol=1e-6)


def test_test_actions_are_the_policys_centre_and_nothing_is_drawn(small_replaying):
    learner, agent, _ = _make(small_replaying)
    state, key = jax.random.normal(jax.random.key(5), (3, 5)), jax.random.key(0)
    inputs = Inputs(jnp.ones((3, DO)), jnp.full((3, 2), 0.2), jnp.ones(3), jnp.zeros(3))
    one, other = (learner.agent.act(agent.params, state, inputs, jax.random.key(n), True) for n in (1, 2))
    np.testing.assert_array_equal(one[0], other[0])
    belief, after = learner.agent.sac.representation.encoder.apply(
        agent.params.representation.encoder, state, inputs, method="step"
    )
    np.testing.assert_array_equal(one[1], after)
    seen = join_belief(inputs.obs, belief)
    np.testing.assert_allclose(one[0], learner.agent.sac.act(agent.params, seen, key, deterministic=True), rtol=1e-6)
    drawn = [learner.agent.act(agent.params, state, inputs, jax.random.key(n), False)[0] for n in (1, 2)]
    assert not np.allclose(*drawn)
    assert learner.testing.policy.deterministic
    assert isinstance(learner.collection.policy, TrialPolicy)
    assert not learner.collection.policy.deterministic
