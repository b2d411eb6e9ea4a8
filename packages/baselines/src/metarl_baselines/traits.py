"""What presets look at: traits of a benchmark decide, never its name."""

from typing import NamedTuple

from metarl_envs import Benchmark, is_picture
from rlcore.replay import row_bytes

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
    # Beside a transition: two rewards, a discount, and whether an episode ended.
    step_bytes = row_bytes(family.observation_space, family.action_space, num_numbers=3, num_flags=1)
    return Traits(
        num_tasks=benchmark.num_train_tasks,
        short=family.horizon <= _SHORT_HORIZON,
        pictures=is_picture(family.observation_space),
        training_reward="dense_reward" if "dense_reward" in family.signals else "reward",
        episode_bytes=family.horizon * step_bytes,
    )
