"""Tasks of simulated robots seen through cameras (extra `mujoco`)."""

from metarl_envs.mujoco.pixels.env import PixelEnv
from metarl_envs.mujoco.pixels.family import PixelFamily
from metarl_envs.mujoco.pixels.simulation import Physics, PixelSimulation, Scenario
from metarl_envs.mujoco.pixels.vector_env import PixelVectorEnv

__all__ = ["Physics", "PixelEnv", "PixelFamily", "PixelSimulation", "PixelVectorEnv", "Scenario"]
