"""What a belief is asked."""

import jax
import numpy as np
import pytest
from meld_builders import init_small, make_small_agent
from meld_jax import diagnose
from rlcore.meta import Visit
from rlcore.rollout import Trajectory
from rlcore.types import Transition


@pytest.mark.wheel
def test_a_diagnosis_tells_what_samples_of_the_belief_expect():
    agent = make_small_agent("second_stage_reward=reward")
    params = init_small(agent).average
    image, ones = np.zeros((6, 4, 8, 8, 3), np.uint8), np.ones((6, 4), np.float32)
    transition = Transition(image, np.zeros((6, 4, 2), np.float32), ones, ones, image)
    episode = np.repeat(np.arange(2, dtype=np.int32), 3)[:, None].repeat(4, axis=1)
    visit = Visit(Trajectory(transition, np.zeros((6, 4), bool), {}), episode)
    found = diagnose(agent, params, visit, jax.random.key(0), num_samples=5)
    assert found.expected.shape == found.variance.shape == found.reward.shape == (4, 8)
    assert found.image.shape == (4, 8, 8, 8, 3)
    assert (found.variance > 0).all()
    np.testing.assert_array_equal(found.reward[0], [0, 1, 1, 1, 0, 1, 1, 1])
    # A decoder that ignores the belief leaves nothing open.
    reward = params.model["params"]["reward"]
    params.model["params"]["reward"] = jax.tree.map(np.zeros_like, reward)
    found = diagnose(agent, params, visit, jax.random.key(0))
    assert not found.variance.any()
