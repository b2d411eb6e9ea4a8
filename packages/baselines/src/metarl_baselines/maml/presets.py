"""Sets of options that belong together, by name, for a benchmark; traits of the benchmark decide, never its name.

`reference` has the constants of ProMP's own code (jonasrothfuss/ProMP, `run_scripts/{maml,pro-mp}_run_mujoco.py`), the
code behind the thesis's curves: 40 tasks of 20 episodes before an inner step and as many after it, 64 x 64 tanh units,
actions in [-10, 10], inner steps of 0.1, lambda 1, discount 0.99; TRPO with a bound of 0.01, ten iterations of
conjugate gradient and no damping; ProMP with clip 0.3, Adam at 1e-3, five steps, 5e-4 on the inner divergence.
"""

from rlcore.meta import Plan, Preset, Presets

from metarl_baselines.gradient import AdaptationConfig
from metarl_baselines.maml.config import MAMLConfig
from metarl_baselines.traits import Traits, ease, read_traits

_CPU_ITERATIONS, _TINY_ITERATIONS, _REFERENCE_ITERATIONS = 100, 4, 1001
_EXPLORE_ITERATIONS = 300


def tiny(traits: Traits) -> Plan:
    """A smoke test."""
    config = MAMLConfig(
        hidden_sizes=(16,),
        adaptation=AdaptationConfig(num_episodes=2),
        training_reward=traits.training_reward,
        num_tasks_per_iteration=min(5, traits.num_tasks),
    )
    return Plan(config, _TINY_ITERATIONS)


def cpu(traits: Traits) -> Plan:
    """Learns on two cores: navigation in minutes; robots were not tried yet."""
    config = MAMLConfig(
        action_scale=1.0 if traits.short else 10.0,
        initial_std=0.5 if traits.short else 1.0,
        adaptation=AdaptationConfig(num_episodes=20 if traits.short else 10),
        training_reward=traits.training_reward,
        num_tasks_per_iteration=min(40 if traits.short else 20, traits.num_tasks),
        test_every=5,
    )
    return Plan(config, _CPU_ITERATIONS)


def explore(traits: Traits) -> Plan:
    """`cpu` for narrow goals, which are wide at first."""
    return ease(cpu(traits), _EXPLORE_ITERATIONS)


def reference(traits: Traits) -> Plan:
    """What the code behind the thesis's curves does."""
    config = MAMLConfig(
        training_reward=traits.training_reward,
        num_tasks_per_iteration=min(40, traits.num_tasks),
        test_every=10,
    )
    return Plan(config, _REFERENCE_ITERATIONS)


PRESETS = Presets(
    read_traits,
    {
        "tiny": Preset(tiny, "a smoke test"),
        "cpu": Preset(cpu, "two cores: navigation in minutes; robots were not tried yet"),
        "explore": Preset(explore, "narrow goals on two cores: wide at first"),
        "reference": Preset(reference, "what the code behind the thesis's curves does: hundreds of millions of steps"),
    },
)

preset = PRESETS.plan
