"""`tiny` and `cpu`: for two cores.

Pictures are divided into patches, and one batch trains the model and, by its beliefs, actor and critics.
"""

import dataclasses

from rlcore.meta import Plan
from rlcore.sac import SACConfig

from meld_jax.config import MeldConfig, ModelConfig
from meld_jax.presets.traits import Traits, fit

_MAX_BYTES = 5e9
_TINY_ITERATIONS, _ITERATIONS, _SEARCH_ITERATIONS, _CHEETAH_ITERATIONS = 2, 100, 300, 600
_LONG_TRIAL, _NUM_DECODED = 100, 24
"""Frames beyond which not every picture of a trial is explained in every gradient step, but so many of them."""
_CHEETAH = frozenset({"half-cheetah-vel-image-v0", "half-cheetah-vel-image-reference-v0"})
_SPARSE_NAVIGATION = frozenset(
    {"point-image-sparse-v0", "point-image-sparse-v1", "point-image-sparse-32-v0", "point-image-sparse-32-v1"}
)


def cpu(traits: Traits) -> Plan:
    """Learns on two cores."""
    config = _small(traits)
    if traits.name in _CHEETAH:
        config = _watch_cheetah(config)
    if traits.name in _SPARSE_NAVIGATION:
        # A search of many steps takes more learning from the same trials, and swings from one iteration to the next.
        config = dataclasses.replace(config, num_policy_updates=100, policy_batch_size=16, averaging_rate=0.0005)
    return Plan(fit(config, traits, _MAX_BYTES), _count_iterations(traits))


def _count_iterations(traits: Traits) -> int:
    if traits.name in _CHEETAH:
        return _CHEETAH_ITERATIONS
    return _SEARCH_ITERATIONS if traits.search else _ITERATIONS


def _small(traits: Traits) -> MeldConfig:
    return MeldConfig(
        model=_small_model(8, 128, 32, 64),
        sac=SACConfig(
            hidden_sizes=(128, 128),
            discount=_choose_discount(traits),
            actor_learning_rate=1e-3,
            critic_learning_rate=1e-3,
            temperature_learning_rate=1e-3,
        ),
        replay_capacity=100,
        model_learning_rate=1e-3,
        max_model_grad_norm=100.0,
        model_batch_size=8,
        num_decoded_frames=_NUM_DECODED if traits.num_frames > _LONG_TRIAL else 0,
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


def _small_model(depth: int, hidden: int, z1_size: int, z2_size: int) -> ModelConfig:
    return ModelConfig(
        image_network="patches",
        depth=depth,
        hidden_sizes=(hidden, hidden),
        z1_size=z1_size,
        z2_size=z2_size,
        memory="gated",
        min_std=0.02,
    )


def _choose_discount(traits: Traits) -> float:
    if traits.horizon > 50:
        return 0.99
    return 0.95 if traits.search or traits.horizon > 25 else 0.9


def _watch_cheetah(config: MeldConfig) -> MeldConfig:
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


def tiny(traits: Traits) -> Plan:
    """A smoke test."""
    config = dataclasses.replace(
        cpu(traits).config,
        model=_small_model(4, 16, 4, 8),
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
    config = dataclasses.replace(config, sac=dataclasses.replace(config.sac, hidden_sizes=(16, 16)))
    return Plan(fit(config, traits, _MAX_BYTES), _TINY_ITERATIONS)
