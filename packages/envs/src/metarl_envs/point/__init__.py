"""2-D navigation: dynamics, families, task sets."""

from metarl_envs.point.dynamics import PointEnv, PointTask
from metarl_envs.point.family import PointFamily

__all__ = ["PointEnv", "PointFamily", "PointTask"]
