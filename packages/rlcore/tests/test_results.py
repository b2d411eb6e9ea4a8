"""Scores of trials, by hand."""

import numpy as np
from rlcore.meta import Trials, get_outcome, outcome_metrics
from rlcore.rollout import Trajectory
from rlcore.types import Transition


def _trials(success, valid):
    """`[K, T, N]` each; the reward is 1 a step."""
    success, valid = np.asarray(success), np.asarray(valid)
    ones = np.ones(valid.shape, np.float32)
    transition = Transition(None, None, ones, ones, None)
    return Trials(Trajectory(transition, np.zeros_like(valid), {"success": success}), valid)


def test_success_counts_at_the_last_step_of_an_episode_and_found_at_any():
    """One task, three episodes of three steps: solved and lost, solved at an early end, never."""
    success = np.array([[0, 1, 0], [0, 1, 1], [0, 0, 0]], bool)[..., None]
    valid = np.array([[1, 1, 1], [1, 1, 0], [1, 1, 1]], bool)[..., None]
    trials = _trials(success, valid)
    outcome = get_outcome(trials)
    np.testing.assert_array_equal(outcome.returns, [[3, 2, 3]])
    np.testing.assert_array_equal(outcome.success, [[False, True, False]])
    np.testing.assert_array_equal(outcome.found, [[True, True, False]])
    np.testing.assert_array_equal(outcome.steps, [[2, 2, np.nan]])
    metrics = outcome_metrics(trials)
    assert metrics["test/success_1"] == 0
    assert metrics["test/found_1"] == 1
    assert metrics["test/return_2"] == 2
    assert metrics["test/return"] == 3
    assert metrics["test/success"] == 0


def test_success_behind_an_early_end_belongs_to_another_episode():
    outcome = get_outcome(_trials(np.array([[[False], [True]]]), np.array([[[True], [False]]])))
    assert not outcome.found.any()
