"""Environments with one thing to learn each, whose values are known: what fails tells where the fault is.

All probes are one environment, whose task is the probe, so every algorithm is compiled once.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from rlcore import replay as rb
from rlcore.policy_gradient import (
    PPO,
    ActorCritic,
    Experience,
    GaussianPolicy,
    PPOBatch,
    PPOConfig,
    TRPOConfig,
    episode_discounts,
)
from rlcore.rollout import find_ends, rollout, start
from rlcore.sac import SAC, ContinuousHead, DiscreteHead, SACConfig
from rlcore.types import Transition
from rlcore.updates import make_update_epochs, make_update_many
from trpo_steps import make_trpo

DISCOUNT, TEMPERATURE = 0.5, 0.1
BONUS = TEMPERATURE * np.log(2)  # of an indifferent policy's entropy: two actions, or an interval of length 2
CONSTANT, DELAYED, ENDLESS, ACTION, OBSERVATION, BOTH = PROBES = range(6)
NAMES = [
    "constant_reward",
    "delayed_reward",
    "truncated_not_terminated",
    "action",
    "observation",
    "observation_and_action",
]
NUM_ENVS, NUM_STEPS, NUM_ROUNDS, NUM_UPDATES, BATCH_SIZE = 64, 4, 3, 600, 64


class State(NamedTuple):
    time: jax.Array
    cue: jax.Array


class Probe:
    """obs: time and cue. Reward at the last step: 1 less the squared distance of the action from where it should be."""

    def initial(self, rng, params):
        seen = (params == OBSERVATION) | (params == BOTH)
        return State(jnp.zeros(()), jnp.where(seen, jax.random.rademacher(rng, (), jnp.float32), 0.0))

    def transition(self, state, action, rng, params):
        del action, rng
        return state._replace(time=state.time + (params != ENDLESS))

    def observation(self, state, rng, params):
        del rng, params
        return jnp.stack([state.time, state.cue])

    def reward(self, state, action, next_state, rng, params):
        del next_state, rng
        return jnp.where((params == DELAYED) & (state.time == 0), 0.0, reward_of(params, state.cue, signed(action)))

    def terminal(self, state, rng, params):
        del rng
        return state.time >= jnp.where(params == DELAYED, 2, 1)

    def transition_info(self, state, action, next_state, params):
        del state, action, next_state, params
        return {}


def signed(action):
    """A discrete action as -1 or 1, a continuous one as it is."""
    return action[..., 0] if jnp.issubdtype(action.dtype, jnp.floating) else 2.0 * action - 1


def reward_of(probe, cue, action):
    from_where_it_should_be = jnp.where(probe == BOTH, action - 0.5 * cue, action - 0.5)
    acts = (probe == ACTION) | (probe == BOTH)
    return jnp.where(acts, 1 - from_where_it_should_be**2, jnp.where(probe == OBSERVATION, cue, 1.0))


def true_q(probe, time, cue, action):
    if probe == DELAYED and time == 0:
        return DISCOUNT * (1 + BONUS)
    if probe == ENDLESS:
        return (1 + DISCOUNT * BONUS) / (1 - DISCOUNT)
    return float(reward_of(probe, cue, action))


ALGORITHMS = {"continuous": (False, False), "value_network": (False, True), "discrete": (True, False)}


@functools.cache
def learner(algorithm):
    """`learn(probe) -> (sac, params)`."""
    discrete, value_network = ALGORITHMS[algorithm]
    rates = dict.fromkeys(("actor_learning_rate", "critic_learning_rate"), 5e-3)
    config = SACConfig(
        (32,), discount=DISCOUNT, tau=0.05, temperature=TEMPERATURE, value_network=value_network, **rates
    )
    sac = SAC(config, DiscreteHead(config, 2) if discrete else ContinuousHead(config, 1))
    obs = jnp.zeros(2)
    example = Transition(obs, jnp.zeros((), jnp.int32) if discrete else jnp.zeros(1), jnp.zeros(()), jnp.zeros(()), obs)

    def sample(replay, key):
        return jax.tree.map(lambda leaf: leaf[0], rb.sample(replay, key, jnp.zeros(1, jnp.int32), BATCH_SIZE))

    @jax.jit
    def collect(params, replay, tasks, key):
        start_key, run_key = jax.random.split(key)
        act = lambda memory, obs, key: (sac.act(params, obs, key), memory)  # noqa: E731
        carry = start(Probe(), tasks, start_key)
        _, _, trajectory = rollout(Probe(), tasks, carry, act, (), run_key, num_steps=NUM_STEPS, horizon=3)
        rows = jax.tree.map(lambda leaf: leaf.reshape(1, -1, *leaf.shape[2:]), trajectory.transition)
        return rb.add(replay, jnp.zeros(1, jnp.int32), rows)

    init, update_many = jax.jit(sac.init), make_update_many(sac.update, sample)

    def learn(probe):
        init_key, *keys = jax.random.split(jax.random.key(0), 1 + 2 * NUM_ROUNDS)
        state = init(init_key, jax.tree.map(lambda leaf: leaf[None], example))
        replay = rb.init_replay(example, NUM_ROUNDS * NUM_ENVS * NUM_STEPS)
        for collect_key, update_key in zip(keys[::2], keys[1::2], strict=True):
            replay = collect(state.params, replay, jnp.full(NUM_ENVS, probe), collect_key)
            state, _ = update_many(state, replay, update_key, NUM_UPDATES)
        return sac, state.params

    return learn


@pytest.mark.parametrize("probe", PROBES, ids=NAMES)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_learns_the_values_and_the_best_action_of(probe, algorithm):
    sac, params = learner(algorithm)(probe)
    discrete = algorithm == "discrete"
    times = (0.0, 1.0) if probe == DELAYED else (0.0,)
    cues = (-1.0, 1.0) if probe in (OBSERVATION, BOTH) else (0.0,)
    for time, cue in ((t, c) for t in times for c in cues):
        obs = jnp.asarray([[time, cue]])
        best = 0.5 * (cue if probe == BOTH else 1)
        for action in (-1.0, 1.0) if discrete else (best - 0.2, best, best + 0.2):
            coded = jnp.asarray([int(action > 0)]) if discrete else jnp.asarray([[action]], jnp.float32)
            q = sac.head.q_values(params.critics, obs, coded)
            tolerance = 0.1 if probe in (ACTION, BOTH) else 0.03  # less than what the bonus adds
            np.testing.assert_allclose(q, true_q(probe, time, cue, action), atol=tolerance)
        if probe in (ACTION, BOTH):
            greedy = float(signed(sac.act(params, obs, jax.random.key(0), deterministic=True))[0])
            np.testing.assert_allclose(greedy, np.sign(best) if discrete else best, atol=0.1)


NUM_PPO_ITERATIONS, NUM_PPO_STEPS, HORIZON = 60, 6, 3


@functools.cache
def ppo_learner():
    """`learn(probe) -> (ppo, state)`."""
    config = PPOConfig(DISCOUNT, gae_lambda=0.9, learning_rate=5e-3, num_epochs=5, num_minibatches=4, entropy_coef=1e-3)
    ppo = PPO(config, ActorCritic((32,), 1))

    @jax.jit
    def collect(state, tasks, key):
        start_key, run_key = jax.random.split(key)

        def act(memory, obs, key):
            return ppo.network.apply(state.params, obs)[0].sample(key), memory

        carry = start(Probe(), tasks, start_key)
        _, _, played = rollout(Probe(), tasks, carry, act, (), run_key, num_steps=NUM_PPO_STEPS, horizon=HORIZON)
        obs, action, reward, discount, next_obs = played.transition
        policy, value = ppo.network.apply(state.params, obs)
        _, next_value = ppo.network.apply(state.params, next_obs)
        log_prob = policy.log_prob(action)
        discounts = episode_discounts(discount, find_ends(played), DISCOUNT, config.gae_lambda)
        experience = Experience(log_prob, value, next_value, reward, *discounts)
        state, advantage, target, _ = ppo.assess(state, experience)
        batch = PPOBatch(obs, action, log_prob, advantage, target)
        return state, jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), batch)

    init, update_epochs = jax.jit(ppo.init), make_update_epochs(ppo.update)

    def learn(probe):
        init_key, *keys = jax.random.split(jax.random.key(0), 1 + 2 * NUM_PPO_ITERATIONS)
        state = init(init_key, jnp.zeros((1, 2)))
        for collect_key, update_key in zip(keys[::2], keys[1::2], strict=True):
            state, batch = collect(state, jnp.full(NUM_ENVS, probe), collect_key)
            state, _ = update_epochs(state, batch, update_key, config.num_epochs, config.num_minibatches)
        return ppo, state

    return learn


def true_value(probe, time, cue, variance):
    """Under a policy whose mean is the best action; its width costs its variance."""
    if probe == DELAYED and time == 0:
        return DISCOUNT
    if probe == ENDLESS:
        return 1 / (1 - DISCOUNT)
    return cue if probe == OBSERVATION else 1 - (variance if probe in (ACTION, BOTH) else 0)


@pytest.mark.parametrize("probe", PROBES, ids=NAMES)
def test_ppo_learns_the_values_and_the_best_action_of(probe):
    ppo, state = ppo_learner()(probe)
    times = (0.0, 1.0) if probe == DELAYED else (0.0,)
    cues = (-1.0, 1.0) if probe in (OBSERVATION, BOTH) else (0.0,)
    for time, cue in ((t, c) for t in times for c in cues):
        policy, value = ppo.network.apply(state.params, jnp.asarray([[time, cue]]))
        expected = true_value(probe, time, cue, float(policy.variance[0, 0]))
        np.testing.assert_allclose(state.value_scale.from_units(value), expected, atol=0.05)
        if probe in (ACTION, BOTH):
            np.testing.assert_allclose(policy.mean[0, 0], 0.5 * (cue if probe == BOTH else 1), atol=0.1)
            assert float(policy.variance[0, 0]) < 0.1


@pytest.mark.parametrize("probe", [ACTION, BOTH], ids=["action", "observation_and_action"])
def test_trpo_learns_the_best_action_of(probe):
    network, config = GaussianPolicy((32,), 1, 0.5), TRPOConfig(max_kl=0.05, damping=1e-3)
    improve, tasks = make_trpo(network, config, DISCOUNT, 1.0), jnp.full(NUM_ENVS, probe)

    @jax.jit
    def collect(params, key):
        start_key, run_key = jax.random.split(key)
        act = lambda memory, obs, key: (network.apply(params, obs).sample(key), memory)  # noqa: E731
        carry = start(Probe(), tasks, start_key)
        return rollout(Probe(), tasks, carry, act, (), run_key, num_steps=NUM_PPO_STEPS, horizon=HORIZON)[2]

    init_key, *keys = jax.random.split(jax.random.key(0), 61)
    params = network.init(init_key, jnp.zeros((1, 2)))
    for key in keys:
        trajectory = collect(params, key)
        params, taken = improve(params, trajectory, jnp.round(trajectory.transition.obs[..., 0]).astype(jnp.int32))
        assert 0 <= float(taken.kl) <= 0.05
    for cue in (-1.0, 1.0) if probe == BOTH else (0.0,):
        policy = network.apply(params, jnp.asarray([[0.0, cue]]))
        np.testing.assert_allclose(policy.mean[0, 0], 0.5 * (cue if probe == BOTH else 1), atol=0.1)
        assert float(policy.variance[0, 0]) < 0.1
