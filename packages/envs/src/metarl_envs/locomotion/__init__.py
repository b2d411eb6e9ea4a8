"""MuJoCo locomotion: six families of tasks for meta-reinforcement learning, and the hopper (extra `mujoco`)."""

from metarl_envs.locomotion.scenario import Locomotion, read_dynamics
from metarl_envs.locomotion.tasks import DirectionTask, DynamicsTask, GoalTask, SignTask, VelocityTask

__all__ = [
    "DirectionTask",
    "DynamicsTask",
    "GoalTask",
    "Locomotion",
    "SignTask",
    "VelocityTask",
    "read_dynamics",
]
