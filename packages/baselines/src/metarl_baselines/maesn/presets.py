"""Sets of options that belong together, by name, for a benchmark; traits of the benchmark decide, never its name.

`reference` has the constants of MAESN's own code (RussellM2020/maesn_suite): 20 tasks of 50 episodes before an inner
step and as many after it, 100 x 100 rectified units, two latents, steps of 0.5, TRPO with a bound of 0.01 and a damping
of 1e-5, weight 0.1 of the divergence from N(0, I), discount 0.99, lambda 1. What differs: inner steps see the
benchmark's own reward, in training too.
"""

from rlcore.meta import Plan, Preset, Presets, ease

from metarl_baselines.gradient.presets import cpu_options, reference_options, tiny_options
from metarl_baselines.maesn.config import MAESNConfig
from metarl_baselines.traits import Traits, read_traits

_CPU_ITERATIONS, _TINY_ITERATIONS, _REFERENCE_ITERATIONS = 100, 4, 500
_EXPLORE_ITERATIONS = 300


def tiny(traits: Traits) -> Plan:
    """A smoke test."""
    return Plan(MAESNConfig(**tiny_options(traits)), _TINY_ITERATIONS)


def cpu(traits: Traits) -> Plan:
    """Learns on two cores: navigation in minutes; robots were not tried yet."""
    config = MAESNConfig(**cpu_options(traits), hidden_sizes=(64, 64), initial_std=0.5, initial_step_size=1.0)
    return Plan(config, _CPU_ITERATIONS)


def explore(traits: Traits) -> Plan:
    """`cpu` for narrow goals, which are wide at first."""
    return ease(cpu(traits), _EXPLORE_ITERATIONS)


def reference(traits: Traits) -> Plan:
    """What the authors' code does."""
    return Plan(MAESNConfig(**reference_options(traits, num_tasks=20, num_episodes=50)), _REFERENCE_ITERATIONS)


PRESETS = Presets(
    read_traits,
    {
        "tiny": Preset(tiny, "a smoke test"),
        "cpu": Preset(cpu, "two cores: navigation in minutes; robots were not tried yet"),
        "explore": Preset(explore, "narrow goals on two cores: wide at first"),
        "reference": Preset(reference, "what the authors' code does: hundreds of millions of steps on robots"),
    },
)

preset = PRESETS.plan
