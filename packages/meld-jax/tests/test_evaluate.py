"""Scores of trials by hand, and what a belief is asked."""

import jax
import numpy as np
import pytest
from meld_builders import init_small, make_small_agent
from meld_jax import diagnose, get_outcome, outcome_metrics, repeat_tasks
from metarl_envs import PointTask
from rlcore.meta import Trials
from rlcore.rollout import Trajectory
from rlcore.types import Transition


def _trials(success, valid, shape=(8, 8, 3)):
    """`[K, T, N]` each; the reward is 1 a step."""
    success, valid = np.asarray(success), np.asarray(valid)
    image = np.zeros((*valid.shape, *shape), np.uint8)
    ones = np.ones(valid.shape, np.float32)
    action = np.zeros((*valid.shape, 2), np.float32)
    transition = Transition(image, action, ones, ones, image)
    return Trials(Trajectory(transition, np.zeros_like(valid), {"success": success}), valid)


def test_success_counts_at_the_last_step_of_an_episode_and_found_at_any():
    """One task, three episodes of three steps: solved and lost, solved at an early end, never."""
    success = np.array([[0, 1, 0], [0, 1, 1], [0, 0, 0]], bool)[..., None]
    valid = np.array([[1, 1, 1], [1, 1, 0], [1, 1, 1]], bool)[..., None]
    outcome = get_outcome(_trials(success, valid))
    np.testing.assert_array_equal(outcome.returns, [[3, 2, 3]])
    np.testing.assert_array_equal(outcome.success, [[False, True, False]])
    np.testing.assert_array_equal(outcome.found, [[True, True, False]])
    np.testing.assert_array_equal(outcome.steps, [[2, 2, np.nan]])
    metrics = outcome_metrics(outcome)
    assert metrics["test/success_1"] == 0
    assert metrics["test/found_1"] == 1
    assert metrics["test/return_2"] == 2
    assert metrics["test/return"] == 3
    assert metrics["test/success"] == 0


def test_success_behind_an_early_end_belongs_to_another_episode():
    outcome = get_outcome(_trials(np.array([[[False], [True]]]), np.array([[[True], [False]]])))
    assert not outcome.found.any()


def test_tasks_are_repeated_one_by_one():
    tasks = repeat_tasks(PointTask(np.arange(6.0).reshape(3, 2), np.ones(3)), 2, 3)
    np.testing.assert_array_equal(tasks.goal[:, 0], [0, 0, 0, 2, 2, 2])


@pytest.mark.wheel
def test_a_diagnosis_tells_what_samples_of_the_belief_expect():
    agent = make_small_agent("second_stage_reward=reward")
    params = init_small(agent).average
    trials = _trials(np.zeros((2, 3, 4), bool), np.ones((2, 3, 4), bool))
    found = diagnose(agent, params, trials, jax.random.key(0), num_samples=5)
    assert found.expected.shape == found.variance.shape == found.reward.shape == (4, 8)
    assert found.image.shape == (4, 8, 8, 8, 3)
    assert (found.variance > 0).all()
    np.testing.assert_array_equal(found.reward[0], [0, 1, 1, 1, 0, 1, 1, 1])
    # A decoder that ignores the belief leaves nothing open.
    reward = params.model["params"]["reward"]
    params.model["params"]["reward"] = jax.tree.map(np.zeros_like, reward)
    found = diagnose(agent, params, trials, jax.random.key(0))
    assert not found.variance.any()
