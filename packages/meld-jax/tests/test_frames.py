"""From what was played to the trials that are stored, by hand."""

import jax
import numpy as np
import pytest
from meld_builders import SMALL
from meld_jax.frames import count_frames, make_trials
from rlcore.experiment import override
from rlcore.meta import Visit
from rlcore.rollout import Trajectory
from rlcore.types import Transition


def _played():
    """Five steps in one task: episodes of two steps, of one and of two. Pictures say when they were taken."""
    obs = np.array([10, 11, 20, 30, 31], np.uint8).reshape(5, 1, 1, 1, 1)
    next_obs = np.array([11, 12, 21, 31, 32], np.uint8).reshape(5, 1, 1, 1, 1)
    reward = np.array([1, 2, 3, 4, 5], np.float32)[:, None]
    discount = np.array([1, 1, 0, 1, 1], np.float32)[:, None]
    transition = Transition(obs, 0.1 * reward[..., None], reward, discount, next_obs)
    info = {"dense_reward": 10 * reward, "sparse_reward": 100 * reward}
    episode = np.array([0, 0, 1, 2, 2], np.int32)[:, None]
    return Visit(Trajectory(transition, np.zeros((5, 1), bool), info), episode)


def test_frames_carry_what_led_to_them_and_episodes_lie_one_behind_the_other():
    config = override(SMALL, ["training_reward=dense_reward", "second_stage_reward=sparse_reward"])
    trial = make_trials(config, _played(), 9)
    np.testing.assert_array_equal(trial.valid[0], [True] * 8 + [False])
    np.testing.assert_array_equal(trial.image.ravel()[:8], [10, 11, 12, 20, 21, 30, 31, 32])
    np.testing.assert_array_equal(np.flatnonzero(trial.first[0]), [0, 3, 5])
    np.testing.assert_allclose(trial.action[0, :, 0], [0, 0.1, 0.2, 0, 0.3, 0, 0.4, 0.5, 0], atol=1e-6)
    np.testing.assert_array_equal(trial.reward[0], [0, 1, 2, 0, 3, 0, 4, 5, 0])
    np.testing.assert_array_equal(trial.training_reward[0], [0, 10, 20, 0, 30, 0, 40, 50, 0])
    np.testing.assert_array_equal(trial.second_reward[0], [0, 100, 200, 0, 300, 0, 400, 500, 0])
    np.testing.assert_array_equal(trial.discount[0, [1, 2, 4, 6]], [1, 1, 0, 1])


def test_what_does_not_fit_into_a_trial_is_left_out_at_its_end():
    short, whole = (make_trials(SMALL, _played(), num_frames) for num_frames in (6, 9))
    jax.tree.map(lambda a, b: np.testing.assert_array_equal(a, b[:, :6]), short, whole)


@pytest.mark.parametrize(
    ("num_episodes", "horizon", "terminates", "expected"),
    [(2, 20, False, 42), (1, 50, False, 51), (2, 20, True, 50), (1, 3, True, 4), (3, 1, True, 6), (1, 10, True, 13)],
)
def test_frames_of_a_trial(num_episodes, horizon, terminates, expected):
    assert count_frames(num_episodes, horizon, terminates=terminates) == expected


@pytest.mark.parametrize("option", ["training_reward", "second_stage_reward"])
def test_a_signal_that_is_not_there_is_named_with_its_option(option):
    config = override(SMALL, ["second_stage_reward=reward", f"{option}=denser"])
    with pytest.raises(ValueError, match=f"{option} must be one of reward, dense_reward, sparse_reward, got denser"):
        make_trials(config, _played(), 9)
