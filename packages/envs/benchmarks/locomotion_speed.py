"""How fast Half-Cheetah steps under a jitted policy: our vector environment beside gymnasium's two and envpool.

    uv sync --group bench && uv pip install imageio    # gymnasium's robots do not load without imageio
    uv run --group bench packages/envs/benchmarks/locomotion_speed.py

Environment steps per second with a policy of two layers of 64 units, one dispatch for each vector step. The others play
gymnasium's HalfCheetah: the same model and frame skip, 200 steps an episode, no task. Then without a policy: what share
of `mj_step`'s own rate, called from as many Python threads with a robot each, arrives through our simulation and our
vector environment. Medians over repeats, which take turns so that load falls on all. Nothing here imports JAX at the
top, because the processes of `AsyncVectorEnv` read this file.
"""

import contextlib
import functools
import importlib
import importlib.util
import itertools
import multiprocessing
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import gymnasium
import numpy as np
from absl import app, flags
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv

_NUM_TASKS = flags.DEFINE_multi_integer("num_tasks", [1, 10, 50, 100], "Tasks side by side; give it again for more.")
_NUM_REPEATS = flags.DEFINE_integer("num_repeats", 5, "Repeats of which the median is taken.", lower_bound=1)
_SECONDS = flags.DEFINE_float("seconds", 0.4, "That a measurement takes.", lower_bound=0.01)

_BENCHMARK, _GYM_ID, _ENVPOOL_ID, _HORIZON = "half-cheetah-vel-v0", "HalfCheetah-v5", "HalfCheetah-v5", 200
_ACTION_SIZE, _NUM_ACTIONS = 6, 64


def make_policy(obs_size: int) -> Callable[[np.ndarray], np.ndarray]:
    """A random policy network, `[N, Do] -> [N, 6]`, jitted."""
    import jax
    import jax.numpy as jnp

    sizes = (obs_size, 64, 64, _ACTION_SIZE)
    keys = jax.random.split(jax.random.key(0), 3)
    weights = [jax.random.normal(k, s) / s[0] ** 0.5 for k, s in zip(keys, itertools.pairwise(sizes), strict=True)]

    @jax.jit
    def act(weights: list[jax.Array], obs: jax.Array) -> jax.Array:
        hidden = jax.nn.relu(jax.nn.relu(obs @ weights[0]) @ weights[1])
        return jnp.tanh(hidden @ weights[2])

    return lambda obs: np.asarray(act(weights, obs.astype(np.float32)))


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Drops what is written to the standard error meanwhile, also by processes that start: MuJoCo's warnings."""
    stderr = os.dup(2)
    with open(os.devnull, "w") as nothing:
        os.dup2(nothing.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


def make_gymnasium(num_tasks: int, kind: str) -> Any:
    """gymnasium's vector environments of the same robot."""
    makers = [functools.partial(gymnasium.make, _GYM_ID, max_episode_steps=_HORIZON)] * num_tasks
    if kind == "sync":
        return SyncVectorEnv(makers, autoreset_mode=AutoresetMode.SAME_STEP)
    return AsyncVectorEnv(makers, context="forkserver", autoreset_mode=AutoresetMode.SAME_STEP)


def make_envpool(num_tasks: int, num_threads: int) -> Any:
    """envpool's vector environment of the same robot."""
    envpool: Any = importlib.import_module("envpool")
    options = {"num_threads": num_threads, "max_episode_steps": _HORIZON, "seed": 0}
    return envpool.make_gymnasium(_ENVPOOL_ID, num_envs=num_tasks, **options)


def make_ours(num_tasks: int, num_threads: int) -> Any:
    """Our vector environment, each robot in its own task."""
    import jax
    import metarl_envs

    family: Any = metarl_envs.benchmark(_BENCHMARK).family
    return family.make_limited_vec(family.sample_tasks(jax.random.key(0), num_tasks), _HORIZON, num_threads=num_threads)


def make_envs(num_tasks: int, num_cores: int) -> dict[str, Any]:
    """All kinds that can be had, by their column's title."""
    threads = sorted({1, num_cores})
    with silence():
        envs = {
            "SyncVectorEnv": make_gymnasium(num_tasks, "sync"),
            "AsyncVectorEnv": make_gymnasium(num_tasks, "async"),
        }
    if importlib.util.find_spec("envpool") is not None:
        envs |= {f"envpool, {n} thr.": make_envpool(num_tasks, n) for n in threads}
    return envs | {f"ours, {n} thr.": make_ours(num_tasks, n) for n in threads}


def make_player(env: Any) -> Callable[[float], float]:
    """A function that plays for so many seconds and returns environment steps per second."""
    obs, _ = env.reset()
    act = make_policy(obs.shape[-1])
    env.step(act(obs))

    def play(seconds: float) -> float:
        nonlocal obs
        num_steps, start = 0, time.perf_counter()
        while (elapsed := time.perf_counter() - start) < seconds:
            obs = env.step(act(obs))[0]
            num_steps += len(obs)
        return num_steps / elapsed

    return play


def bare_rate(model: Any, frame_skip: int, num_threads: int, seconds: float) -> float:
    """Environment steps per second of `mj_step` alone, a robot for each thread."""
    from metarl_envs.mujoco.library import import_mujoco

    mujoco = import_mujoco()
    actions = np.random.default_rng(0).uniform(-1, 1, (_NUM_ACTIONS, _ACTION_SIZE))
    counts, barrier = [0] * num_threads, threading.Barrier(num_threads + 1)

    def simulate(thread: int) -> None:
        data, count = mujoco.MjData(model), 0
        barrier.wait()
        while time.perf_counter() - start < seconds:
            for action in actions:
                data.ctrl[:] = action
                mujoco.mj_step(model, data, frame_skip)
            count += len(actions)
        counts[thread] = count

    workers = [threading.Thread(target=simulate, args=(i,)) for i in range(num_threads)]
    for worker in workers:
        worker.start()
    start = time.perf_counter()
    barrier.wait()
    for worker in workers:
        worker.join()
    return sum(counts) / (time.perf_counter() - start)


def make_stepper(step: Callable[[np.ndarray], Any], num_tasks: int) -> Callable[[float], float]:
    """A function that steps for so many seconds with random actions and returns environment steps per second."""
    actions = np.random.default_rng(0).uniform(-1, 1, (_NUM_ACTIONS, num_tasks, _ACTION_SIZE))

    def play(seconds: float) -> float:
        num_steps, start = 0, time.perf_counter()
        while (elapsed := time.perf_counter() - start) < seconds:
            step(actions[num_steps % _NUM_ACTIONS])
            num_steps += 1
        return num_steps * num_tasks / elapsed

    return play


def make_physics(num_tasks: int, num_threads: int) -> dict[str, Callable[[float], float]]:
    """Bare physics, our simulation and our vector environment, without a policy."""
    import jax
    import metarl_envs
    from metarl_envs.mujoco import Simulation

    family: Any = metarl_envs.benchmark(_BENCHMARK).family
    robot = family.scenario.rules.robot
    simulation = Simulation(family.scenario, family.sample_tasks(jax.random.key(0), num_tasks), num_threads)
    simulation.reset(np.arange(num_tasks), [np.random.default_rng(i) for i in range(num_tasks)])
    env = make_ours(num_tasks, num_threads)
    env.reset(seed=0)
    return {
        "mj_step": functools.partial(bare_rate, robot.model, robot.frame_skip, min(num_threads, num_tasks)),
        "simulation": make_stepper(simulation.step, num_tasks),
        "environment": make_stepper(env.step, num_tasks),
    }


def take_turns(kinds: dict[str, Callable[[float], float]], seconds: float, num_repeats: int) -> dict[str, float]:
    """The median rate of each."""
    rates = {name: [] for name in kinds}
    for _ in range(num_repeats):
        for name, play in kinds.items():
            rates[name].append(play(seconds))
    return {name: statistics.median(values) for name, values in rates.items()}


def print_with_policy(num_cores: int) -> None:
    """The table of all libraries."""
    for row, num_tasks in enumerate(_NUM_TASKS.value):
        envs = make_envs(num_tasks, num_cores)
        rates = take_turns({name: make_player(env) for name, env in envs.items()}, _SECONDS.value, _NUM_REPEATS.value)
        for env in envs.values():
            env.close()
        if not row:
            print("\nsteps per second with a policy, and how many times that of SyncVectorEnv")
            print(f"{'tasks':>5}" + "".join(f"{name:>22}" for name in rates))
        loop = rates["SyncVectorEnv"]
        print(f"{num_tasks:>5}" + "".join(f"{rate:>14,.0f} {rate / loop:>6.2f}x" for rate in rates.values()))


def print_physics(num_cores: int) -> None:
    """The table of physics alone."""
    print("\nsteps per second without a policy, and the share of mj_step's")
    print(f"{'tasks':>5} {'threads':>7} {'mj_step':>10} {'simulation':>18} {'environment':>18}")
    for num_threads in sorted({1, num_cores}):
        for num_tasks in _NUM_TASKS.value:
            kinds = make_physics(num_tasks, num_threads)
            bare, *ours = take_turns(kinds, _SECONDS.value, _NUM_REPEATS.value).values()
            print(
                f"{num_tasks:>5} {num_threads:>7} {bare:>10,.0f}"
                + "".join(f"{rate:>11,.0f} {rate / bare:>6.0%}" for rate in ours)
            )


def main(arguments: list[str]) -> None:
    """Prints both tables."""
    del arguments
    os.chdir(tempfile.mkdtemp())  # gymnasium's model makes MuJoCo write a log file at every load
    multiprocessing.get_context("forkserver").set_forkserver_preload(["gymnasium.envs.mujoco.half_cheetah_v5"])
    num_cores = len(os.sched_getaffinity(0))
    if importlib.util.find_spec("envpool") is None:
        print("envpool is not installed and left out: uv sync --group bench")
    print(f"{_BENCHMARK} beside {_GYM_ID}, {num_cores} cores, median of {_NUM_REPEATS.value}")
    print_with_policy(num_cores)
    print_physics(num_cores)


if __name__ == "__main__":
    app.run(main)
