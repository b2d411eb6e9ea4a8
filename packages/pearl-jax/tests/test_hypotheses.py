"""Hypotheses: how they are weighed, when they are used, and what trains the network that weighs them."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pearl_jax import PearlConfig
from pearl_jax.agent import PearlAgent, PearlPolicy
from pearl_jax.hypotheses import Hypotheses, RewardModel, choose, draw_hypotheses, weigh
from pearl_jax.representation import PearlBatch, Row
from rlcore.sac import SACConfig
from rlcore.types import Transition

NUM_TASKS, NUM_HYPOTHESES, NUM_ROWS = 3, 5, 6
SMALL = PearlConfig(
    sac=SACConfig(hidden_sizes=(8,), temperature=0.1),
    latent_size=2,
    encoder_sizes=(8,),
    num_hypotheses=NUM_HYPOTHESES,
    factor="precision",
    prior_factor=True,
)


def _linear(place, bias):
    """A reward model without hidden layers: its first feature is that number times the place, and z + bias."""
    model = RewardModel(())
    params = model.init(jax.random.key(0), jnp.zeros((1, 1)), jnp.zeros((1, 1)))
    params = jax.tree.map(jnp.zeros_like, params)
    params.place["params"]["Dense_0"]["kernel"] = params.place["params"]["Dense_0"]["kernel"].at[0, 0].set(place)
    dense = params.task["params"]["Dense_0"]
    dense["kernel"], dense["bias"] = dense["kernel"].at[0, 0].set(1), dense["bias"].at[0].set(bias)
    return model, params


def test_weights_are_the_product_of_what_each_hypothesis_says_of_the_rewards():
    model, params = _linear(2.0, bias=0.5)
    z = jnp.array([[[0.0], [-3.0]]])
    hypotheses = Hypotheses(z, model.task_features(params, z), jnp.zeros((1, 2)), jnp.zeros(1, bool))
    for place, reward in ((1.0, 0.0), (0.5, 0.7)):
        hypotheses = weigh(model, params, hypotheses, jnp.array([[place]]), jnp.array([reward]))
    p = 1 / (1 + np.exp(-np.array([[1.0, -5.0], [0.5, -2.5]])))  # of a reward: steps, hypotheses
    np.testing.assert_allclose(hypotheses.log_weight[0], np.log((1 - p[0]) * p[1]), rtol=1e-5)
    assert hypotheses.rewarded.tolist() == [True]


def test_one_is_chosen_as_often_as_it_weighs():
    z = jnp.arange(3.0)[None, :, None] * jnp.ones((4000, 1, 1))
    weights = jnp.log(jnp.array([0.1, 0.6, 0.3])) + 7.0
    hypotheses = Hypotheses(z, z, jnp.broadcast_to(weights, (4000, 3)), jnp.zeros(4000, bool))
    chosen = choose(hypotheses, jax.random.key(0))
    assert chosen.shape == (4000, 1)
    np.testing.assert_allclose(np.bincount(np.asarray(chosen[:, 0], int)) / 4000, [0.1, 0.6, 0.3], atol=0.03)


def test_hypotheses_are_draws_of_the_prior_and_differ_from_task_to_task():
    model, params = _linear(1.0, bias=0.0)
    z = np.asarray(draw_hypotheses(model, params, jax.random.key(0), (50, 40, 1)).z)
    assert abs(z.mean()) < 0.05
    assert abs(z.std() - 1) < 0.05
    assert len(np.unique(z)) == z.size


@pytest.mark.parametrize("found", [False, True])
def test_z_is_a_hypothesis_until_there_is_a_reward_and_then_of_the_posterior(found):
    agent = PearlAgent(SMALL, (2,), 2, horizon=NUM_ROWS)
    params = agent.init(jax.random.key(0)).learner.params
    policy = PearlPolicy(agent, num_prior_episodes=1)
    memory = policy.begin_trial(params, jax.random.key(1), NUM_TASKS)
    begin = jax.random.key(2)
    first = policy.begin_episode(params, memory, jax.random.clone(begin))
    np.testing.assert_allclose(first.z, jax.random.normal(begin, (NUM_TASKS, 2)), rtol=1e-6)
    pair, one = jnp.ones((NUM_TASKS, 2)), jnp.ones(NUM_TASKS)
    seen = policy.observe(params, first, Transition(pair, pair, found * one, one, pair))
    second = policy.begin_episode(params, seen, jax.random.key(3))
    from_posterior = agent.inference.encoder.posterior(params.representation.encoder, seen.belief)
    np.testing.assert_array_equal(
        np.isclose(second.z, from_posterior.sample(jax.random.key(3))).all(axis=1), [found] * NUM_TASKS
    )
    among = (second.z[:, None] == memory.hypotheses.z).all(axis=2).any(axis=1)
    np.testing.assert_array_equal(among, [not found] * NUM_TASKS)


def _batch(reward):
    keys = jax.random.split(jax.random.key(5), 3)
    obs, next_obs = (jax.random.normal(key, (NUM_TASKS, NUM_ROWS, 2)) for key in keys[:2])
    action = jax.random.uniform(keys[2], (NUM_TASKS, NUM_ROWS, 2), minval=-1)
    ones, steps = jnp.ones_like(reward), jnp.zeros(reward.shape, jnp.int32)
    context = Row(obs, action, reward, ones, next_obs, reward, steps)
    valid = jnp.ones(reward.shape, bool).at[:, -1].set(False)
    return PearlBatch(obs, action, reward, ones, next_obs, context, valid)


def test_the_reward_model_learns_from_contexts_with_a_reward_and_trains_nothing_else():
    reward = jnp.zeros((NUM_TASKS, NUM_ROWS)).at[0, 2].set(0.9).at[1, :4].set(0.8)
    agents = [PearlAgent(dataclasses.replace(SMALL, num_hypotheses=n), (2,), 2, NUM_ROWS) for n in (NUM_HYPOTHESES, 0)]
    state = agents[0].init(jax.random.key(0)).learner
    bare = state.params._replace(representation=state.params.representation._replace(reward_model={}))
    with_model, without = (
        jax.grad(
            lambda params, agent=agent: agent.sac.loss(params, state.target, _batch(reward), jax.random.key(1))[0]
        )(params)
        for agent, params in zip(agents, (state.params, bare), strict=True)
    )
    assert any(jnp.abs(leaf).max() > 1e-4 for leaf in jax.tree.leaves(with_model.representation.reward_model))
    rest = with_model._replace(representation=with_model.representation._replace(reward_model={}))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7), rest, without)

    context, params = _batch(reward).context, state.params.representation
    output = agents[0].inference.apply(params, _batch(reward), jax.random.key(1))
    z, model = output.obs[:, :1, 2:], agents[0].inference.reward_model
    features = model.task_features(params.reward_model, z)
    place = jnp.concatenate([context.obs, context.action], axis=-1)
    log_prob = model.log_prob(params.reward_model, place, features, reward != 0)[..., 0]
    expected = -log_prob[:2, :-1].sum() / (NUM_TASKS * NUM_ROWS)  # in task 2 nothing was found, the last row is none
    assert expected > 0.1
    np.testing.assert_allclose(output.metrics["loss/reward_model"], expected, rtol=1e-5)
