"""From what was played to the trials that are stored, by hand."""

import numpy as np
import pytest
from meld_builders import SMALL
from meld_jax.collect import make_trials
from rlcore.experiment import override
from rlcore.meta import Trials
from rlcore.rollout import Trajectory
from rlcore.types import Transition


def _played():
    """Two episodes of two steps in one task; the second one ends after a step. Pictures say when they were taken."""
    obs = np.array([[10, 11], [20, 99]], np.uint8).reshape(2, 2, 1, 1, 1, 1)
    next_obs = np.array([[11, 12], [21, 98]], np.uint8).reshape(2, 2, 1, 1, 1, 1)
    reward = np.array([[1, 2], [3, 9]], np.float32)[..., None]
    discount = np.array([[1, 1], [0, 1]], np.float32)[..., None]
    transition = Transition(obs, 0.1 * reward[..., None], reward, discount, next_obs)
    valid = np.array([[True, True], [True, False]])[..., None]
    info = {"dense_reward": 10 * reward, "sparse_reward": 100 * reward}
    return Trials(Trajectory(transition, np.zeros_like(valid), info), valid)


def test_frames_carry_what_led_to_them():
    config = override(SMALL, ["training_reward=dense_reward", "second_stage_reward=sparse_reward"])
    trial = make_trials(config, _played())
    np.testing.assert_array_equal(trial.image.ravel(), [10, 11, 12, 20, 21, 98])
    np.testing.assert_array_equal(trial.first[0], [True, False, False, True, False, False])
    np.testing.assert_array_equal(trial.valid[0], [True, True, True, True, True, False])
    np.testing.assert_allclose(trial.action[0, :, 0], [0, 0.1, 0.2, 0, 0.3, 0.9], atol=1e-6)
    np.testing.assert_array_equal(trial.reward[0], [0, 1, 2, 0, 3, 9])
    np.testing.assert_array_equal(trial.training_reward[0], [0, 10, 20, 0, 30, 90])
    np.testing.assert_array_equal(trial.second_reward[0], [0, 100, 200, 0, 300, 900])
    np.testing.assert_array_equal(trial.discount[0, [1, 2, 4]], [1, 1, 0])


@pytest.mark.parametrize("option", ["training_reward", "second_stage_reward"])
def test_a_signal_that_is_not_there_is_named_with_its_option(option):
    config = override(SMALL, [f"{option}=denser"])
    with pytest.raises(ValueError, match=f"{option} must be one of reward, dense_reward, sparse_reward, got denser"):
        make_trials(config, _played())
