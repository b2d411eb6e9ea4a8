"""What presets look at: traits of a benchmark, and for some registered ones their exact names."""

import dataclasses
import math
from typing import NamedTuple

from metarl_envs import Benchmark

from meld_jax.config import MeldConfig, ModelConfig
from meld_jax.frames import count_frames
from meld_jax.images import check_picture

_ONE_EPISODE = frozenset(
    {
        "sawyer-reacher-v0",
        "sawyer-reacher-reference-v0",
        "sawyer-peg-v0",
        "sawyer-peg-reference-v0",
        "sawyer-multi-peg-v0",
        "sawyer-shelf-v0",
        "sawyer-shelf-reference-v0",
    }
)
"""Registered benchmarks that report two rewards, but are played with the dense one in trials of one episode."""
_DENSE = frozenset(
    {
        "point-image-dense-v0",
        "point-image-dense-v1",
        "point-image-dense-32-v0",
        "point-image-dense-32-v1",
        "sawyer-button-dense-v0",
        "sawyer-button-dense-reference-v0",
        "widowx-ethernet-dense-v0",
    }
)
"""Registered benchmarks with two rewards, of which the dense one is their own."""
_SPARSE = frozenset(
    {
        "point-image-sparse-v0",
        "point-image-sparse-v1",
        "point-image-sparse-32-v0",
        "point-image-sparse-32-v1",
        "sawyer-button-sparse-v0",
        "sawyer-button-sparse-reference-v0",
        "widowx-ethernet-sparse-v0",
    }
)
"""Registered benchmarks with two rewards, of which the sparse one is their own."""


class Traits(NamedTuple):
    """What presets look at.

    name: for tables by exact name.
    num_tasks: to train on.
    horizon: steps of the longest episode.
    num_episodes: of a trial: two where there is a dense and a sparse reward, so that a search pays in the second.
    num_frames: of a trial.
    search: whether the agent may have to search with a sparse reward; it may where nobody says that it doesn't.
    training_reward, second_stage_reward: see `MeldConfig`; a signal that is the reward itself is named `reward` if that
      is known.
    picture: the shape of an observation.
    frame_bytes: of a frame in the replay.
    """

    name: str
    num_tasks: int
    horizon: int
    num_episodes: int
    num_frames: int
    search: bool
    training_reward: str
    second_stage_reward: str
    picture: tuple[int, ...]
    frame_bytes: int


def read_traits(benchmark: Benchmark) -> Traits:
    """The traits of a benchmark; asking for its signals may play a step."""
    family, name = benchmark.family, benchmark.name
    dense, sparse = (
        signal in family.signals and name not in _ONE_EPISODE for signal in ("dense_reward", "sparse_reward")
    )
    num_episodes = 2 if dense and sparse else 1
    num_pixels, action_size = (
        math.prod(space.shape or ()) for space in (family.observation_space, family.action_space)
    )
    return Traits(
        name=name,
        num_tasks=benchmark.num_train_tasks,
        horizon=family.horizon,
        num_episodes=num_episodes,
        num_frames=count_frames(num_episodes, family.horizon, terminates=family.terminates),
        search=dense and name not in _DENSE,
        training_reward="dense_reward" if dense and name not in _DENSE else "reward",
        second_stage_reward="sparse_reward" if dense and sparse and name not in _SPARSE else "reward",
        picture=family.observation_space.shape or (),
        frame_bytes=num_pixels + 4 * (action_size + 4) + 2,  # four rewards and discounts, two flags
    )


def fit(config: MeldConfig, traits: Traits, max_bytes: float) -> MeldConfig:
    """The config with what the traits leave no choice about, and a replay of at most so many bytes.

    The replay always has room for the first trials. Both rewards are used where there is a dense and a sparse one
    (thesis, appendix D.3).
    """
    room = int(max_bytes // (traits.frame_bytes * traits.num_frames * traits.num_tasks))
    return dataclasses.replace(
        config,
        model=_fit_network(config.model, traits.picture),
        num_episodes=traits.num_episodes,
        training_reward=traits.training_reward,
        second_stage_reward=traits.second_stage_reward,
        replay_capacity=max(min(config.replay_capacity, room), config.num_initial_trials),
        num_tasks_per_iteration=min(config.num_tasks_per_iteration, traits.num_tasks),
    )


def _fit_network(model: ModelConfig, picture: tuple[int, ...]) -> ModelConfig:
    """Patches where the sides of a picture are no multiples of what convolutions need."""
    patches = dataclasses.replace(model, image_network="patches")
    return model if _is_fit(model, picture) or not _is_fit(patches, picture) else patches


def _is_fit(model: ModelConfig, picture: tuple[int, ...]) -> bool:
    try:
        check_picture(model, "", picture)
    except ValueError:
        return False
    return True
