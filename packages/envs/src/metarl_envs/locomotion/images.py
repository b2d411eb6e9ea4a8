"""The half-cheetah seen by a camera that follows it (thesis, appendix D.2)."""

import dataclasses
import functools
from typing import Any

import numpy as np

from metarl_envs.adapters.gymnasium_ids import register_with_gymnasium
from metarl_envs.locomotion.rules import HalfCheetahTrack, HalfCheetahTrackReference, Rules
from metarl_envs.locomotion.simulation import Simulation
from metarl_envs.locomotion.tasks import VelocityTask
from metarl_envs.mujoco.pixels.family import PixelFamily, draw_benchmark
from metarl_envs.registry import register_benchmark
from metarl_envs.tasks import Benchmark, Tasks

HORIZON = 50
"""Steps of an episode (thesis, appendix D.2.2)."""

_FASTEST = 3.0


@dataclasses.dataclass(frozen=True)
class TrackedRobot:
    """A robot of locomotion and its own camera, at the side, which moves along with it.

    rules: what is rewarded; what they observe is not used.
    """

    rules: Rules

    cameras = ("track",)

    @property
    def action_size(self) -> int:
        """Actuators."""
        return self.rules.robot.action_size

    @property
    def model(self) -> Any:
        """The robot's."""
        return self.rules.robot.model

    @property
    def step_seconds(self) -> float:
        """Duration of a step of the environment, s."""
        return self.rules.robot.step_seconds

    def draw_tasks(self, rng: np.random.RandomState, n: int) -> VelocityTask:
        """Velocities uniform in [0, 3] m/s."""
        return VelocityTask(rng.uniform(0, _FASTEST, n).astype(np.float32))

    def make_physics(self, tasks: Tasks, num_threads: int) -> Simulation:
        """Makes the simulations."""
        return Simulation(self.rules, tasks, num_threads)


def _benchmark(name: str, rules: Rules, num_train: int) -> Benchmark:
    return draw_benchmark(name, PixelFamily(TrackedRobot(rules), HORIZON), num_train=num_train, num_test=10)


def register() -> None:
    """Registers the benchmarks of this module, and their environments with gymnasium."""
    for name, env_id, rules, num_train in (
        ("half-cheetah-vel-image-v0", "HalfCheetahVelImage-v0", HalfCheetahTrack(), 30),
        ("half-cheetah-vel-image-reference-v0", "HalfCheetahVelImageReference-v0", HalfCheetahTrackReference(), 20),
    ):
        register_benchmark(name, functools.partial(_benchmark, name, rules, num_train))
        register_with_gymnasium(f"metarl_envs/{env_id}", name, HORIZON)
