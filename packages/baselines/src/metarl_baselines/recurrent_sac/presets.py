"""Sets of options that belong together, by name, for a benchmark; traits of the benchmark decide, never its name.

`reference` has the options of the code of Ni et al. (twni2016/pomdp-baselines, half-cheetah-vel), as far as they fit:
memories of 128, three layers of 128, Adam at 3e-4, discount 0.99, a learned temperature, 32 trials of two episodes in a
gradient step, 200 steps after each 25 trials, five million environment steps at a horizon of 200. What differs: its
embeddings are of 32 and twice 16, its replay is not divided between tasks, and its first 500 trials are random.
"""

from rlcore.meta import Plan, Preset, Presets, ease
from rlcore.sac import SACConfig

from metarl_baselines.off_policy.presets import cpu_options, reference_options, tiny_options
from metarl_baselines.recurrent_sac.config import RecurrentSACConfig
from metarl_baselines.traits import Traits, read_traits

_NAVIGATION_ITERATIONS, _LOCOMOTION_ITERATIONS, _TINY_ITERATIONS, _REFERENCE_ITERATIONS = 120, 300, 8, 500
_EXPLORE_ITERATIONS = 600


def tiny(traits: Traits) -> Plan:
    """A smoke test."""
    return Plan(RecurrentSACConfig(**tiny_options(traits), embedding_size=16), _TINY_ITERATIONS)


def cpu(traits: Traits) -> Plan:
    """Learns on two cores: navigation in minutes; robots were not tried yet."""
    return _cpu(traits, _NAVIGATION_ITERATIONS if traits.short else _LOCOMOTION_ITERATIONS)


def explore(traits: Traits) -> Plan:
    """`cpu` for narrow goals, which are wide at first."""
    return ease(_cpu(traits, _EXPLORE_ITERATIONS), _EXPLORE_ITERATIONS)


def _cpu(traits: Traits, num_iterations: int) -> Plan:
    return Plan(RecurrentSACConfig(**cpu_options(traits, num_iterations)), num_iterations)


def reference(traits: Traits) -> Plan:
    """What the code of Ni et al. does."""
    sac = SACConfig(hidden_sizes=(128, 128, 128))
    return Plan(RecurrentSACConfig(**reference_options(traits), sac=sac, embedding_size=32), _REFERENCE_ITERATIONS)


PRESETS = Presets(
    read_traits,
    {
        "tiny": Preset(tiny, "a smoke test"),
        "cpu": Preset(cpu, "two cores: navigation in minutes; robots were not tried yet"),
        "explore": Preset(explore, "narrow goals on two cores: wide at first"),
        "reference": Preset(reference, "the options of the public code that an algorithm follows: millions of steps"),
    },
)

preset = PRESETS.plan
