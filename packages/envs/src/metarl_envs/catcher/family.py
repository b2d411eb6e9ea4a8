"""Families and benchmarks of catch.

In the shape descriptions, `N` denotes the number of tasks.
"""

import jax
import jax.numpy as jnp

from metarl_envs.adapters.functional_family import FunctionalFamily
from metarl_envs.arguments import check_count
from metarl_envs.catcher.backgrounds import held_out_task, train_task
from metarl_envs.catcher.dynamics import CatcherEnv
from metarl_envs.catcher.ple import PleCatcherEnv
from metarl_envs.catcher.state import NUM_STEPS, CatcherTask
from metarl_envs.forks import refuse_after_fork
from metarl_envs.registry import Recipe
from metarl_envs.tasks import Benchmark

PLE_HORIZON = 50
"""Steps; `metarl_envs.catcher.ple.MAX_STEPS` are 42, so that nothing is truncated."""


class CatcherFamily(FunctionalFamily):
    """A game of catch. It has one task to train on; the test task differs from it in the distractors it may show."""

    def __init__(self, env: CatcherEnv | PleCatcherEnv) -> None:
        """Makes the family of a game; every episode ends within the horizon, 27 steps or 50."""
        super().__init__(env, _horizon(env))
        self.terminates = not isinstance(env, CatcherEnv)

    def sample_tasks(self, key: jax.Array, n: int) -> CatcherTask:
        """The task to train on, `N` times; the key is not used."""
        refuse_after_fork()
        n = check_count("n", n)
        del key
        return _repeat(train_task(), n)


def _horizon(env: CatcherEnv | PleCatcherEnv) -> int:
    return NUM_STEPS if isinstance(env, CatcherEnv) else PLE_HORIZON


def _repeat(task: CatcherTask, n: int) -> CatcherTask:
    return jax.tree.map(lambda leaf: jnp.full(n, leaf), task)


def _recipe(env: CatcherEnv | PleCatcherEnv) -> Recipe:
    def make(name: str) -> Benchmark:
        return Benchmark(name, CatcherFamily(env), _repeat(train_task(), 1), _repeat(held_out_task(), 1))

    return Recipe(make, _horizon(env))


BENCHMARKS: dict[str, Recipe] = {
    "catcher-v0": _recipe(CatcherEnv()),
    "catcher-grip-v0": _recipe(CatcherEnv(grip=True)),
    "catcher-distractors-v0": _recipe(CatcherEnv(distractors="episode")),
    "catcher-grip-distractors-v0": _recipe(CatcherEnv(grip=True, distractors="episode")),
    "catcher-ple-v0": _recipe(PleCatcherEnv()),
}
