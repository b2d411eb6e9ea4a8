"""The spaces of a locomotion environment; known without MuJoCo."""

import numpy as np
from gymnasium.spaces import Box

from metarl_envs.locomotion.rules import Rules

OBS_RANGE = 1e6
"""Bound of the observation space, which gymnasium wants finite: nothing observed comes near it."""


def make_spaces(rules: Rules) -> tuple[Box, Box]:
    """Observation and action space of one environment; actions in [-1, 1] are the range of the actuators."""
    observation_space = Box(-OBS_RANGE, OBS_RANGE, (rules.obs_size,), np.float32)
    return observation_space, Box(-1.0, 1.0, (rules.robot.action_size,), np.float32)
