"""What the tasks of locomotion are, as pytrees whose leaves are `[N, ...]` for `N` tasks.

Leaves are NumPy arrays: the simulator runs on the host.
"""

from typing import NamedTuple

import numpy as np


class VelocityTask(NamedTuple):
    """Run forward this fast. velocity: float32 scalar, m/s."""

    velocity: np.ndarray


class SignTask(NamedTuple):
    """Run forward or backward. sign: float32 scalar, 1 or -1."""

    sign: np.ndarray


class DirectionTask(NamedTuple):
    """Run this way. angle: float32 scalar, rad from the x axis."""

    angle: np.ndarray


class GoalTask(NamedTuple):
    """Go there. goal: `[2]` float32, m."""

    goal: np.ndarray


class DynamicsTask(NamedTuple):
    """A body like the robot's own, each number of it multiplied by one here.

    In the shapes `Nb`, `Nv` and `Ng` denote the model's bodies, degrees of freedom and geoms.

    mass: `[Nb]` float32. inertia: `[Nb, 3]` float32. damping: `[Nv]` float32. friction: `[Ng, 3]` float32.
    """

    mass: np.ndarray
    inertia: np.ndarray
    damping: np.ndarray
    friction: np.ndarray


MODEL_FIELDS = {"mass": "body_mass", "inertia": "body_inertia", "damping": "dof_damping", "friction": "geom_friction"}
"""The field of MuJoCo's model that each part of a `DynamicsTask` multiplies."""
