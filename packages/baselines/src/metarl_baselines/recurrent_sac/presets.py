"""Sets of options that belong together, by name, for a benchmark; traits of the benchmark decide, never its name.

`reference` has the options of the code of Ni et al. (twni2016/pomdp-baselines, half-cheetah-vel), as far as they fit:
memories of 128, three layers of 128, Adam at 3e-4, discount 0.99, a learned temperature, 32 trials of two episodes in a
gradient step, 200 steps after each 25 trials, five million environment steps at a horizon of 200. What differs: its
embeddings are of 32 and twice 16, and its replay is not divided between tasks.
"""

from metarl_envs import Benchmark
from rlcore.meta import Plan, Preset, make_plan
from rlcore.sac import SACConfig

from metarl_baselines.recurrent_sac.config import RecurrentSACConfig
from metarl_baselines.traits import Traits, read_traits

_NAVIGATION_ITERATIONS, _LOCOMOTION_ITERATIONS, _TINY_ITERATIONS = 100, 300, 8
_REFERENCE_ITERATIONS, _REFERENCE_TRIALS = 500, 2500


def tiny(traits: Traits) -> Plan:
    """A smoke test."""
    config = RecurrentSACConfig(
        sac=_make_sac(32, 2e-3, discount=0.9, tau=0.02),
        memory_size=32,
        embedding_size=16,
        training_reward=traits.training_reward,
        batch_size=8,
        replay_capacity=20,
        num_tasks_per_iteration=min(20, traits.num_tasks),
        num_updates=20,
    )
    return Plan(config, _TINY_ITERATIONS)


def cpu(traits: Traits) -> Plan:
    """Learns on two cores: navigation in minutes, locomotion in an hour or so."""
    sac = _make_sac(64, 2e-3, discount=0.9, tau=0.02) if traits.short else _make_sac(128, 1e-3, discount=0.99, tau=0.01)
    config = RecurrentSACConfig(
        sac=sac,
        memory_size=32,
        embedding_size=16,
        training_reward=traits.training_reward,
        batch_size=16 if traits.short else 8,
        num_tasks_per_iteration=min(20, traits.num_tasks),
        test_every=5,
    )
    return Plan(config, _NAVIGATION_ITERATIONS if traits.short else _LOCOMOTION_ITERATIONS)


def reference(traits: Traits) -> Plan:
    """What the code of Ni et al. does."""
    config = RecurrentSACConfig(
        sac=SACConfig(hidden_sizes=(128, 128, 128)),
        memory_size=128,
        embedding_size=32,
        training_reward=traits.training_reward,
        batch_size=32,
        replay_capacity=max(5, -(-_REFERENCE_TRIALS // traits.num_tasks)),
        num_initial_trials=5,
        num_tasks_per_iteration=min(25, traits.num_tasks),
        num_updates=200,
        test_every=10,
    )
    return Plan(config, _REFERENCE_ITERATIONS)


def _make_sac(width: int, learning_rate: float, *, discount: float, tau: float) -> SACConfig:
    return SACConfig(
        hidden_sizes=(width, width),
        discount=discount,
        tau=tau,
        actor_learning_rate=learning_rate,
        critic_learning_rate=learning_rate,
        temperature=0.01,
    )


PRESETS: dict[str, Preset] = {
    "tiny": Preset(tiny, "a smoke test"),
    "cpu": Preset(cpu, "two cores: navigation in minutes, locomotion in an hour or so"),
    "reference": Preset(reference, "the options of the public code that an algorithm follows: millions of steps"),
}


def preset(name: str, benchmark: Benchmark) -> Plan:
    """The options of that name for a benchmark, and the usual number of iterations.

    Args:
      name: one of `PRESETS`.
      benchmark: what to train on, registered or one's own.

    Raises:
      ValueError: there is no such preset, or the benchmark is not one.
    """
    return make_plan(PRESETS, name, benchmark, read_traits)
