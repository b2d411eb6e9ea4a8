"""Sets of options that belong together, by name and benchmark.

`thesis` and `reference` differ where the document and its released code (katerakelly/oyster) do:

- KL weight. Algorithm 1 adds each task's KL to that task's critic loss. The code sums the KL over the tasks of a batch
  and averages the critic loss, which makes the same coefficient `meta_batch_size` times stronger.
- Context. The thesis's transitions are (s, a, s', r); the code leaves s' out unless dynamics differ between tasks.
- Collection. Algorithm 1 visits every task, and draws z from the posterior from the second episode on; the code visits
  some tasks, and draws z from the prior for several episodes.
- Meta-testing. Algorithm 2 draws z from the posterior from the second episode on; the code draws the first 5 from the
  prior in sparse navigation.
- Tasks. The benchmarks' names say which task set is whose.

On locomotion both have the code's options for each family, with a replay for what a run collects, up to 16 GB, where
the code has room for a million transitions of each task. In the two-task families the code visits 5 tasks an iteration,
the same ones again and again; here each is visited once, so 2/5 of its steps are collected for the same updates.

Where the thesis names no number, `thesis` has the code's. Two habits of the code are not copied: tasks visited in an
iteration are all different here, and extra episodes go on from the whole trial's context.

Neither counts the prior among the factors of the posterior (`prior_factor`), both learn with a state-value network, and
both set the entropy's weight through the reward scale. Those two together scale Q to hundreds before anything is
learned, so `tiny`, `cpu` and `explore` set the temperature instead, keep Q in units of reward, and bootstrap from
target critics.
"""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import metarl_envs
from metarl_envs import benchmark_names
from rlcore.sac import SACConfig

from pearl_jax.config import PearlConfig

_SPARSE_POINT = "point-sparse"
_TWO_TASKS = ("half-cheetah-dir", "ant-fwd-back")
_EXPLORE_ITERATIONS = 480
_CPU_ITERATIONS, _CPU_ITERATIONS_TWO_TASKS = 200, 80
_PAPER_ITERATIONS = 500
_MAX_REPLAY_BYTES = 16_000_000_000
_EXPLORE_UPDATES = 250 * _EXPLORE_ITERATIONS


def _reference(benchmark: str) -> PearlConfig:
    config = PearlConfig(
        sac=SACConfig(
            hidden_sizes=(300, 300, 300),
            value_network=True,
            temperature=1.0,
            reward_scale=5.0,
            mean_coef=1e-3,
            log_std_coef=1e-3,
        ),
        context_size=64,
        replay_capacity=50_000,
    )
    if benchmark.startswith("point-"):
        return _reference_navigation(config, benchmark)
    config = dataclasses.replace(config, num_test_prior_episodes=2)
    for prefix, options in _REFERENCE_LOCOMOTION.items():
        if benchmark.startswith(prefix):
            config = dataclasses.replace(config, **options)
    return _hold_everything(config, benchmark, _PAPER_ITERATIONS)


_REFERENCE_LOCOMOTION: dict[str, dict[str, Any]] = {
    "half-cheetah-vel": {"context_size": 100},
    "half-cheetah-dir": {
        "meta_batch_size": 4,
        "context_size": 256,
        "num_tasks_per_iteration": 2,
        "num_prior_episodes": 5,
        "num_extra_episodes": 5,
    },
    "ant-fwd-back": {
        "meta_batch_size": 4,
        "context_size": 256,
        "num_tasks_per_iteration": 2,
        "num_updates": 4000,
    },
    "ant-goal": {"meta_batch_size": 10, "context_size": 256, "kl_coef": 1.0, "num_updates": 4000},
    "humanoid-dir": {"context_size": 256, "num_updates": 4000},
    "walker-params": {"meta_batch_size": 10, "context_size": 100, "next_obs_in_context": True, "num_updates": 4000},
    "hopper-params": {"meta_batch_size": 10, "context_size": 100, "next_obs_in_context": True, "num_updates": 4000},
}
"""What the code's configuration of each family changes."""


def _hold_everything(config: PearlConfig, benchmark: str, num_iterations: int) -> PearlConfig:
    """The config with a replay for what a run of so many iterations collects, at most 16 GB."""
    if benchmark not in benchmark_names():
        return config
    chosen = metarl_envs.benchmark(benchmark)
    family, num_tasks = chosen.family, chosen.num_train_tasks
    num_rows = config.num_rows(num_tasks, num_iterations, family.horizon)
    obs_size, action_size = (math.prod(space.shape or ()) for space in (family.observation_space, family.action_space))
    row_bytes = 4 * (2 * obs_size + action_size + 3)
    return dataclasses.replace(config, replay_capacity=min(num_rows, _MAX_REPLAY_BYTES // (row_bytes * num_tasks)))


def _reference_navigation(config: PearlConfig, benchmark: str) -> PearlConfig:
    navigation = dataclasses.replace(
        config,
        sac=dataclasses.replace(config.sac, reward_scale=100.0),
        num_updates=1000,
        num_prior_episodes=10,
        num_extra_episodes=10,
        replay_capacity=20_000,
    )
    if not benchmark.startswith(_SPARSE_POINT):
        return navigation
    return dataclasses.replace(
        navigation,
        sac=dataclasses.replace(navigation.sac, discount=0.9),
        training_reward="dense_reward",
        kl_coef=1.0,
        context_size=1024,
        num_tasks_per_iteration=10,
        num_prior_episodes=5,
        num_posterior_episodes=45,
        num_extra_episodes=0,
        replay_capacity=65_000,  # all that a task sees in 500 iterations
        num_test_episodes=21,
        num_test_prior_episodes=5,
        test_every=10,
    )


def _thesis(benchmark: str) -> PearlConfig:
    reference = _reference(benchmark)
    thesis = dataclasses.replace(
        reference,
        kl_reduction="mean",
        next_obs_in_context=True,
        num_tasks_per_iteration=0,
        num_prior_episodes=1,
        num_posterior_episodes=reference.num_context_episodes - 1,
        num_test_prior_episodes=1,
    )
    return thesis if benchmark.startswith("point-") else _hold_everything(thesis, benchmark, _PAPER_ITERATIONS)


def _tiny(benchmark: str) -> PearlConfig:
    sparse = benchmark.startswith(_SPARSE_POINT)
    return PearlConfig(
        sac=SACConfig(
            hidden_sizes=(64, 64),
            temperature=0.01,
            discount=0.9,
            tau=0.02,
            actor_learning_rate=2e-3,
            critic_learning_rate=2e-3,
        ),
        encoder_sizes=(64, 64),
        prior_factor=True,
        kl_coef=1e-3,
        meta_batch_size=8,
        batch_size=64,
        context_size=64,
        training_reward="dense_reward" if sparse else "reward",
        replay_capacity=4000,
        num_tasks_per_iteration=0 if benchmark.startswith(_TWO_TASKS) else 40,
        num_prior_episodes=2,
        num_posterior_episodes=3,
        num_extra_episodes=0,
        num_updates=500,
        num_test_episodes=11 if sparse else 3,
    )


def _cpu(benchmark: str) -> PearlConfig:
    if benchmark.startswith("point-"):
        return dataclasses.replace(_tiny(benchmark), test_every=4)
    return _cpu_locomotion(benchmark)


def _cpu_iterations(benchmark: str) -> int:
    if benchmark.startswith("point-"):
        return 24
    return _CPU_ITERATIONS_TWO_TASKS if benchmark.startswith(_TWO_TASKS) else _CPU_ITERATIONS


def _cpu_locomotion(benchmark: str) -> PearlConfig:
    """PEARL with networks, batches and step sizes for two CPU cores, and target critics in place of a value network.

    The entropy's weight is the reference's, 1/5, set by the temperature. Two choices follow from what a test is like.
    Contexts hold episodes of the posterior too, as in the thesis's Algorithm 1 and from a test's third episode on. And
    the KL weighs less: the reference's 0.1, summed over 16 tasks at reward scale 5, would be 0.008 over 8 at reward
    scale 1, but what is left of the posterior's width is noise in every episode. With two tasks it weighs more, or the
    posterior tells dozens of nats where one bit is to be told, and is lost beside the contexts it has seen.

    With many tasks a running average of the parameters is tested: what one gradient step gains on some tasks it loses
    on others.
    """
    two_tasks = benchmark.startswith(_TWO_TASKS)
    num_iterations, num_updates = _cpu_iterations(benchmark), 1000
    config = PearlConfig(
        sac=SACConfig(
            hidden_sizes=(128, 128),
            temperature=0.2,
            actor_learning_rate=1e-3,
            critic_learning_rate=1e-3,
            decay_from_update=num_iterations * num_updates // 2,
            decay_until_update=num_iterations * num_updates,
            final_learning_rate_share=0.05,
            mean_coef=2e-4,
            log_std_coef=2e-4,
        ),
        encoder_sizes=(128, 128),
        kl_coef=5e-2 if two_tasks else 2e-3,
        next_obs_in_context="-params" in benchmark,
        meta_batch_size=4 if two_tasks else 8,
        batch_size=256 if two_tasks else 128,
        num_initial_episodes=10 if two_tasks else 2,
        num_tasks_per_iteration=2 if two_tasks else 10,
        num_prior_episodes=5 if two_tasks else 2,
        num_posterior_episodes=5 if two_tasks else 1,
        num_extra_episodes=0,
        num_updates=num_updates,
        averaging_rate=1.0 if two_tasks else 1e-3,
        test_every=5,
    )
    return _hold_everything(config, benchmark, num_iterations)


def _explore(benchmark: str) -> PearlConfig:
    """For narrow goals, which nobody hits by luck until exploration is structured.

    Train goals start wide and narrow down while the policy learns to search; every iteration collects afresh in all
    tasks by Algorithm 2, and contexts are whole episodes, a random number of them, as they are at test time.
    """
    return PearlConfig(
        sac=SACConfig(
            hidden_sizes=(64, 64),
            temperature=0.01,
            discount=0.9,
            tau=0.01,
            actor_learning_rate=1e-3,
            critic_learning_rate=1e-3,
            decay_from_update=_EXPLORE_UPDATES * 3 // 5,
            decay_until_update=_EXPLORE_UPDATES,
            final_learning_rate_share=0.05,
        ),
        latent_size=2,
        encoder_sizes=(64, 64),
        factor="precision",
        prior_factor=True,
        kl_coef=0.01,
        kl_reduction="mean",
        blank_kl_coef=0.1,
        meta_batch_size=16,
        batch_size=32,
        max_context_episodes=6,
        require_reward=True,
        training_reward="dense_reward" if benchmark.startswith(_SPARSE_POINT) else "reward",
        replay_capacity=5000,
        num_initial_episodes=1,
        num_tasks_per_iteration=0,
        num_prior_episodes=5,
        num_posterior_episodes=20,
        num_extra_episodes=0,
        num_updates=_EXPLORE_UPDATES // _EXPLORE_ITERATIONS,
        ease_from_iteration=48,
        ease_until_iteration=264,
        averaging_rate=1e-3,
        num_test_episodes=21,
        test_every=20,
    )


PRESETS: dict[str, tuple[Callable[[str], PearlConfig], str]] = {
    "tiny": (_tiny, "a smoke test that learns a little"),
    "cpu": (_cpu, "wide goals in a minute or two, locomotion in half an hour or so, on two CPU cores"),
    "explore": (_explore, "narrow goals in minutes on two CPU cores"),
    "thesis": (_thesis, "what the thesis's text says"),
    "reference": (_reference, "what the thesis's released code does"),
}
"""By name: the config for a benchmark, and what it is for."""


def preset(name: str, benchmark: str) -> tuple[PearlConfig, int]:
    """The options of that name for a benchmark, and the usual number of iterations.

    Raises:
      ValueError: there is no such preset.
    """
    if name not in PRESETS:
        raise ValueError(f"preset must be one of {', '.join(PRESETS)}, got {name}")
    make, _ = PRESETS[name]
    usual = {"tiny": 8, "cpu": _cpu_iterations(benchmark), "explore": _EXPLORE_ITERATIONS}
    return make(benchmark), usual.get(name, _PAPER_ITERATIONS)
