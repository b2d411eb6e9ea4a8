"""Fixed task sets of locomotion, by name.

They are drawn by NumPy's `RandomState(1337)`, whose stream NumPy has frozen: the same on every machine. 1337 is the
seed of PEARL's reference code, so Half-Cheetah-Vel has its very tasks; its other task sets had no fixed seed.
"""

import dataclasses
import functools
from collections.abc import Callable

import numpy as np

from metarl_envs.adapters.gymnasium_ids import register_with_gymnasium
from metarl_envs.locomotion import robots
from metarl_envs.locomotion.family import HORIZON, DrawTasks, LocomotionFamily
from metarl_envs.locomotion.rules import (
    AntDir,
    AntGoal,
    HalfCheetahDir,
    HalfCheetahVel,
    HopperParams,
    HumanoidDir,
    Rules,
    WalkerParams,
)
from metarl_envs.locomotion.tasks import DirectionTask, DynamicsTask, GoalTask, SignTask, VelocityTask
from metarl_envs.registry import register_benchmark
from metarl_envs.tasks import Benchmark, Tasks, take_tasks

_SEED = 1337
_GOAL_RADIUS = 3.0
_REFERENCE_TIME_STEP = 0.004


def draw_velocities(rng: np.random.RandomState, n: int, fastest: float = 3.0) -> VelocityTask:
    """Uniform between 0 and `fastest` m/s."""
    return VelocityTask(rng.uniform(0, fastest, n).astype(np.float32))


def draw_signs(rng: np.random.RandomState, n: int) -> SignTask:
    """Forward or backward with equal chance."""
    return SignTask(rng.choice([1.0, -1.0], n).astype(np.float32))


def draw_directions(rng: np.random.RandomState, n: int) -> DirectionTask:
    """All around, uniform."""
    return DirectionTask(rng.uniform(0, 2 * np.pi, n).astype(np.float32))


def draw_forward_or_backward(rng: np.random.RandomState, n: int) -> DirectionTask:
    """0 or pi with equal chance."""
    return DirectionTask(rng.choice([0.0, np.pi], n).astype(np.float32))


def draw_goals(rng: np.random.RandomState, n: int) -> GoalTask:
    """Uniform in the disc of radius 3 m around the start."""
    angle, radius = rng.uniform(0, 2 * np.pi, n), _GOAL_RADIUS * np.sqrt(rng.uniform(0, 1, n))
    return GoalTask((radius * np.array([np.cos(angle), np.sin(angle)])).T.astype(np.float32))


def draw_dynamics(rng: np.random.RandomState, n: int, *, sizes: tuple[int, int, int]) -> DynamicsTask:
    """Multipliers of every mass, inertia and friction, 1.5^u, and of every damping, 1.3^u, with u uniform in [-3, 3].

    Args:
      rng: source of randomness.
      n: tasks.
      sizes: the robot's bodies, degrees of freedom and geoms.
    """
    num_bodies, num_dofs, num_geoms = sizes

    def draw(base: float, *shape: int) -> np.ndarray:
        return (base ** rng.uniform(-3, 3, (n, *shape))).astype(np.float32)

    return DynamicsTask(
        mass=draw(1.5, num_bodies),
        inertia=draw(1.5, num_bodies, 3),
        damping=draw(1.3, num_dofs),
        friction=draw(1.5, num_geoms, 3),
    )


_WALKER_SIZES, _HOPPER_SIZES = (8, 9, 8), (5, 6, 5)
_BOTH_WAYS = DirectionTask(np.array([0, np.pi], np.float32))
_BOTH_SIGNS = SignTask(np.array([1, -1], np.float32))


def _drawn(name: str, rules: Rules, draw_tasks: DrawTasks, *, num_train: int, num_test: int) -> Benchmark:
    tasks = draw_tasks(np.random.RandomState(_SEED), num_train + num_test)
    family = LocomotionFamily(rules, draw_tasks)
    train, test = np.arange(num_train), np.arange(num_train, num_train + num_test)
    return Benchmark(name, family, take_tasks(tasks, train), take_tasks(tasks, test))


def _two(name: str, rules: Rules, draw_tasks: DrawTasks, tasks: Tasks) -> Benchmark:
    """Two tasks, which are trained on and tested on, as in the thesis."""
    return Benchmark(name, LocomotionFamily(rules, draw_tasks), tasks, tasks)


def _makers() -> dict[str, Callable[[str], Benchmark]]:
    walker = functools.partial(draw_dynamics, sizes=_WALKER_SIZES)
    hopper = functools.partial(draw_dynamics, sizes=_HOPPER_SIZES)
    slow_walker = WalkerParams(dataclasses.replace(robots.WALKER, time_step=_REFERENCE_TIME_STEP))
    slow_hopper = HopperParams(dataclasses.replace(robots.HOPPER, time_step=_REFERENCE_TIME_STEP))
    slow = functools.partial(draw_velocities, fastest=2.0)

    def many(rules: Rules, draw_tasks: DrawTasks, num_train: int, num_test: int) -> Callable[[str], Benchmark]:
        return lambda name: _drawn(name, rules, draw_tasks, num_train=num_train, num_test=num_test)

    return {
        "half-cheetah-dir-v0": lambda name: _two(name, HalfCheetahDir(), draw_signs, _BOTH_SIGNS),
        "half-cheetah-vel-v0": many(HalfCheetahVel(), draw_velocities, 100, 30),
        "half-cheetah-vel-slow-v0": many(HalfCheetahVel(), slow, 100, 30),
        "ant-fwd-back-v0": lambda name: _two(name, AntDir(), draw_forward_or_backward, _BOTH_WAYS),
        "ant-fwd-back-reference-v0": lambda name: _two(
            name, AntDir(), draw_directions, draw_directions(np.random.RandomState(_SEED), 2)
        ),
        "ant-goal-v0": many(AntGoal(), draw_goals, 100, 30),
        "ant-goal-reference-v0": many(AntGoal(), draw_goals, 150, 30),
        "humanoid-dir-v0": many(HumanoidDir(), draw_directions, 100, 30),
        "walker-params-v0": many(WalkerParams(), walker, 40, 10),
        "walker-params-reference-v0": many(slow_walker, walker, 40, 10),
        "hopper-params-v0": many(HopperParams(), hopper, 40, 10),
        "hopper-params-reference-v0": many(slow_hopper, hopper, 40, 10),
    }


def register() -> None:
    """Registers the benchmarks of this module, and their environments with gymnasium."""
    for name, make in _makers().items():
        register_benchmark(name, functools.partial(make, name))
        words, _, version = name.rpartition("-v")
        register_with_gymnasium(f"metarl_envs/{words.title().replace('-', '')}-v{version}", name, HORIZON)
