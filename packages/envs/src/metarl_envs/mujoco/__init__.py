"""Simulated robots: what all families that MuJoCo steps share, drawing included (extra `mujoco`)."""

from metarl_envs.mujoco.env import RobotEnv
from metarl_envs.mujoco.family import SimulatedFamily
from metarl_envs.mujoco.scenario import Scenario
from metarl_envs.mujoco.simulation import Simulation
from metarl_envs.mujoco.vector_env import RobotVectorEnv

__all__ = ["RobotEnv", "RobotVectorEnv", "Scenario", "SimulatedFamily", "Simulation"]
