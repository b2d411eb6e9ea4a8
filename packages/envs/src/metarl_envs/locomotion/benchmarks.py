"""Fixed task sets of locomotion, by name.

They are drawn by NumPy's `RandomState(1337)`, whose stream NumPy has frozen: the same on every machine. 1337 is the
seed of PEARL's reference code, so Half-Cheetah-Vel has its very tasks; its other task sets had no fixed seed.
"""

import dataclasses
import functools

import numpy as np

from metarl_envs.locomotion import robots
from metarl_envs.locomotion.rules import (
    AntDir,
    AntGoal,
    HalfCheetahDir,
    HalfCheetahTrack,
    HalfCheetahTrackReference,
    HalfCheetahVel,
    HopperParams,
    HumanoidDir,
    WalkerParams,
)
from metarl_envs.locomotion.scenario import Locomotion
from metarl_envs.locomotion.tasks import DirectionTask, DynamicsTask, GoalTask, SignTask, VelocityTask
from metarl_envs.mujoco.family import SEED, drawn, fixed
from metarl_envs.registry import Recipe

_PICTURES_HORIZON = 50
"""Steps of an episode (thesis, appendix D.2.2)."""

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


_WALKER = functools.partial(draw_dynamics, sizes=_WALKER_SIZES)
_HOPPER = functools.partial(draw_dynamics, sizes=_HOPPER_SIZES)
_SLOW_WALKER = WalkerParams(dataclasses.replace(robots.WALKER, time_step=_REFERENCE_TIME_STEP))
_SLOW_HOPPER = HopperParams(dataclasses.replace(robots.HOPPER, time_step=_REFERENCE_TIME_STEP))
_TRACK = Locomotion(HalfCheetahTrack(), draw_velocities, _PICTURES_HORIZON, pictures=True)
_TRACK_REFERENCE = dataclasses.replace(_TRACK, rules=HalfCheetahTrackReference())

# Two tasks are trained on and tested on, as in the thesis.
BENCHMARKS: dict[str, Recipe] = {
    "half-cheetah-dir-v0": fixed(Locomotion(HalfCheetahDir(), draw_signs), _BOTH_SIGNS),
    "half-cheetah-vel-v0": drawn(Locomotion(HalfCheetahVel(), draw_velocities), 100, 30),
    "half-cheetah-vel-slow-v0": drawn(
        Locomotion(HalfCheetahVel(), functools.partial(draw_velocities, fastest=2.0)), 100, 30
    ),
    "half-cheetah-vel-image-v0": drawn(_TRACK, 30, 10),
    "half-cheetah-vel-image-reference-v0": drawn(_TRACK_REFERENCE, 20, 10),
    "ant-fwd-back-v0": fixed(Locomotion(AntDir(), draw_forward_or_backward), _BOTH_WAYS),
    "ant-fwd-back-reference-v0": fixed(
        Locomotion(AntDir(), draw_directions), draw_directions(np.random.RandomState(SEED), 2)
    ),
    "ant-goal-v0": drawn(Locomotion(AntGoal(), draw_goals), 100, 30),
    "ant-goal-reference-v0": drawn(Locomotion(AntGoal(), draw_goals), 150, 30),
    "humanoid-dir-v0": drawn(Locomotion(HumanoidDir(), draw_directions), 100, 30),
    "walker-params-v0": drawn(Locomotion(WalkerParams(), _WALKER), 40, 10),
    "walker-params-reference-v0": drawn(Locomotion(_SLOW_WALKER, _WALKER), 40, 10),
    "hopper-params-v0": drawn(Locomotion(HopperParams(), _HOPPER), 40, 10),
    "hopper-params-reference-v0": drawn(Locomotion(_SLOW_HOPPER, _HOPPER), 40, 10),
}
