"""What presets look at: traits of a benchmark decide, never its name."""

import dataclasses
import math
from typing import Any, NamedTuple

from gymnasium import spaces
from metarl_envs import Benchmark, is_picture
from rlcore.meta import Plan

_SHORT_HORIZON = 50


class Traits(NamedTuple):
    """What presets look at.

    num_tasks: to train on.
    short: episodes of at most 50 steps, as in navigation; longer ones are taken for locomotion.
    pictures: whether observations are pictures; else vectors.
    training_reward: `dense_reward` where that is reported, at training time only (thesis, section 5.2.3).
    episode_bytes: that an episode of the longest kind takes in a replay.
    """

    num_tasks: int
    short: bool
    pictures: bool
    training_reward: str
    episode_bytes: int


def read_traits(benchmark: Benchmark) -> Traits:
    """The traits of a benchmark; asking for its signals may play a step."""
    family = benchmark.family
    return Traits(
        num_tasks=benchmark.num_train_tasks,
        short=family.horizon <= _SHORT_HORIZON,
        pictures=is_picture(family.observation_space),
        training_reward="dense_reward" if "dense_reward" in family.signals else "reward",
        episode_bytes=family.horizon * _row_bytes(family.observation_space, family.action_space),
    )


def ease(plan: Plan, num_iterations: int) -> Plan:
    """The plan with goals that are wide at first, and narrow down in the same share of a training as PEARL's `explore`.

    Args:
      plan: whose config has a curriculum, see `rlcore.meta.check_curriculum`.
      num_iterations: of the training.
    """
    first, last = num_iterations // 10, 55 * num_iterations // 100
    config = dataclasses.replace(plan.config, ease_from_iteration=first, ease_until_iteration=last)
    return Plan(config, num_iterations)


def _row_bytes(observation_space: spaces.Space[Any], action_space: spaces.Space[Any]) -> int:
    """Two observations, an action, two rewards, a discount and a flag."""
    obs_bytes = math.prod(observation_space.shape or ()) * (1 if is_picture(observation_space) else 4)
    return 2 * obs_bytes + 4 * (math.prod(action_space.shape or ()) + 3) + 1
