"""Belief filtering: online as in windows, what it carries over, what it must not see."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from meld_builders import ACTION_SIZE, HORIZON, NUM_FRAMES, SHAPE, infer, init_small, make_small_agent, make_up_trials
from meld_jax.filtering import filter_trials
from meld_jax.policy import MeldPolicy
from meld_jax.representation import make_policy_batch
from rlcore.types import Transition

VARIANTS = [
    (),
    ("model.memory=plain", "model.belief=sample", "model.mark_resets=false"),
    ("model.previous_belief=true", "model.standardise_images=true"),
]


@functools.partial(jax.jit, static_argnums=0)
def _filter(agent, params, trials, noise):
    return filter_trials(agent.model, params.model, trials, noise)


@pytest.mark.parametrize("overrides", VARIANTS, ids=str)
def test_online_filtering_gives_the_numbers_of_a_window(overrides):
    """Three trials side by side, whose episodes begin at different steps."""
    agent = make_small_agent(*overrides)
    params = init_small(agent).average
    trials = make_up_trials(3, lengths=[[3, 3], [2, 1, 2], [1, 3]])
    policy = MeldPolicy(agent, deterministic=True)
    act, observe = jax.jit(policy.act), jax.jit(policy.observe)
    first, valid, row = np.asarray(trials.first), np.asarray(trials.valid), np.arange(3)
    memory = policy.begin_episode(params, policy.begin_trial(params, jax.random.key(1), 3), jax.random.key(2))
    noise = np.zeros((NUM_FRAMES, 3, memory.noise.shape[1]), np.float32)
    features = np.zeros((3, NUM_FRAMES, memory.seen.shape[1]), np.float32)
    frame = np.zeros(3, int)  # where each trial stands
    for step in range(2 * HORIZON):
        going_on = (frame + 1 < NUM_FRAMES) & valid[row, np.minimum(frame + 1, NUM_FRAMES - 1)]
        key = jax.random.key(step)
        _, acted = act(params, memory, trials.image[row, frame], key)
        memory = _where(going_on, acted, memory)
        begins = first[row, frame] & going_on
        start_noise = np.asarray(jax.random.normal(jax.random.split(jax.random.clone(key), 3)[0], memory.noise.shape))
        noise[frame[begins], row[begins]] = start_noise[begins]
        features[row[begins], frame[begins]] = np.asarray(memory.seen)[begins]
        behind = np.minimum(frame + 1, NUM_FRAMES - 1)
        arrived = jax.tree.map(lambda leaf, behind=behind: leaf[row, behind], trials)
        seen = Transition(trials.image[row, frame], arrived.action, arrived.reward, arrived.discount, arrived.image)
        memory = _where(going_on, observe(params, memory, seen), memory)
        frame = frame + going_on
        noise[frame[going_on], row[going_on]] = np.asarray(acted.noise)[going_on]
        features[row[going_on], frame[going_on]] = np.asarray(memory.seen)[going_on]
        # Where the next frame starts an episode, it follows on this one at once.
        behind = np.minimum(frame + 1, NUM_FRAMES - 1)
        borders = going_on & (frame + 1 < NUM_FRAMES) & first[row, behind] & valid[row, behind]
        memory = _where(borders, policy.begin_episode(params, memory, jax.random.key(2)), memory)
        frame = np.where(borders, behind, frame)
    latents, _ = _filter(agent, params, trials, jnp.asarray(noise))
    expected = agent.model.belief(latents)
    beliefs = features[..., : expected.shape[-1]]
    np.testing.assert_allclose(beliefs[valid], expected[valid], atol=2e-6)
    steps = trials.reward[:, 1:]
    batch = make_policy_batch(trials, expected, jnp.arange(steps.size), trials.reward)
    learned = agent.belief.apply({}, batch, jax.random.key(3)).obs.reshape(*steps.shape, -1)
    np.testing.assert_allclose(features[:, :-1][valid[:, :-1]], learned[valid[:, :-1]], atol=2e-6)
    assert learned.shape[-1] == agent.belief.num_features(ACTION_SIZE)


def _where(mask, new, old):
    return jax.tree.map(lambda n, o: jnp.where(mask.reshape(-1, *[1] * (n.ndim - 1)), n, o), new, old)


def test_frames_that_are_not_valid_change_nothing():
    agent = make_small_agent()
    params = init_small(agent).average
    trials = make_up_trials(2, lengths=[[3, 1], [3, 3]])
    noise = agent.belief.draw_noise(jax.random.key(1), trials)
    other = trials._replace(image=jnp.where(trials.valid[..., None, None, None], trials.image, 7))
    one, _ = _filter(agent, params, trials, noise)
    two, _ = _filter(agent, params, other, noise)
    jax.tree.map(np.testing.assert_array_equal, one, two)
    np.testing.assert_array_equal(one.z2[0, 5], one.z2[0, 7])
    assert not np.array_equal(one.z2[1, 5], one.z2[1, 7])


def test_each_frame_follows_on_the_sample_of_the_one_before_across_episodes():
    agent = make_small_agent()
    params = init_small(agent).average
    trials = make_up_trials(2)
    latents, before = _filter(agent, params, trials, agent.belief.draw_noise(jax.random.key(1), trials))
    np.testing.assert_array_equal(before[:, 1:], latents.z2[:, :-1])
    np.testing.assert_array_equal(before[:, 0], 0)


def test_without_reward_evidence_rewards_change_no_belief():
    trials = make_up_trials(2)
    other = trials._replace(reward=trials.reward + 5)
    for evidence in (True, False):
        agent = make_small_agent(f"model.reward_evidence={evidence}")
        params = init_small(agent).average
        beliefs = [infer(agent, params, t, jax.random.key(1)) for t in (trials, other)]
        assert np.array_equal(*beliefs) != evidence


def test_the_last_reward_and_the_marked_reset_reach_the_next_episode():
    agent = make_small_agent()
    params = init_small(agent).average
    trials = make_up_trials(1)
    belief = infer(agent, params, trials, jax.random.key(1))
    richer = trials._replace(reward=trials.reward.at[:, HORIZON].add(1.0))
    after = infer(agent, params, richer, jax.random.key(1))
    np.testing.assert_array_equal(belief[:, :HORIZON], after[:, :HORIZON])
    assert not np.array_equal(belief[:, HORIZON + 1], after[:, HORIZON + 1])
    unmarked = trials._replace(first=jnp.zeros_like(trials.first))
    after = infer(agent, params, unmarked, jax.random.key(1))
    np.testing.assert_array_equal(belief[:, : HORIZON + 1], after[:, : HORIZON + 1])
    assert not np.array_equal(belief[:, HORIZON + 1], after[:, HORIZON + 1])


def test_a_gate_that_is_shut_keeps_the_slow_layer_as_it_was():
    agent = make_small_agent()
    params = init_small(agent).model
    last = params["params"]["second"]["rest_0"]["Dense_0"]
    shut = {"kernel": last["kernel"].at[:, 16:].set(0), "bias": last["bias"].at[16:].set(-50.0)}
    params["params"]["second"]["rest_0"]["Dense_0"] = shut
    trials = make_up_trials(2)
    latents, _ = filter_trials(agent.model, params, trials, agent.belief.draw_noise(jax.random.key(1), trials))
    np.testing.assert_allclose(
        latents.z2[:, 1:], jnp.broadcast_to(latents.z2[:, :1], latents.z2[:, 1:].shape), atol=1e-6
    )


@pytest.mark.parametrize("belief", ["moments", "sample"])
def test_what_is_acted_on_has_the_size_that_the_config_says(belief):
    agent = make_small_agent(f"model.belief={belief}")
    params = init_small(agent).average
    beliefs = infer(agent, params, make_up_trials(2), jax.random.key(1))
    assert beliefs.shape == (2, 8, agent.config.model.belief_size)


def test_random_actions_are_uniform_and_see_nothing():
    agent = make_small_agent()
    policy = MeldPolicy(agent, deterministic=False, random=True)
    memory = policy.begin_trial(None, jax.random.key(0), 4000)
    action, after = policy.act(None, memory, jnp.zeros((4000, *SHAPE), jnp.uint8), jax.random.key(1))
    assert action.shape == (4000, ACTION_SIZE)
    assert -1 <= float(action.min()) < -0.99 < 0.99 < float(action.max()) <= 1
    assert abs(float(action.mean())) < 0.05
    assert after is memory
