"""Versioned, seeded families of tasks for meta-reinforcement learning."""

from metarl_envs.adapters.functional_env import FunctionalEnv
from metarl_envs.adapters.functional_family import FunctionalFamily
from metarl_envs.adapters.functional_vector import FunctionalVectorEnv
from metarl_envs.adapters.gymnasium_family import GymnasiumFamily, from_gymnasium
from metarl_envs.adapters.gymnasium_ids import register_with_gymnasium
from metarl_envs.adapters.infos import transition_info
from metarl_envs.adapters.wrappers import ChangingFamily, FilmedFamily, Shot
from metarl_envs.benchmarks import register_all
from metarl_envs.catcher import CatcherEnv, CatcherFamily, CatcherTask, PleCatcherEnv
from metarl_envs.check_family import check_family
from metarl_envs.checks import Actions, check_actions, check_vector_space, is_picture, read_actions
from metarl_envs.fingerprint import fingerprint
from metarl_envs.mujoco import SimulatedFamily
from metarl_envs.point import PointEnv, PointFamily, PointTask
from metarl_envs.point.image import PointImageEnv
from metarl_envs.point.image_family import PointImageFamily
from metarl_envs.registry import benchmark, benchmark_names, register_benchmark
from metarl_envs.tasks import Benchmark, Task, TaskFamily, Tasks, get_task, num_tasks, take_tasks

register_all()

__all__ = [
    "Actions",
    "Benchmark",
    "CatcherEnv",
    "CatcherFamily",
    "CatcherTask",
    "ChangingFamily",
    "FilmedFamily",
    "FunctionalEnv",
    "FunctionalFamily",
    "FunctionalVectorEnv",
    "GymnasiumFamily",
    "PleCatcherEnv",
    "PointEnv",
    "PointFamily",
    "PointImageEnv",
    "PointImageFamily",
    "PointTask",
    "Shot",
    "SimulatedFamily",
    "Task",
    "TaskFamily",
    "Tasks",
    "benchmark",
    "benchmark_names",
    "check_actions",
    "check_family",
    "check_vector_space",
    "fingerprint",
    "from_gymnasium",
    "get_task",
    "is_picture",
    "num_tasks",
    "read_actions",
    "register_benchmark",
    "register_with_gymnasium",
    "take_tasks",
    "transition_info",
]
