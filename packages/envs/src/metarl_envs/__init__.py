"""Versioned, seeded families of tasks for meta-reinforcement learning."""

from metarl_envs.adapters.wrappers import ChangingFamily, FilmedFamily, Shot
from metarl_envs.catcher import CatcherEnv, CatcherFamily, CatcherTask, PleCatcherEnv
from metarl_envs.catcher.family import register as _register_catcher
from metarl_envs.check_family import check_family
from metarl_envs.checks import check_actions, check_vector_space
from metarl_envs.fingerprint import fingerprint
from metarl_envs.from_gymnasium import GymnasiumFamily, from_gymnasium
from metarl_envs.functional_env import FunctionalEnv
from metarl_envs.functional_family import FunctionalFamily
from metarl_envs.functional_vector import FunctionalVectorEnv
from metarl_envs.gymnasium_ids import register_with_gymnasium
from metarl_envs.infos import transition_info
from metarl_envs.locomotion.benchmarks import register as _register_locomotion
from metarl_envs.manipulation.benchmarks import register as _register_manipulation
from metarl_envs.pixels import PixelEnv, PixelFamily, PixelVectorEnv
from metarl_envs.pixels.locomotion import register as _register_tracked
from metarl_envs.point import PointEnv, PointFamily, PointTask
from metarl_envs.point.family import register as _register_point
from metarl_envs.point.image import PointImageEnv
from metarl_envs.point.image_family import PointImageFamily
from metarl_envs.point.image_family import register as _register_point_images
from metarl_envs.registry import benchmark, benchmark_names, register_benchmark
from metarl_envs.tasks import Benchmark, Task, TaskFamily, Tasks, get_task, num_tasks, take_tasks

_register_catcher()
_register_locomotion()
_register_manipulation()
_register_point()
_register_point_images()
_register_tracked()

__all__ = [
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
    "PixelEnv",
    "PixelFamily",
    "PixelVectorEnv",
    "PleCatcherEnv",
    "PointEnv",
    "PointFamily",
    "PointImageEnv",
    "PointImageFamily",
    "PointTask",
    "Shot",
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
    "num_tasks",
    "register_benchmark",
    "register_with_gymnasium",
    "take_tasks",
    "transition_info",
]
