"""Sets of options that belong together, by name, for a benchmark.

What a preset is for a benchmark follows from the benchmark's traits: the size of its pictures, how long its episodes
are, how many tasks it has, what it reports beside the reward. A few registered benchmarks have options of their own, by
their exact names. So a benchmark of one's own gets what its traits say, whatever it is called.
"""

from rlcore.meta import Preset, Presets

from meld_jax.presets.paper import reference, thesis
from meld_jax.presets.small import cpu, tiny
from meld_jax.presets.traits import read_traits

PRESETS = Presets(
    read_traits,
    {
        "tiny": Preset(tiny, "a smoke test of seconds"),
        "cpu": Preset(cpu, "two cores"),
        "thesis": Preset(thesis, "the thesis's options, for a GPU"),
        "reference": Preset(reference, "its code's options, for a GPU"),
    },
)

preset = PRESETS.plan
