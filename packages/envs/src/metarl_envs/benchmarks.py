"""All benchmarks of this package, registered by their names, and their environments with gymnasium."""

import functools

from metarl_envs.adapters.gymnasium_ids import register_with_gymnasium
from metarl_envs.catcher.family import BENCHMARKS as CATCHER
from metarl_envs.locomotion.benchmarks import BENCHMARKS as LOCOMOTION
from metarl_envs.manipulation.benchmarks import BENCHMARKS as MANIPULATION
from metarl_envs.point.family import BENCHMARKS as POINT
from metarl_envs.point.image_family import BENCHMARKS as POINT_IMAGES
from metarl_envs.registry import register_benchmark


def register_all() -> None:
    """Walks the families' tables, once."""
    for name, recipe in (CATCHER | LOCOMOTION | MANIPULATION | POINT | POINT_IMAGES).items():
        register_benchmark(name, functools.partial(recipe.make, name))
        register_with_gymnasium(gymnasium_id(name), name, recipe.horizon)


def gymnasium_id(name: str) -> str:
    """The id of a benchmark's environment: `metarl_envs/HalfCheetahVel-v0` for half-cheetah-vel-v0."""
    words, _, version = name.rpartition("-v")
    return f"metarl_envs/{words.title().replace('-', '').replace('Widowx', 'WidowX')}-v{version}"
