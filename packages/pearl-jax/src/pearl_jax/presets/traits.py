"""What presets look at: traits of a benchmark, and for a few registered ones their exact names."""

import dataclasses
from typing import NamedTuple

from gymnasium import spaces
from metarl_envs import Benchmark, benchmark_names, is_picture
from rlcore.replay import row_bytes

from pearl_jax.config import PearlConfig

_FEW_TASKS = 4
_SHORT_HORIZON = 50
_DENSE = frozenset({"point-dense-v0"})
"""Registered benchmarks whose own reward is the dense one of the two that they report."""
_OWN_DYNAMICS = frozenset(
    {"hopper-params-v0", "hopper-params-reference-v0", "walker-params-v0", "walker-params-reference-v0"}
)
"""Registered benchmarks whose tasks differ in their dynamics."""


class Traits(NamedTuple):
    """What presets look at.

    name: for tables by exact name.
    num_tasks: to train on.
    horizon: steps of the longest episode.
    few_tasks: at most four.
    short: episodes of at most 50 steps, as in navigation; longer ones are taken for locomotion.
    pictures: whether observations are pictures; else vectors.
    discrete: whether actions are choices; else vectors.
    sparse: whether a `dense_reward` is reported beside the reward, which is then taken for the sparse one.
    registered: whether the name is a registered benchmark's.
    own_dynamics: whether tasks may differ in their dynamics, as they may wherever nobody says that they don't.
    row_bytes: of a transition in the replay.
    """

    name: str
    num_tasks: int
    horizon: int
    few_tasks: bool
    short: bool
    pictures: bool
    discrete: bool
    sparse: bool
    registered: bool
    own_dynamics: bool
    row_bytes: int

    @property
    def training_reward(self) -> str:
        """The dense reward where there is one, at training time only (thesis, section 5.2.3)."""
        return "dense_reward" if self.sparse else "reward"


def read_traits(benchmark: Benchmark) -> Traits:
    """The traits of a benchmark; asking for its signals may play a step."""
    family, name = benchmark.family, benchmark.name
    registered = name in benchmark_names()
    return Traits(
        name=name,
        num_tasks=benchmark.num_train_tasks,
        horizon=family.horizon,
        few_tasks=benchmark.num_train_tasks <= _FEW_TASKS,
        short=family.horizon <= _SHORT_HORIZON,
        pictures=is_picture(family.observation_space),
        discrete=isinstance(family.action_space, spaces.Discrete),
        sparse="dense_reward" in family.signals and name not in _DENSE,
        registered=registered,
        own_dynamics=name in _OWN_DYNAMICS or not registered,
        # Beside a transition: two rewards, a discount and the number of the step.
        row_bytes=row_bytes(family.observation_space, family.action_space, num_numbers=4),
    )


def hold(config: PearlConfig, traits: Traits, num_rows: int, max_bytes: float) -> PearlConfig:
    """The config with a replay of so many transitions of each task, in all at most so many bytes.

    It always has room for a visit and for what is collected first.
    """
    visit = config.num_context_episodes + config.num_extra_episodes
    least = max(config.num_initial_episodes, visit) * traits.horizon
    room = int(max_bytes // (traits.row_bytes * traits.num_tasks))
    return dataclasses.replace(config, replay_capacity=max(min(num_rows, room), least))
