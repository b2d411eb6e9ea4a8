"""Sets of options that belong together, by name, for a benchmark; traits of the benchmark decide, never its name.

`reference` has the constants of ProMP's own code (jonasrothfuss/ProMP, `run_scripts/{maml,pro-mp}_run_mujoco.py`), the
code behind the thesis's curves: 40 tasks of 20 episodes before an inner step and as many after it, 64 x 64 tanh units,
actions in [-10, 10], inner steps of 0.1, lambda 1, discount 0.99; TRPO with a bound of 0.01, ten iterations of
conjugate gradient and no damping; ProMP with clip 0.3, Adam at 1e-3, five steps, 5e-4 on the inner divergence.
"""

from functools import partial
from typing import Any

from rlcore.meta import Plan, Preset, Presets, ease

from metarl_baselines.gradient.presets import cpu_options, reference_options, tiny_options
from metarl_baselines.maml.config import MAMLConfig
from metarl_baselines.traits import Traits, read_traits

_CPU_ITERATIONS, _TINY_ITERATIONS, _REFERENCE_ITERATIONS = 100, 4, 1001
_EXPLORE_ITERATIONS = 300
_TRPO: dict[str, Any] = {}
_PROMP: dict[str, Any] = {"outer": "promp", "inner_objective": "likelihood_ratio"}


def tiny(outer: dict[str, Any], traits: Traits) -> Plan:
    """A smoke test."""
    return Plan(MAMLConfig(**tiny_options(traits), **outer), _TINY_ITERATIONS)


def cpu(outer: dict[str, Any], traits: Traits) -> Plan:
    """Learns on two cores: navigation in minutes; half-cheetah-vel still rises after 12 million steps."""
    scale, std = (1.0, 0.5) if traits.short else (10.0, 1.0)
    config = MAMLConfig(**cpu_options(traits), **outer, action_scale=scale, initial_std=std)
    return Plan(config, _CPU_ITERATIONS)


def explore(outer: dict[str, Any], traits: Traits) -> Plan:
    """`cpu` for narrow goals, which are wide at first."""
    return ease(cpu(outer, traits), _EXPLORE_ITERATIONS)


def reference(outer: dict[str, Any], traits: Traits) -> Plan:
    """What the code behind the thesis's curves does."""
    return Plan(MAMLConfig(**reference_options(traits, num_tasks=40, num_episodes=20), **outer), _REFERENCE_ITERATIONS)


def _make_presets(outer: dict[str, Any]) -> Presets:
    """Those with some options of outer steps."""
    last = "what the code behind the thesis's curves does: hundreds of millions of steps"
    return Presets(
        read_traits,
        {
            "tiny": Preset(partial(tiny, outer), "a smoke test"),
            "cpu": Preset(partial(cpu, outer), "two cores: navigation in minutes; robots take far longer"),
            "explore": Preset(partial(explore, outer), "narrow goals on two cores: wide at first"),
            "reference": Preset(partial(reference, outer), last),
        },
    )


PRESETS, PROMP_PRESETS = _make_presets(_TRPO), _make_presets(_PROMP)

preset = PRESETS.plan
