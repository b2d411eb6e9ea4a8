"""What RL2 remembers and what it is credited with, at the borders of episodes above all."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from baseline_cases import POINT, play, remember
from metarl_baselines.policy import TrialPolicy
from metarl_baselines.rl2 import RL2Learner
from metarl_baselines.rl2.baseline import linear_values
from metarl_baselines.rl2.credit import credit_discounts
from metarl_baselines.rl2.learner import store
from metarl_baselines.rl2.network import RL2Actor
from metarl_baselines.trials import Trials, inputs_after, inputs_before, make_trials
from metarl_envs import benchmark
from rlcore.policy_gradient import generalised_advantages
from rlcore.rollout import find_ends


def _play(learner, chosen, deterministic=False, num_steps=20, seed=1):
    """The learner's first parameters, and a trial of 20 steps in three tasks."""
    agent, data = learner.init(jax.random.key(0))
    policy = TrialPolicy(RL2Actor(learner.network), deterministic)
    return agent, data, play(policy, agent.params, chosen, num_steps, seed=seed)


def _trials_of_two_episodes():
    """One trial of six steps, of which the third ends an episode by a time limit and the last one by termination."""
    number = jnp.arange(1.0, 7.0)
    ended = jnp.asarray([[False, False, True, False, False, True]])
    discount = jnp.asarray([[1.0, 1.0, 1.0, 1.0, 1.0, 0.0]])
    obs, action = 10 * number[None, :, None], 0.1 * number[None, :, None]
    return Trials(obs, action, number[None], discount, obs + 5, number[None], ended)


@pytest.mark.parametrize("kind", ["functional", "host"])
@pytest.mark.parametrize("border_in_memory", [True, False])
def test_acting_step_by_step_and_scanning_the_stored_trial_give_the_same(kind, border_in_memory, small, make_lines):
    """Episodes of lines end early, at different steps in different tasks."""
    chosen = make_lines() if kind == "host" else benchmark(POINT)
    learner = RL2Learner(small(border_in_memory=border_in_memory), chosen)
    agent, _, visit = _play(learner, chosen, deterministic=True, num_steps=45)
    ends = np.asarray(find_ends(visit.trajectory))
    assert ends[:-1].any(axis=0).all()  # each task has begun a second episode
    if kind == "host":
        assert not (ends == ends[:, :1]).all()
        assert (np.asarray(visit.trajectory.transition.discount) == 0).any()
    trials = make_trials(visit, visit.trajectory.transition.reward)
    inputs = inputs_before(learner.config, trials)
    policy, _, memory = learner.network.apply(agent.params, inputs, method="scan")
    np.testing.assert_allclose(policy.mean, trials.action, rtol=1e-4, atol=1e-5)

    memories = remember(TrialPolicy(RL2Actor(learner.network)), agent.params, visit)
    np.testing.assert_allclose(np.stack([each.state for each in memories], axis=1), memory, rtol=1e-4, atol=1e-5)


def test_the_memory_is_blank_at_the_start_of_a_trial_only(small):
    learner = RL2Learner(small(), benchmark(POINT))
    agent, _, visit = _play(learner, benchmark(POINT))
    policy, key = TrialPolicy(RL2Actor(learner.network)), jax.random.key(0)
    memory = policy.begin_trial(agent.params, key, 3)
    assert all(not np.asarray(leaf).any() for leaf in memory)
    _, seen = policy.act(agent.params, memory, jnp.ones((3, 2)), key)
    seen = policy.observe(agent.params, seen, jax.tree.map(lambda leaf: leaf[0], visit.trajectory.transition))
    begun = policy.begin_episode(agent.params, seen, jax.random.key(1))
    assert np.abs(begun.state).min() > 0
    np.testing.assert_array_equal(begun.state, seen.state)
    np.testing.assert_array_equal(begun.action, visit.trajectory.transition.action[0])
    np.testing.assert_array_equal(begun.reward, visit.trajectory.transition.reward[0])
    assert (np.asarray(begun.begins) == 1).all()
    assert (np.asarray(seen.begins) == 0).all()


def test_the_first_input_of_an_episode_tells_the_last_action_and_reward_of_the_one_before(small):
    trials = _trials_of_two_episodes()
    told = inputs_before(small(), trials)
    np.testing.assert_allclose(told.obs, trials.obs)
    np.testing.assert_allclose(told.action[0, :, 0], [0, 0.1, 0.2, 0.3, 0.4, 0.5], rtol=1e-6)
    np.testing.assert_allclose(told.reward[0], [0, 1, 2, 3, 4, 5])
    np.testing.assert_allclose(told.begins[0], [1, 0, 0, 1, 0, 0])


def test_the_originals_first_input_of_an_episode_tells_nothing_of_the_one_before(small):
    told = inputs_before(small(border_in_memory=False), _trials_of_two_episodes())
    np.testing.assert_allclose(told.action[0, :, 0], [0, 0.1, 0.2, 0, 0.4, 0.5], rtol=1e-6)
    np.testing.assert_allclose(told.reward[0], [0, 1, 2, 0, 4, 5])
    np.testing.assert_allclose(told.begins[0], [0] * 6)


def test_the_memory_is_told_what_the_environment_was_given(small):
    trials = _trials_of_two_episodes()
    told = inputs_before(small(), trials._replace(action=30 * trials.action))
    assert float(told.action.max()) == 1


def test_what_follows_on_a_step_reaches_as_far_as_credit(small):
    """Behind the trial's end, where an episode ended, comes the first observation of another one."""
    trials = _trials_of_two_episodes()
    after = inputs_after(small(), trials)
    np.testing.assert_allclose(after.obs[0, :, 0], [20, 30, 40, 50, 60, 10])
    np.testing.assert_allclose(after.begins[0], [0, 0, 1, 0, 0, 1])
    np.testing.assert_allclose(after.reward[0], [1, 2, 3, 4, 5, 6])
    goes_on = trials._replace(ended=trials.ended.at[0, 5].set(False))
    assert float(inputs_after(small(), goes_on).obs[0, 5, 0]) == 65  # its next observation
    within = inputs_after(small(credit="episode"), trials)
    np.testing.assert_allclose(within.obs, trials.next_obs)
    np.testing.assert_allclose(within.begins[0], [0] * 6)


@pytest.mark.parametrize(
    ("options", "discount", "trace"),
    [
        ({}, [0.5] * 6, [0.25] * 6),
        ({"bootstrap_at_end": False}, [0.5] * 5 + [0], [0.25] * 5 + [0]),
        # The time limit leaves the value and the termination does not; neither lets advantages through.
        ({"credit": "episode"}, [0.5] * 5 + [0], [0.25, 0.25, 0, 0.25, 0.25, 0]),
    ],
)
def test_discounts_are_cut_where_credit_ends(options, discount, trace, small):
    config = small(ppo_discount=0.5, ppo_gae_lambda=0.5, **options)
    found = credit_discounts(config, _trials_of_two_episodes())
    np.testing.assert_allclose(found[0][0], discount)
    np.testing.assert_allclose(found[1][0], trace)


@pytest.mark.parametrize(("credit", "reaches"), [("trial", True), ("episode", False)])
def test_rewards_of_the_second_episode_reach_advantages_of_the_first_if_credit_crosses_borders(credit, reaches, small):
    chosen = benchmark(POINT)
    learner = RL2Learner(small(credit=credit), chosen)
    agent, _, visit = _play(learner, chosen, num_steps=40)
    trials = make_trials(visit, visit.trajectory.transition.reward)

    def advantage(bonus):
        """With a bonus at each step of the second episode, of which the memory is not told."""
        paid = trials._replace(training_reward=trials.training_reward.at[:, 20:].add(bonus))
        _, played = learner.reconstruct(agent.params, paid)
        played = jax.tree.map(jnp.transpose, played)
        return generalised_advantages(played.reward, played.value, played.next_value, played.discount, played.trace)

    difference = np.asarray(advantage(1.0) - advantage(0.0))
    assert (difference[20:] > 0.99).all()
    assert (difference[:20] > 0.1).all() if reaches else (difference[:20] == 0).all()


@pytest.mark.parametrize("credit", ["trial", "episode"])
def test_the_value_of_what_follows_is_that_of_the_next_step_where_nothing_is_cut(credit, small):
    chosen = benchmark(POINT)
    learner = RL2Learner(small(credit=credit), chosen)
    agent, _, visit = _play(learner, chosen, num_steps=40)
    _, played = learner.reconstruct(agent.params, make_trials(visit, visit.trajectory.transition.reward))
    same = np.isclose(played.next_value[:, :-1], played.value[:, 1:], rtol=1e-4, atol=1e-6).all(axis=0)
    assert same[np.arange(39) != 19].all()
    assert same[19] == (credit == "trial")


def test_log_probs_of_stored_trials_are_those_of_the_policy_that_played(small):
    chosen = benchmark(POINT)
    learner = RL2Learner(small(initial_std=0.3), chosen)
    agent, _, visit = _play(learner, chosen, num_steps=40)
    trials = make_trials(visit, visit.trajectory.transition.reward)
    inputs, played = learner.reconstruct(agent.params, trials)
    policy, _, _ = learner.network.apply(agent.params, inputs, method="scan")
    noise = (np.asarray(trials.action) - np.asarray(policy.mean)) / 0.3
    assert abs(noise.mean()) < 0.2
    assert noise.std() == pytest.approx(1, abs=0.15)
    expected = np.sum(-0.5 * noise**2 - np.log(0.3) - 0.5 * np.log(2 * np.pi), axis=-1)
    np.testing.assert_allclose(played.log_prob, expected, rtol=1e-3, atol=1e-3)


def test_the_newest_trials_take_the_place_of_the_oldest(small):
    chosen = benchmark(POINT)
    learner = RL2Learner(small(num_trials_per_task=2), chosen)
    _, data, first = _play(learner, chosen, num_steps=40, seed=1)
    _, _, second = _play(learner, chosen, num_steps=40, seed=2)
    _, _, third = _play(learner, chosen, num_steps=40, seed=3)
    for visit in (first, second, third):
        data = store(data, visit, visit.trajectory.transition.reward)
    assert data.reward.shape == (6, 40)
    np.testing.assert_array_equal(data.action[:3], jnp.swapaxes(second.trajectory.transition.action, 0, 1))
    np.testing.assert_array_equal(data.next_obs[3:], jnp.swapaxes(third.trajectory.transition.next_obs, 0, 1))
    np.testing.assert_array_equal(data.ended[3:], find_ends(third.trajectory).T)


@pytest.mark.parametrize(
    ("credit", "earned", "follows"),
    [
        # Rewards 1 to 6 at discount 1/2: of an episode 3, 2 + 3/2, 1 + 3.5/2, and likewise of the second one.
        ("episode", [2.75, 3.5, 3.0, 8.0, 8.0, 6.0], [1, 1, 0, 1, 1, 0]),
        ("trial", [3.75, 5.5, 7.0, 8.0, 8.0, 6.0], [1, 1, 1, 1, 1, 0]),
    ],
)
def test_the_linear_baseline_is_fitted_to_what_each_trial_earned_as_far_as_credit_reaches(
    credit, earned, follows, small
):
    """Features enough to fit six steps exactly: observations are 10 to 60, so 10 once clipped; three at random do."""
    trials = _trials_of_two_episodes()
    obs = jax.random.normal(jax.random.key(0), (1, 6, 3))
    both = jax.tree.map(lambda leaf: jnp.concatenate([leaf, leaf]), trials._replace(obs=obs, next_obs=obs))
    both = both._replace(training_reward=both.training_reward * jnp.asarray([[1.0], [2.0]]))
    config = small(credit=credit, baseline="linear", ppo_discount=0.5, ppo_value_coef=0.0, ppo_value_scale_rate=0.0)
    value, next_value = linear_values(config, both)
    np.testing.assert_allclose(value, [earned, 2 * np.asarray(earned)], rtol=0.02)
    np.testing.assert_allclose(next_value[0], np.asarray(follows) * np.roll(value[0], -1), rtol=1e-6)
