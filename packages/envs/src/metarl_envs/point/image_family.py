"""Families and benchmarks of 2-D navigation from pictures.

In the shape descriptions, `N` denotes the number of tasks.
"""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np

from metarl_envs.adapters.functional_family import FunctionalFamily
from metarl_envs.arguments import check_count
from metarl_envs.forks import refuse_after_fork
from metarl_envs.point.dynamics import PointTask
from metarl_envs.point.image import GOAL_RADIUS, STEP_SIZE, PointImageEnv
from metarl_envs.registry import Recipe
from metarl_envs.tasks import Benchmark

HORIZON = 20
"""Steps of an episode."""

_SEED, _NUM_TRAIN, _NUM_TEST = 1337, 30, 10

_STEP_SIZES = {"v0": 0.15, "v1": STEP_SIZE}
"""m, by version."""


class PointImageFamily(FunctionalFamily):
    """Goals on the upper half of the circle of radius 1 m around the origin, where episodes start."""

    terminates = False

    def __init__(self, *, sparse: bool, side: int = 64, step_size: float = STEP_SIZE) -> None:
        """Makes the family; see `PointImageEnv` for the options."""
        super().__init__(PointImageEnv(sparse=sparse, side=side, step_size=step_size), HORIZON)

    def sample_tasks(self, key: jax.Array, n: int) -> PointTask:
        """Draws goals `[N, 2]`, uniform in their angle; the key is consumed."""
        refuse_after_fork()
        n = check_count("n", n)
        return _on_circle(jax.random.uniform(key, (n,), jnp.float32, 0.0, np.pi))


def _on_circle(angles: np.ndarray | jax.Array) -> PointTask:
    goal = jnp.stack([jnp.cos(angles), jnp.sin(angles)], axis=-1).astype(jnp.float32)
    return PointTask(goal, jnp.full(len(angles), GOAL_RADIUS, jnp.float32))


def _stratified(rng: np.random.RandomState, n: int) -> PointTask:
    """`n` goals, one at random in each of `n` equal parts of the half circle, shuffled."""
    angles = (np.arange(n) + rng.uniform(size=n)) * (np.pi / n)
    goal = np.stack([np.cos(angles), np.sin(angles)], axis=-1)[rng.permutation(n)]
    return PointTask(jnp.asarray(goal, jnp.float32), jnp.full(n, GOAL_RADIUS, jnp.float32))


def _benchmark(name: str, *, sparse: bool, side: int, step_size: float) -> Benchmark:
    """30 goals to train on and 10 to test on (thesis, table 1); computed by NumPy, the same on every machine."""
    rng = np.random.RandomState(_SEED)
    family = PointImageFamily(sparse=sparse, side=side, step_size=step_size)
    train_tasks, test_tasks = _stratified(rng, _NUM_TRAIN), _stratified(rng, _NUM_TEST)
    return Benchmark(name, family, train_tasks, test_tasks)


def _recipe(*, sparse: bool, side: int, version: str) -> Recipe:
    return Recipe(functools.partial(_benchmark, sparse=sparse, side=side, step_size=_STEP_SIZES[version]), HORIZON)


BENCHMARKS: dict[str, Recipe] = {
    f"point-image-{kind}{size}-{version}": _recipe(sparse=kind == "sparse", side=side, version=version)
    for (size, side), kind, version in itertools.product({"": 64, "-32": 32}.items(), ("dense", "sparse"), _STEP_SIZES)
}
