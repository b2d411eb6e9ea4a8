"""Families and benchmarks of 2-D navigation.

In the shape descriptions, `N` denotes the number of tasks.

The fixed task sets are computed by NumPy in float64 and only then cast to float32, from `numpy.random.RandomState`,
whose stream NumPy has frozen: they are the same on every machine and under every version of JAX.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from metarl_envs.adapters.functional_family import FunctionalFamily
from metarl_envs.arguments import check_count, check_difficulty
from metarl_envs.forks import refuse_after_fork
from metarl_envs.point.dynamics import PointEnv, PointTask
from metarl_envs.registry import Recipe
from metarl_envs.tasks import Benchmark

HORIZON = 20
"""Steps of an episode (thesis section 5.2.3)."""

RADIUS = 0.2
"""m; the smaller goal of the thesis."""

WIDE_RADIUS = 0.8
"""m; the larger goal of the thesis, and where the curriculum begins."""

_SEED = 1337
"""The reference code's, from which its goals follow; used for the thesis's goals too, whose seed is not known."""


class PointFamily(FunctionalFamily):
    """Goals to navigate to.

    dense: goals uniform in [-1, 1]^2 m, random start, reward -distance.
    sparse: goals uniform on the upper half of the circle of radius 1 m around the origin, where episodes start; reward
      only within `radius` of the goal.
    """

    terminates = False

    def __init__(self, *, sparse: bool, radius: float = RADIUS) -> None:
        """Makes the family; `radius` in m is that of sampled tasks."""
        super().__init__(PointEnv(sparse=sparse, random_start=not sparse), HORIZON)
        self.sparse = sparse
        self.radius = radius

    def sample_tasks(self, key: jax.Array, n: int) -> PointTask:
        """Draws goals `[N, 2]`; the key is consumed."""
        refuse_after_fork()
        n = check_count("n", n)
        if self.sparse:
            angle = jax.random.uniform(key, (n,), jnp.float32, 0.0, np.pi)
            goal = jnp.stack([jnp.cos(angle), jnp.sin(angle)], axis=-1)
        else:
            goal = jax.random.uniform(key, (n, 2), jnp.float32, -1.0, 1.0)
        return PointTask(goal, jnp.full(n, self.radius, jnp.float32))

    def ease(self, tasks: PointTask, difficulty: float | jax.Array) -> PointTask:
        """Sparse goals narrow from 0.8 m to their own radius; dense tasks, and wider goals, stay as they are.

            radius' = 0.8 + difficulty (radius - 0.8)   where radius < 0.8

        Args:
          tasks: arrays `[N, ...]`, or one task.
          difficulty: scalar in [0, 1], may be traced.

        Raises:
          ValueError: the difficulty is none.
        """
        refuse_after_fork()
        check_difficulty(difficulty)
        if not self.sparse:
            return tasks
        # Written so that difficulty 1 gives the radius back to the bit.
        widening = (1.0 - jnp.asarray(difficulty, jnp.float32)) * jnp.maximum(WIDE_RADIUS - tasks.radius, 0.0)
        return tasks._replace(radius=tasks.radius + widening)


def dense_benchmark(name: str) -> Benchmark:
    """`point-robot` of PEARL's reference code: 80 goals to train on and 20 to test on.

    They are its very goals, in its order.
    """
    goals = np.random.RandomState(_SEED).uniform(-1.0, 1.0, (100, 2))
    return _benchmark(name, PointFamily(sparse=False), goals, num_train=80)


def sparse_benchmark(name: str, *, radius: float) -> Benchmark:
    """Sparse navigation as in the thesis: 100 goals drawn at random to train on, 20 others to test on."""
    angles = np.random.RandomState(_SEED).uniform(0.0, np.pi, 120)
    return _benchmark(name, PointFamily(sparse=True, radius=radius), _on_circle(angles), num_train=100)


def sparse_reference_benchmark(name: str) -> Benchmark:
    """`sparse-point-robot` of PEARL's reference code: 100 evenly spaced goals, shuffled, split 80/20.

    They are its very goals, in its order.
    """
    goals = _on_circle(np.linspace(0.0, np.pi, 100))
    np.random.RandomState(_SEED).shuffle(goals)
    return _benchmark(name, PointFamily(sparse=True), goals, num_train=80)


def _on_circle(angles: np.ndarray) -> np.ndarray:
    """Goals `[N, 2]` m at `angles: [N]` rad on the circle of radius 1 m."""
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1)


def _benchmark(name: str, family: PointFamily, goals: np.ndarray, num_train: int) -> Benchmark:
    """The first `num_train` of `goals: [N, 2]` float64 are to train on, the others to test on."""

    def tasks(goals: np.ndarray) -> PointTask:
        return PointTask(jnp.asarray(goals, jnp.float32), jnp.full(len(goals), family.radius, jnp.float32))

    return Benchmark(name, family, tasks(goals[:num_train]), tasks(goals[num_train:]))


BENCHMARKS: dict[str, Recipe] = {
    "point-dense-v0": Recipe(dense_benchmark, HORIZON),
    "point-sparse-v0": Recipe(functools.partial(sparse_benchmark, radius=RADIUS), HORIZON),
    "point-sparse-wide-v0": Recipe(functools.partial(sparse_benchmark, radius=WIDE_RADIUS), HORIZON),
    "point-sparse-reference-v0": Recipe(sparse_reference_benchmark, HORIZON),
}
