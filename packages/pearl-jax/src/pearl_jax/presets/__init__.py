"""Sets of options that belong together, by name, for a benchmark.

What a preset is for a benchmark follows from the benchmark's traits: how many tasks, how long its episodes are, whether
it shows pictures, what it reports beside the reward. A few registered benchmarks have options of their own, by their
exact names. So a benchmark of one's own gets what its traits say, whatever it is called.
"""

from rlcore.meta import Preset, Presets

from pearl_jax.presets.paper import reference, thesis
from pearl_jax.presets.small import cpu, explore, tiny
from pearl_jax.presets.traits import read_traits

PRESETS = Presets(
    read_traits,
    {
        "tiny": Preset(tiny, "a smoke test that learns a little"),
        "cpu": Preset(cpu, "two cores: wide goals in a minute or two, locomotion in half an hour or so"),
        "explore": Preset(explore, "narrow goals in minutes on two CPU cores"),
        "thesis": Preset(thesis, "what the thesis's text says"),
        "reference": Preset(reference, "what the thesis's released code does"),
    },
)

preset = PRESETS.plan
