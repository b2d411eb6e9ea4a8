"""Sets of options that belong together, by name, for a benchmark.

What a preset is for a benchmark follows from the benchmark's traits: the size of its pictures, how long its episodes
are, how many tasks it has, what it reports beside the reward. A few registered benchmarks have options of their own, by
their exact names. So a benchmark of one's own gets what its traits say, whatever it is called.
"""

from collections.abc import Callable
from typing import NamedTuple

from metarl_envs import Benchmark
from rlcore.meta import Plan

from meld_jax.presets.paper import reference, thesis
from meld_jax.presets.small import cpu, tiny
from meld_jax.presets.traits import Traits, read_traits


class Preset(NamedTuple):
    """make: the options for a benchmark, and how many iterations are usual. purpose: what it is for, in a line."""

    make: Callable[[Benchmark], Plan]
    purpose: str


def _from_traits(plan: Callable[[Traits], Plan]) -> Callable[[Benchmark], Plan]:
    return lambda benchmark: plan(read_traits(benchmark))


PRESETS: dict[str, Preset] = {
    "tiny": Preset(_from_traits(tiny), "a smoke test of seconds"),
    "cpu": Preset(_from_traits(cpu), "two cores"),
    "thesis": Preset(_from_traits(thesis), "the thesis's options, for a GPU"),
    "reference": Preset(_from_traits(reference), "its code's options, for a GPU"),
}
"""By name: what makes a plan for a benchmark, and what it is for."""


def preset(name: str, benchmark: Benchmark) -> Plan:
    """The options of that name for a benchmark, and the usual number of iterations.

    Args:
      name: one of `PRESETS`.
      benchmark: what to train on, registered or one's own.

    Raises:
      ValueError: there is no such preset, or the benchmark is not one.
    """
    if name not in PRESETS:
        raise ValueError(f"preset must be one of {', '.join(PRESETS)}, got {name!r}")
    if not isinstance(benchmark, Benchmark):
        hint = f"; metarl_envs.benchmark({benchmark!r}) is one, if registered" if isinstance(benchmark, str) else ""
        raise ValueError(f"benchmark must be a metarl_envs.Benchmark, got {benchmark!r}{hint}")
    return PRESETS[name].make(benchmark)
