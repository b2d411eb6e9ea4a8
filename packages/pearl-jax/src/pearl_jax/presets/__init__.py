"""Sets of options that belong together, by name, for a benchmark.

What a preset is for a benchmark follows from the benchmark's traits: how many tasks, how long its episodes are, whether
it shows pictures, what it reports beside the reward. A few registered benchmarks have options of their own, by their
exact names. So a benchmark of one's own gets what its traits say, whatever it is called.
"""

from metarl_envs import Benchmark
from rlcore.meta import Plan, Preset, make_plan

from pearl_jax.presets.paper import reference, thesis
from pearl_jax.presets.small import cpu, explore, tiny
from pearl_jax.presets.traits import read_traits

PRESETS: dict[str, Preset] = {
    "tiny": Preset(tiny, "a smoke test that learns a little"),
    "cpu": Preset(cpu, "two cores: wide goals in a minute or two, locomotion in half an hour or so"),
    "explore": Preset(explore, "narrow goals in minutes on two CPU cores"),
    "thesis": Preset(thesis, "what the thesis's text says"),
    "reference": Preset(reference, "what the thesis's released code does"),
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
