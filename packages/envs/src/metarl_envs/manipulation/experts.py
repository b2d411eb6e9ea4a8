"""Controllers that are told the task: they show that it can be done, and give demonstrations.

In the shape descriptions, `N` denotes the environments side by side, `Da` the numbers in an action.
"""

import numpy as np

from metarl_envs.manipulation.scene import Scene
from metarl_envs.mujoco.scenario import Fields
from metarl_envs.mujoco.simulation import Simulation

_LONGEST = 0.06
"""m that the tip is asked to move at once."""

_DAMPING = 1e-3
"""Of the least squares, which keeps steps small where the arm is stretched."""


def expert_action(scene: Scene, simulation: Simulation) -> np.ndarray:
    """Moves the tip to where `Scene.guide` wants it, tool kept as it points at the start, by inverse kinematics.

        dq = J^T (J J^T + c I)^-1 e

    `J` is the Jacobian of the tip's pose, `e` the error in position (m) and rotation (rad).

    Args:
      scene: what is played.
      simulation: of that scene.

    Returns:
      `[N, Da]` in [-1, 1].
    """
    fields, num = simulation.fields, len(simulation.fields["qpos"])
    tip = scene.site(fields, "tip")
    move = scene.guide(fields, simulation.tasks) - tip
    length = np.linalg.norm(move, axis=-1, keepdims=True)
    move = move * np.minimum(1.0, _LONGEST / np.maximum(length, 1e-9))
    body = scene.model.site("tip").bodyid[0]
    linear, angular = simulation.batch.jac(body, tip)
    jacobian = np.concatenate([linear, scene.turning_weight * angular], axis=1)[:, :, : scene.action_size]
    error = np.concatenate([move, scene.turning_weight * _turn(scene, fields, simulation.tasks)], axis=-1)
    square = jacobian @ jacobian.transpose(0, 2, 1) + _DAMPING * np.eye(6)
    change = (jacobian.transpose(0, 2, 1) @ np.linalg.solve(square, error[..., None]))[..., 0]
    action = change / scene.reach
    return action / np.maximum(1.0, np.abs(action).max(-1, keepdims=True)).reshape(num, 1)


def _turn(scene: Scene, fields: Fields, tasks: object) -> np.ndarray:
    """The rotation, as a small vector `[N, 3]` rad, from the tip's axes to those that the scene wants."""
    axes, wanted = scene.site_axes(fields, "tip"), scene.guide_axes(fields, tasks)
    return 0.5 * np.cross(axes, wanted, axisa=1, axisb=1, axisc=1).sum(axis=2)
