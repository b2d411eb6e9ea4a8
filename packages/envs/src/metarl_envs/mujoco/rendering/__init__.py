"""Drawing MuJoCo simulations, many at a time, with whatever this machine can draw with (extra `mujoco` or `warp`)."""

from metarl_envs.mujoco.rendering.backends import BACKENDS, ENVIRONMENT_VARIABLE, candidates
from metarl_envs.mujoco.rendering.batch import BatchRenderer
from metarl_envs.mujoco.rendering.options import RenderOptions

__all__ = ["BACKENDS", "ENVIRONMENT_VARIABLE", "BatchRenderer", "RenderOptions", "candidates"]
