"""Sets of options that belong together, by name and benchmark.

`thesis` and `reference` differ where the document and its released code (tonyzhaozh/meld) do, which is nearly
everywhere: sizes of networks and latents, the activation, how many tasks are visited between updates and how many
updates follow. Where the thesis names no number, `thesis` has the code's. One habit of the code is not copied: it pairs
each action with the reward earned before it.

`cpu` is for two cores: pictures are divided into patches, and one batch trains the model and, by its beliefs, actor and
critics.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

from rlcore.sac import SACConfig

from meld_jax.config import MeldConfig, ModelConfig

_PAPER_ITERATIONS = 500
_WITH_SPARSE_REWARD = ("point-image", "sawyer-button", "widowx-ethernet")


def _thesis(benchmark: str) -> MeldConfig:
    del benchmark
    return MeldConfig(replay_capacity=500)


_REFERENCE: dict[str, dict[str, Any]] = {
    "half-cheetah-vel": {
        "num_initial_trials": 20,
        "num_initial_updates": 6000,
        "num_model_updates": 40,
        "num_policy_updates": 40,
        "model_batch_size": 5,
        "policy_batch_size": 10,
        "num_transitions": 256,
    },
    "sawyer-reacher": {"num_initial_trials": 2, "num_initial_updates": 1440},
    "sawyer-peg": {
        "num_initial_trials": 5,
        "num_initial_updates": 1800,
        "num_model_updates": 12,
        "num_policy_updates": 12,
    },
    "sawyer-shelf": {
        "num_initial_trials": 20,
        "num_initial_updates": 9600,
        "num_model_updates": 12,
        "num_policy_updates": 12,
    },
    "sawyer-button": {"num_initial_trials": 5, "num_initial_updates": 900, "policy_batch_size": 15},
}
"""What the code's configuration of each family changes."""

_WIDE_LATENTS = ("sawyer-peg", "sawyer-shelf")
_WIDE_SAC = ("sawyer-peg", "sawyer-button")


def _reference(benchmark: str) -> MeldConfig:
    wide = benchmark.startswith(_WIDE_LATENTS)
    config = MeldConfig(
        model=ModelConfig(
            depth=64,
            hidden_sizes=(512, 512),
            activation="leaky_relu",
            z1_size=128 if wide else 64,
            z2_size=64 if wide else 32,
            mark_resets=False,
            reward_coef=16.0 if benchmark.startswith("half-cheetah-vel") else 10.0,
        ),
        sac=SACConfig(hidden_sizes=(512, 512) if benchmark.startswith(_WIDE_SAC) else (256, 256)),
        num_tasks_per_iteration=1,
        num_model_updates=32,
        num_policy_updates=20,
        replay_capacity=240,
    )
    for prefix, options in _REFERENCE.items():
        if benchmark.startswith(prefix):
            config = dataclasses.replace(config, **options)
    return config


def _small(depth: int, hidden: int, z1_size: int, z2_size: int) -> ModelConfig:
    return ModelConfig(
        image_network="patches",
        depth=depth,
        hidden_sizes=(hidden, hidden),
        z1_size=z1_size,
        z2_size=z2_size,
        memory="gated",
        min_std=0.02,
    )


def _cpu(benchmark: str) -> MeldConfig:
    config = MeldConfig(
        model=_small(8, 128, 32, 64),
        sac=SACConfig(
            hidden_sizes=(128, 128),
            discount=0.9,
            actor_learning_rate=1e-3,
            critic_learning_rate=1e-3,
            temperature_learning_rate=1e-3,
        ),
        replay_capacity=100,
        model_learning_rate=1e-3,
        max_model_grad_norm=100.0,
        model_batch_size=8,
        num_transitions=0,
        num_model_updates=0,
        num_policy_updates=0,
        num_joint_updates=100,
        num_initial_trials=4,
        num_initial_updates=2000,
        num_tasks_per_iteration=10,
        deterministic_test=True,
        num_test_trials=2,
        test_every=5,
    )
    if benchmark.startswith("point-image-dense"):
        return config
    config = dataclasses.replace(config, sac=dataclasses.replace(config.sac, discount=0.95))
    if benchmark.startswith("half-cheetah-vel"):
        return _cpu_cheetah(config)
    if not benchmark.startswith("point-image-sparse"):
        return config
    # A search of many steps takes more learning from the same trials, and swings from one iteration to the next.
    return dataclasses.replace(config, num_policy_updates=100, policy_batch_size=16, averaging_rate=0.0005)


def _cpu_cheetah(config: MeldConfig) -> MeldConfig:
    """A robot in front of a floor that moves, whose velocity no picture shows.

    Episodes cost little beside updates of the model, so all tasks are visited in every iteration. The entropy's weight
    is fixed: a learned one falls until the robot stands still.
    """
    return dataclasses.replace(
        config,
        model=dataclasses.replace(
            config.model, depth=16, standardise_images=True, reward_coef=100.0, previous_belief=True
        ),
        sac=dataclasses.replace(config.sac, hidden_sizes=(256, 256), temperature=0.1),
        num_decoded_frames=12,
        num_initial_updates=3000,
        num_tasks_per_iteration=0,
        num_joint_updates=60,
        num_policy_updates=500,
        policy_batch_size=32,
        policy_steps_per_batch=125,
        num_transitions=256,
        averaging_rate=0.0005,
    )


def _tiny(benchmark: str) -> MeldConfig:
    config = _cpu(benchmark)
    return dataclasses.replace(
        config,
        model=_small(4, 16, 4, 8),
        sac=dataclasses.replace(config.sac, hidden_sizes=(16, 16)),
        replay_capacity=10,
        model_batch_size=2,
        num_decoded_frames=0,
        num_policy_updates=0,
        policy_steps_per_batch=1,
        num_joint_updates=10,
        num_transitions=0,
        num_initial_trials=1,
        num_initial_updates=20,
        num_tasks_per_iteration=2,
        num_test_trials=1,
        test_every=1,
    )


def _cpu_iterations(benchmark: str) -> int:
    if benchmark.startswith("half-cheetah-vel"):
        return 600
    return 300 if "-sparse" in benchmark else 100


PRESETS: dict[str, tuple[Callable[[str], tuple[MeldConfig, int]], str]] = {
    "tiny": (lambda benchmark: (_tiny(benchmark), 2), "a smoke test of seconds"),
    "cpu": (lambda benchmark: (_cpu(benchmark), _cpu_iterations(benchmark)), "two cores"),
    "thesis": (lambda benchmark: (_thesis(benchmark), _PAPER_ITERATIONS), "the thesis's options, for a GPU"),
    "reference": (lambda benchmark: (_reference(benchmark), 20 * _PAPER_ITERATIONS), "its code's options, for a GPU"),
}
"""By name: what makes a config and a number of iterations for a benchmark, and what it is for."""


def preset(name: str, benchmark: str) -> tuple[MeldConfig, int]:
    """A config for a benchmark of that name, and how many iterations to train.

    Raises:
      ValueError: there is no such preset.
    """
    if name not in PRESETS:
        raise ValueError(f"preset must be one of {', '.join(PRESETS)}, got {name!r}")
    make, _ = PRESETS[name]
    config, num_iterations = make(benchmark)
    return _fit_rewards(config, benchmark), num_iterations


def _fit_rewards(config: MeldConfig, benchmark: str) -> MeldConfig:
    """Trials of two episodes, and both rewards, where there is a dense and a sparse one (thesis, appendix D.3)."""
    if not benchmark.startswith(_WITH_SPARSE_REWARD):
        return config
    if "-sparse" in benchmark:
        return dataclasses.replace(config, num_episodes=2, training_reward="dense_reward")
    return dataclasses.replace(config, num_episodes=2, second_stage_reward="sparse_reward")
