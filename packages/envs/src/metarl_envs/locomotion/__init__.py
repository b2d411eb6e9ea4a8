"""MuJoCo locomotion: six families of tasks for meta-reinforcement learning, and the hopper (extra `mujoco`)."""

from metarl_envs.locomotion.env import LocomotionEnv
from metarl_envs.locomotion.family import LocomotionFamily
from metarl_envs.locomotion.tasks import DirectionTask, DynamicsTask, GoalTask, SignTask, VelocityTask
from metarl_envs.locomotion.vector_env import LocomotionVectorEnv

__all__ = [
    "DirectionTask",
    "DynamicsTask",
    "GoalTask",
    "LocomotionEnv",
    "LocomotionFamily",
    "LocomotionVectorEnv",
    "SignTask",
    "VelocityTask",
]
