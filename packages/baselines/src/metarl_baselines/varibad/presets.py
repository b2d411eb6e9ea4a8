"""Sets of options that belong together, by name, for a benchmark; traits of the benchmark decide, never its name.

`reference` has the networks and the evidence lower bound of the code of Zintgraf et al. (lmzintgraf/varibad,
half-cheetah-vel): a GRU of 128, a latent of 5, a reward decoder of 64 and 32, KL weight 0.1, 50 beliefs of a trial of
two episodes, a policy of 128 and 128. What differs: SAC in place of PPO, with the options of Ni et al. for such trials;
no normalisation of observations and rewards; embeddings of one width; beliefs are decoded into whole trials, where that
code draws 50 of their steps; and as many gradient steps of the encoder as of actor and critics.
"""

from rlcore.meta import Plan, Preset, Presets, ease
from rlcore.sac import SACConfig

from metarl_baselines.off_policy.presets import cpu_options, reference_options, tiny_options
from metarl_baselines.traits import Traits, read_traits
from metarl_baselines.varibad.config import VariBADConfig

_NAVIGATION_ITERATIONS, _LOCOMOTION_ITERATIONS, _TINY_ITERATIONS, _REFERENCE_ITERATIONS = 120, 300, 8, 500
_EXPLORE_ITERATIONS = 600


def tiny(traits: Traits) -> Plan:
    """A smoke test."""
    sizes = {"latent_size": 2, "embedding_size": 8, "decoder_sizes": (16,), "num_beliefs": 4}
    return Plan(VariBADConfig(**tiny_options(traits), **sizes), _TINY_ITERATIONS)


def cpu(traits: Traits) -> Plan:
    """Learns on two cores: navigation in minutes; robots were not tried yet."""
    return _cpu(traits, _NAVIGATION_ITERATIONS if traits.short else _LOCOMOTION_ITERATIONS)


def explore(traits: Traits) -> Plan:
    """`cpu` for narrow goals, which are wide at first."""
    return ease(_cpu(traits, _EXPLORE_ITERATIONS), _EXPLORE_ITERATIONS)


def _cpu(traits: Traits, num_iterations: int) -> Plan:
    return Plan(
        VariBADConfig(**cpu_options(traits, num_iterations), decoder_sizes=(32, 32), num_beliefs=8), num_iterations
    )


def reference(traits: Traits) -> Plan:
    """What the code of Zintgraf et al. does, by SAC."""
    sac = SACConfig(hidden_sizes=(128, 128))
    config = VariBADConfig(**reference_options(traits), sac=sac, embedding_size=16, num_beliefs=50)
    return Plan(config, _REFERENCE_ITERATIONS)


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
