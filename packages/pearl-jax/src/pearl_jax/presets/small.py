"""`tiny`, `cpu` and `explore`: for two CPU cores.

The papers' value network and their way to set the entropy's weight, through the reward scale, together scale Q to
hundreds before anything is learned. So these presets set the temperature instead, keep Q in units of reward, and
bootstrap from target critics.
"""

import dataclasses
from typing import Any

from rlcore.meta import Plan, ease
from rlcore.sac import SACConfig

from pearl_jax.config import PearlConfig
from pearl_jax.presets.traits import Traits, hold

_MAX_BYTES = 8e9
_MAX_PICTURE_BYTES = 5e9
"""Old pictures are worth less than the memory of a small machine."""
_TINY_ROWS, _TINY_ITERATIONS = 4000, 8
_TINY_PICTURE_ROWS, _TINY_PICTURE_ITERATIONS = 200, 2
_NAVIGATION_ITERATIONS, _LOCOMOTION_ITERATIONS, _FEW_TASKS_ITERATIONS, _PICTURE_ITERATIONS = 48, 200, 80, 200
_LONG_EPISODE = 100
"""Steps beyond which whole episodes of pictures are more than the encoder should see in every gradient step."""
_EXPLORE_ITERATIONS, _EXPLORE_UPDATES = 480, 120_000
_EXPLORE_VISITS = 10
_EXPLORE_TASKS = 200
_NUM_HYPOTHESES = 256


def tiny(traits: Traits) -> Plan:
    """A smoke test."""
    if traits.pictures:
        config = _make_tiny_pictures(_make_pictures(traits))
        return Plan(hold(config, traits, _TINY_PICTURE_ROWS, _MAX_PICTURE_BYTES), _TINY_PICTURE_ITERATIONS)
    return Plan(hold(_make_tiny(traits), traits, _TINY_ROWS, _MAX_BYTES), _TINY_ITERATIONS)


def cpu(traits: Traits) -> Plan:
    """Learns on two cores: from pictures by convolutions, else as in navigation or as in locomotion."""
    fewest_rows, max_bytes = 0, _MAX_BYTES
    if traits.pictures:
        config, num_iterations, max_bytes = _make_pictures(traits), _PICTURE_ITERATIONS, _MAX_PICTURE_BYTES
    elif traits.short:
        config, num_iterations = _make_navigation(traits), _NAVIGATION_ITERATIONS
        fewest_rows = _TINY_ROWS
    else:
        num_iterations = _FEW_TASKS_ITERATIONS if traits.few_tasks else _LOCOMOTION_ITERATIONS
        config = _make_locomotion(traits, num_iterations)
    num_rows = max(config.num_rows(traits.num_tasks, num_iterations, traits.horizon), fewest_rows)
    return Plan(hold(config, traits, num_rows, max_bytes), num_iterations)


def explore(traits: Traits) -> Plan:
    """For narrow goals, which nobody hits by luck until exploration is structured.

    Train goals start wide and narrow down while the policy learns to search; every iteration collects afresh in all
    tasks by Algorithm 2, and contexts are whole episodes, a random number of them, as they are at test time. The replay
    holds ten visits of a task.
    """
    config = PearlConfig(
        sac=_make_sac(
            64,
            1e-3,
            temperature=0.01,
            discount=0.9,
            tau=0.01,
            decay_from_update=_EXPLORE_UPDATES * 3 // 5,
            decay_until_update=_EXPLORE_UPDATES,
            final_learning_rate_share=0.05,
        ),
        latent_size=2,
        encoder_sizes=(64, 64),
        factor="precision",
        prior_factor=True,
        next_obs_in_context=not traits.registered,
        kl_coef=0.01,
        kl_reduction="mean",
        blank_kl_coef=0.1,
        num_hypotheses=_NUM_HYPOTHESES if traits.sparse else 0,
        meta_batch_size=16,
        batch_size=32,
        max_context_episodes=6,
        require_reward=True,
        training_reward=traits.training_reward,
        num_initial_episodes=1,
        num_tasks_per_iteration=0 if traits.num_tasks <= _EXPLORE_TASKS else _EXPLORE_TASKS,
        num_prior_episodes=5,
        num_posterior_episodes=20,
        num_extra_episodes=0,
        num_updates=_EXPLORE_UPDATES // _EXPLORE_ITERATIONS,
        averaging_rate=1e-3,
        num_test_episodes=21,
        test_every=20,
    )
    num_rows = _EXPLORE_VISITS * config.num_context_episodes * traits.horizon
    max_bytes = _MAX_PICTURE_BYTES if traits.pictures else _MAX_BYTES
    return ease(Plan(hold(config, traits, num_rows, max_bytes), _EXPLORE_ITERATIONS), _EXPLORE_ITERATIONS)


def _make_sac(width: int, learning_rate: float, **options: Any) -> SACConfig:
    return SACConfig(
        hidden_sizes=(width, width),
        actor_learning_rate=learning_rate,
        critic_learning_rate=learning_rate,
        **options,
    )


def _make_tiny(traits: Traits) -> PearlConfig:
    return PearlConfig(
        sac=_make_sac(64, 2e-3, temperature=0.01, discount=0.9, tau=0.02),
        encoder_sizes=(64, 64),
        prior_factor=True,
        next_obs_in_context=not traits.registered,
        kl_coef=1e-3,
        num_hypotheses=_NUM_HYPOTHESES if traits.sparse else 0,
        meta_batch_size=8,
        batch_size=64,
        context_size=64,
        training_reward=traits.training_reward,
        num_tasks_per_iteration=min(40, traits.num_tasks),
        num_prior_episodes=2,
        num_posterior_episodes=3,
        num_extra_episodes=0,
        num_updates=500,
        num_test_episodes=11 if traits.sparse else 3,
    )


def _make_navigation(traits: Traits) -> PearlConfig:
    """`tiny` for longer, with a steady end: step sizes fall, and an average of the parameters is tested."""
    config = _make_tiny(traits)
    num_updates = _NAVIGATION_ITERATIONS * config.num_updates
    sac = dataclasses.replace(
        config.sac,
        decay_from_update=num_updates // 2,
        decay_until_update=num_updates,
        final_learning_rate_share=0.05,
    )
    return dataclasses.replace(config, sac=sac, averaging_rate=1e-3, test_every=4)


def _make_locomotion(traits: Traits, num_iterations: int) -> PearlConfig:
    """PEARL with networks, batches and step sizes for two CPU cores, and target critics in place of a value network.

    The entropy's weight is the reference's, 1/5, set by the temperature. Two choices follow from what a test is like.
    Contexts hold episodes of the posterior too, as in the thesis's Algorithm 1 and from a test's third episode on. And
    the KL weighs less: the reference's 0.1, summed over 16 tasks at reward scale 5, would be 0.008 over 8 at reward
    scale 1, but what is left of the posterior's width is noise in every episode. With two tasks it weighs more, or the
    posterior tells dozens of nats where one bit is to be told, and is lost beside the contexts it has seen.

    With many tasks a running average of the parameters is tested: what one gradient step gains on some tasks it loses
    on others.
    """
    few_tasks, num_updates = traits.few_tasks, 1000
    return PearlConfig(
        sac=_make_sac(
            128,
            1e-3,
            temperature=0.2,
            decay_from_update=num_iterations * num_updates // 2,
            decay_until_update=num_iterations * num_updates,
            final_learning_rate_share=0.05,
            mean_coef=0.0 if traits.discrete else 2e-4,
            log_std_coef=0.0 if traits.discrete else 2e-4,
        ),
        encoder_sizes=(128, 128),
        kl_coef=5e-2 if few_tasks else 2e-3,
        next_obs_in_context=traits.own_dynamics,
        meta_batch_size=4 if few_tasks else 8,
        batch_size=256 if few_tasks else 128,
        training_reward=traits.training_reward,
        num_initial_episodes=10 if few_tasks else 2,
        num_tasks_per_iteration=min(10, traits.num_tasks),
        num_prior_episodes=5 if few_tasks else 2,
        num_posterior_episodes=5 if few_tasks else 1,
        num_extra_episodes=0,
        num_updates=num_updates,
        averaging_rate=1.0 if few_tasks else 1e-3,
        test_every=5,
    )


def _make_pictures(traits: Traits) -> PearlConfig:
    """As many environment steps and gradient steps in an iteration as MELD's preset `cpu`.

    The context is one or two whole episodes of the last visit, as in a test's second and third episode; of long
    episodes it is single transitions.
    """
    return PearlConfig(
        sac=_make_sac(128, 1e-3, temperature=0.05, discount=0.9 if traits.short else 0.99, tau=0.01),
        latent_size=3,
        encoder_sizes=(128, 128),
        factor="precision",
        prior_factor=True,
        next_obs_in_context=not traits.registered,
        kl_coef=0.01,
        kl_reduction="mean",
        meta_batch_size=8,
        batch_size=32,
        max_context_episodes=2 if traits.horizon <= _LONG_EPISODE else 0,
        training_reward=traits.training_reward,
        num_initial_episodes=4,
        num_tasks_per_iteration=min(10, traits.num_tasks),
        num_prior_episodes=1,
        num_posterior_episodes=1,
        num_extra_episodes=0,
        num_updates=100,
        averaging_rate=2e-3,
        num_test_episodes=3,
        test_every=5,
    )


def _make_tiny_pictures(config: PearlConfig) -> PearlConfig:
    return dataclasses.replace(
        config,
        sac=dataclasses.replace(config.sac, hidden_sizes=(16, 16)),
        encoder_sizes=(16,),
        meta_batch_size=2,
        batch_size=4,
        num_initial_episodes=1,
        num_tasks_per_iteration=min(2, config.num_tasks_per_iteration),
        num_updates=5,
        test_every=1,
    )
