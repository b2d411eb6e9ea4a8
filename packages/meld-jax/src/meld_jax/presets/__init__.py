"""Sets of options that belong together, by name, for a benchmark.

What a preset is for a benchmark follows from the benchmark's traits: the size of its pictures, how long its episodes
are, how many tasks it has, what it reports beside the reward. A few registered benchmarks have options of their own, by
their exact names. So a benchmark of one's own gets what its traits say, whatever it is called.
"""

from metarl_envs import Benchmark
from rlcore.meta import Plan, Preset, make_plan

from meld_jax.presets.paper import reference, thesis
from meld_jax.presets.small import cpu, tiny
from meld_jax.presets.traits import read_traits

PRESETS: dict[str, Preset] = {
    "tiny": Preset(tiny, "a smoke test of seconds"),
    "cpu": Preset(cpu, "two cores"),
    "thesis": Preset(thesis, "the thesis's options, for a GPU"),
    "reference": Preset(reference, "its code's options, for a GPU"),
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
