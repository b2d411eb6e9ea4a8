"""How fast 2-D navigation steps: gymnasium's loop, our vector environment, and a compiled scan, side by side.

    python benchmarks/point_speed.py --num_tasks=1 --num_tasks=100

One row per number of tasks: environment steps per second of `SyncVectorEnv` over the single environment, and how many
times that the other two reach. Each number is the median over repeats, which take turns so that load falls on all.
"""

import functools
import statistics
import time
from collections.abc import Callable
from typing import Any

import gymnasium
import jax
import metarl_envs
import numpy as np
from absl import app, flags
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from metarl_envs.adapters.functional_env import advance, begin

_BENCHMARK = flags.DEFINE_string("benchmark", "point-sparse-v0", "Whose environment steps.")
_GYM_ID = flags.DEFINE_string("gym_id", "metarl_envs/PointSparse-v0", "The same environment for gymnasium.make.")
_NUM_TASKS = flags.DEFINE_multi_integer("num_tasks", [1, 100, 1000], "Tasks side by side; give it again for more rows.")
_NUM_REPEATS = flags.DEFINE_integer("num_repeats", 7, "Repeats of which the median is taken.", lower_bound=1)
_NUM_EPISODES = flags.DEFINE_integer("num_episodes", 20, "Episodes per repeat and task of the fast two.", lower_bound=1)


def time_vector(env: VectorEnv, num_steps: int, actions: np.ndarray) -> float:
    """Environment steps per second of a vector environment under the same `actions: [N, 2]` at every step."""
    start = time.perf_counter()
    for _ in range(num_steps):
        env.step(actions)
    return num_steps * env.num_envs / (time.perf_counter() - start)


def make_scan(env: Any, horizon: int) -> Callable[..., jax.Array]:
    """A compiled function from tasks `[N]`, keys `[N]` and actions `[N, E, 2]` to the returns `[N, E]` of `E` episodes.

    Each episode has its own action, or the compiler would compute only one of them.
    """

    def episode(task, key, action):
        def step(state, count):
            state, out = advance(env, task, state, action, key, count)
            return state, out.reward

        state, _ = begin(env, task, key)
        return jax.lax.scan(step, state, np.arange(1, horizon + 1, dtype=np.int32))[1].sum()

    def episodes(task, key, actions):
        keys = jax.random.split(key, len(actions))
        return jax.lax.map(lambda args: episode(task, *args), (keys, actions))

    return jax.jit(jax.vmap(episodes))


def measure(num_tasks: int) -> tuple[float, float, float]:
    """Environment steps per second of the loop, the vector environment and the scan over `num_tasks` tasks."""
    bench = metarl_envs.benchmark(_BENCHMARK.value)
    horizon = bench.family.horizon
    tasks = bench.family.sample_tasks(jax.random.key(0), num_tasks)
    num_episodes = _NUM_EPISODES.value
    actions = np.random.default_rng(0).uniform(-1, 1, (num_tasks, num_episodes, 2)).astype(np.float32)
    makers = [
        functools.partial(gymnasium.make, _GYM_ID.value, task=metarl_envs.get_task(tasks, i)) for i in range(num_tasks)
    ]
    loop = SyncVectorEnv(makers, autoreset_mode=AutoresetMode.SAME_STEP)
    functional = bench.family.functional
    assert functional is not None
    vector = metarl_envs.FunctionalVectorEnv(functional, tasks, horizon)
    for env in (loop, vector):
        env.reset(seed=0)
        time_vector(env, 2, actions[:, 0])
    scan = make_scan(functional, horizon)
    keys = jax.random.split(jax.random.key(0), num_tasks)
    scan(tasks, keys, actions).block_until_ready()

    speeds = []
    for _ in range(_NUM_REPEATS.value):
        loop_speed = time_vector(loop, horizon, actions[:, 0])
        vector_speed = time_vector(vector, horizon * num_episodes, actions[:, 0])
        start = time.perf_counter()
        scan(tasks, keys, actions).block_until_ready()
        scan_speed = num_tasks * horizon * num_episodes / (time.perf_counter() - start)
        speeds.append((loop_speed, vector_speed, scan_speed))
    loop_speed, vector_speed, scan_speed = (statistics.median(column) for column in zip(*speeds, strict=True))
    return loop_speed, vector_speed, scan_speed


def main(argv: list[str]) -> None:
    """Prints the table."""
    del argv
    print(f"{_BENCHMARK.value} on {jax.devices()[0].platform}, median of {_NUM_REPEATS.value}")
    print(f"{'tasks':>6} {'SyncVectorEnv':>18} {'FunctionalVectorEnv':>20} {'scan':>10}")
    for num_tasks in _NUM_TASKS.value:
        loop, vector, scan = measure(num_tasks)
        print(f"{num_tasks:>6} {loop:>10,.0f} steps/s {vector / loop:>19.1f}x {scan / loop:>9.1f}x")


if __name__ == "__main__":
    app.run(main)
