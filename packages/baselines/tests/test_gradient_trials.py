"""How learners that adapt by gradient steps act in a trial, and what of it is stored."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from baseline_cases import POINT, play, remember
from gradient_cases import PACKAGES, assert_same, draw_trials, make_learner
from metarl_baselines.gradient import AdaptationConfig, Episodes, advantages, cut_visit, reconstruct
from metarl_envs import benchmark
from rlcore.meta import Visit
from rlcore.rollout import Trajectory, number_episodes
from rlcore.types import Transition

IDS = np.asarray([0, 2, 3])


def _play(learner, chosen):
    """The agent, what acts, a trial in three train tasks, and the data that it leaves."""
    agent, data = learner.init(jax.random.key(0))
    collection = learner.collection
    params = learner.params(agent) if collection.choose is None else collection.choose(agent, IDS)
    visit = play(collection.policy, params, chosen, collection.num_steps, ids=IDS)
    return agent, params, visit, learner.store(data, IDS, visit, first=False)[0]


@pytest.mark.parametrize("kind", ["functional", "host"])
@pytest.mark.parametrize("name", ["maml-trpo", "maesn"])
def test_what_was_adapted_while_acting_is_what_the_stored_trial_gives(name, kind, make_lines):
    """Two inner steps; episodes of lines end early, at different steps in different tasks."""
    chosen = make_lines() if kind == "host" else benchmark(POINT)
    learner = make_learner(name, chosen, num_steps=2, training_reward="dense_reward" if kind != "host" else "halved")
    agent, params, visit, data = _play(learner, chosen)
    memories = remember(learner.collection.policy, params, visit)
    starts = memories[0].adapted
    if name == "maesn":
        assert_same(starts, learner.start(agent.params, agent.noise, jnp.asarray(IDS)))
        assert len(np.unique(starts.latent.mean)) == starts.latent.mean.size
    assert not np.allclose(*(jax.tree.leaves(memory.adapted)[-2] for memory in (memories[0], memories[-1])))

    def again(start, episodes):
        return reconstruct(learner.adaptation, learner.config.adaptation, params, start, episodes)

    played, adapted = jax.jit(jax.vmap(again))(starts, data.episodes)
    assert_same(adapted, memories[-1].adapted, rtol=2e-4, atol=2e-5)
    # The policy that is taken to have played draws noise of mean 0 and deviation 1.
    assert (np.asarray(data.episodes.valid).sum(axis=-1) > 0).all()
    noise = (data.episodes.action - played.policy.mean) / jnp.sqrt(played.policy.variance)
    noise = np.asarray(noise)[np.asarray(data.episodes.valid)]
    assert abs(noise.mean()) < 0.25
    assert noise.std() == pytest.approx(1, abs=0.2)


def _visit(ends, reward):
    """Steps `[S, 1]` of which some end an episode, the last of them by termination."""
    ends, reward = np.asarray(ends, bool)[:, None], np.asarray(reward, np.float32)[:, None]
    last = np.arange(len(ends))[:, None] == np.flatnonzero(ends).max()
    zero = np.zeros((*ends.shape, 1), np.float32)
    transition = Transition(zero, reward[..., None], reward, 1 - last.astype(np.float32), zero)
    trajectory = Trajectory(transition, ends & ~last, {})
    return Visit(trajectory, number_episodes(trajectory))


def test_a_visit_is_cut_before_inner_steps_and_whole_episodes_count():
    """Episodes of 2, 1, 2, 1 and 2 steps, and one that goes on; two before the inner step; batches of 4 rows."""
    visit = _visit([0, 1, 1, 0, 1, 1, 0, 1, 0], np.arange(1, 10))
    cut = cut_visit(visit, 10 * visit.trajectory.transition.reward, num_episodes=2, num_steps=1, capacity=4)
    np.testing.assert_array_equal(cut.action[0, :, :, 0], [[1, 2, 3, 0], [4, 5, 6, 7]])
    np.testing.assert_array_equal(cut.reward[0], [[1, 2, 3, 0], [40, 50, 60, 70]])
    np.testing.assert_array_equal(cut.step[0], [[0, 1, 0, 0], [0, 1, 0, 0]])
    np.testing.assert_array_equal(cut.episode[0], [[0, 0, 1, 0], [2, 2, 3, 4]])
    np.testing.assert_array_equal(cut.valid[0], [[True, True, True, False], [True, True, True, False]])


def test_advantages_are_returns_less_the_baseline_and_rows_that_do_not_count_change_nothing():
    """Observations 0, 1 and 0 tell the second step from the others, whose baseline is the mean of their returns."""
    config = AdaptationConfig(discount=0.5)
    reward, step = jnp.asarray([4.0, 2.0, 8.0, 0.0, 6.0]), jnp.asarray([0, 1, 0, 0, 1])
    zero = jnp.zeros(5)
    for garbage in (0.0, 50.0):
        rows = Episodes(
            jnp.asarray([0.0, 1.0, 0.0, garbage, garbage])[:, None],
            zero[:, None],
            reward.at[3:].add(garbage),
            step,
            0 * step,
            jnp.asarray([True, True, True, False, False]),
        )
        found = advantages(config, rows)
        # Returns 5, 2 and 8; of step 0 the baseline is 6.5, of step 1 it is 2: left are -1.5, 0 and 1.5.
        np.testing.assert_allclose(found, [-np.sqrt(1.5), 0, np.sqrt(1.5), 0, 0], atol=0.02)


@pytest.mark.parametrize("name", PACKAGES)
def test_tests_adapt_at_their_borders_alone_and_then_may_act_by_the_centre(name, make_lines):
    learner = make_learner(name, make_lines(), num_test_steps=2, deterministic_test=True)
    agent, _ = learner.init(jax.random.key(0))
    testing = learner.testing
    assert (testing.num_episodes, testing.adapts_after) == (5, (2, 4))
    assert [testing.num_adapted(number) for number in range(6)] == [0, 0, 2, 2, 4, 4]
    params = learner.test_params(agent)
    memory = testing.policy.begin_trial(params, jax.random.key(1), 2)
    if name == "maesn":
        assert not np.asarray(jax.tree.leaves(memory.adapted.latent)).any()
    trial = jax.tree.map(lambda leaf: leaf[:, 0], draw_trials(learner, 2, jax.random.key(2)))
    drawn, adapted = [], []
    for number in range(6):
        memory = testing.policy.begin_episode(params, memory, jax.random.key(0))
        adapted.append(np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(memory.adapted)]))
        actions = [testing.policy.act(params, memory, trial.obs[:, 0], jax.random.key(k))[0] for k in (3, 4)]
        drawn.append(not np.array_equal(*actions))
        for step in range(3):
            rows = jax.tree.map(lambda leaf, at=3 * number + step: leaf[:, at % 9], trial)
            transition = Transition(rows.obs, rows.action, rows.reward, jnp.ones(2), rows.obs)
            memory = testing.policy.observe(params, memory, transition)
    assert drawn == [True] * 4 + [False] * 2
    changed = [not np.array_equal(before, after) for before, after in itertools.pairwise(adapted)]
    assert changed == [False, True, False, True, False]


def test_without_inner_steps_nothing_is_remembered_and_nothing_adapts(make_lines):
    learner = make_learner("maml-trpo", make_lines(), num_steps=0, num_test_steps=0)
    agent, _, visit, data = _play(learner, make_lines())
    assert data.episodes.reward.shape == (3, 1, 12)
    memories = remember(learner.collection.policy, agent.params, visit)
    assert memories[0].episodes.reward.shape == (3, 0)
    assert_same(memories[0].adapted, memories[-1].adapted)
    _, metrics = learner.update(agent, data, jax.random.key(0))
    assert float(metrics["policy/improvement"]) > 0
    assert float(metrics["inner/change"]) == 0
