"""Families and benchmarks of catch.

In the shape descriptions, `N` denotes the number of tasks.
"""

import functools

import jax
import jax.numpy as jnp

from metarl_envs.adapters.functional_family import FunctionalFamily
from metarl_envs.adapters.gymnasium_ids import register_with_gymnasium
from metarl_envs.catcher.backgrounds import held_out_task, train_task
from metarl_envs.catcher.dynamics import CatcherEnv
from metarl_envs.catcher.ple import PleCatcherEnv
from metarl_envs.catcher.state import NUM_STEPS, CatcherTask
from metarl_envs.registry import register_benchmark
from metarl_envs.tasks import Benchmark

PLE_HORIZON = 50
"""Steps; `metarl_envs.catcher.ple.MAX_STEPS` are 42, so that nothing is truncated."""


class CatcherFamily(FunctionalFamily):
    """A game of catch. It has one task to train on; the test task differs from it in the distractors it may show."""

    def __init__(self, env: CatcherEnv | PleCatcherEnv) -> None:
        """Makes the family of a game; every episode ends within the horizon, 27 steps or 50."""
        super().__init__(env, NUM_STEPS if isinstance(env, CatcherEnv) else PLE_HORIZON)

    def sample_tasks(self, key: jax.Array, n: int) -> CatcherTask:
        """The task to train on, `N` times; the key is not used."""
        del key
        return _repeat(train_task(), n)


def _repeat(task: CatcherTask, n: int) -> CatcherTask:
    return jax.tree.map(lambda leaf: jnp.full(n, leaf), task)


def _benchmark(name: str, env: CatcherEnv | PleCatcherEnv) -> Benchmark:
    return Benchmark(name, CatcherFamily(env), _repeat(train_task(), 1), _repeat(held_out_task(), 1))


def register() -> None:
    """Registers the benchmarks of this module, and their environments with gymnasium."""
    for name, env_id, env in (
        ("catcher-v0", "Catcher-v0", CatcherEnv()),
        ("catcher-grip-v0", "CatcherGrip-v0", CatcherEnv(grip=True)),
        ("catcher-distractors-v0", "CatcherDistractors-v0", CatcherEnv(distractors="episode")),
        ("catcher-grip-distractors-v0", "CatcherGripDistractors-v0", CatcherEnv(grip=True, distractors="episode")),
        ("catcher-ple-v0", "CatcherPle-v0", PleCatcherEnv()),
    ):
        horizon = NUM_STEPS if isinstance(env, CatcherEnv) else PLE_HORIZON
        register_benchmark(name, functools.partial(_benchmark, name, env))
        register_with_gymnasium(f"metarl_envs/{env_id}", name, horizon)
