"""What a scene of manipulation is: a robot, what stands around it, and what it is asked to do.

In the shape descriptions, `N` denotes the environments side by side, `Da` the numbers in an action.
"""

import abc
import dataclasses
import functools
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from metarl_envs.manipulation import sawyer
from metarl_envs.manipulation.mjcf import OPTIONS
from metarl_envs.manipulation.rewards import REWARDS
from metarl_envs.mujoco.library import import_mujoco
from metarl_envs.mujoco.scenario import Fields
from metarl_envs.tasks import Tasks

TOOL_DOWN = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])
"""Axes of a tool that points down, as columns: how the Sawyer's hand is turned at the start."""


@dataclasses.dataclass(frozen=True)
class Scene(abc.ABC):
    """A `metarl_envs.mujoco.Scenario` of manipulation, seen through cameras. Nothing terminates, nothing is random."""

    horizon = 40  # thesis, appendix D.2.2
    pictures, obs_size = True, 0
    cameras = ("scene", "wrist")
    terminates = False
    settle_steps = 0
    keyframe = 0
    fields = ("qpos", "qvel", "ctrl", "mocap_pos", "mocap_quat", "site_xpos", "site_xmat")
    stage = "POS"

    reach: ClassVar[float]
    """rad that an action of 1 asks of a joint in a step."""

    more_signals: ClassVar[tuple[str, ...]] = ()
    """Names of what `judge` reports besides the distance, the success and both rewards."""

    turning_weight: ClassVar[float] = 0.2
    """m; how much an expert minds a turn of a radian. 0 leaves the tool's direction free."""

    @property
    def signals(self) -> tuple[str, ...]:
        """Sorted names of what `judge` reports."""
        return tuple(sorted(("dense_reward", "distance", "sparse_reward", "success", *self.more_signals)))

    @property
    @abc.abstractmethod
    def action_size(self) -> int:
        """Numbers in an action."""

    @property
    @abc.abstractmethod
    def frame_skip(self) -> int:
        """Simulation steps of 2.5 ms for each step of the environment."""

    @functools.cached_property
    def model(self) -> Any:
        """MuJoCo's, compiled; not to be changed. Its first keyframe is the start.

        Raises:
          ImportError: MuJoCo is not installed.
        """
        return import_mujoco().MjModel.from_xml_string(f"<mujoco>{OPTIONS}{self.xml()}</mujoco>")

    @property
    def step_seconds(self) -> float:
        """Duration of a step of the environment, s."""
        return self.frame_skip * 0.0025

    @abc.abstractmethod
    def xml(self) -> str:
        """The model, less what all scenes share: world, actuators, keyframe."""

    @abc.abstractmethod
    def draw_tasks(self, rng: np.random.RandomState, n: int) -> Tasks:
        """Draws `n` independent tasks."""

    @abc.abstractmethod
    def command(self, fields: Fields, action: np.ndarray) -> None:
        """Writes controls for `action: [N, Da]` in [-1, 1]."""

    @abc.abstractmethod
    def judge(self, fields: Fields, tasks: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """The reward `[N]`, and signals `[N]` by name, of the state after a step."""

    @abc.abstractmethod
    def guide(self, fields: Fields, tasks: Any) -> np.ndarray:
        """Where who knows the task would move the site `tip` next, `[N, 3]` m."""

    def guide_axes(self, fields: Fields, tasks: Any) -> np.ndarray:
        """How the site `tip` would be turned, its axes as the columns of `[N, 3, 3]`: by default z down, x left."""
        del tasks
        return np.broadcast_to(TOOL_DOWN, (len(fields["qpos"]), 3, 3))

    def arrange(self, fields: Fields, tasks: Any) -> None:
        """Moves what the tasks move, in all simulations: by default nothing."""
        del fields, tasks

    def change_model(self, batch: Any, tasks: Any) -> None:
        """Changes what the tasks change in the simulations' models: by default nothing."""
        del batch, tasks

    def start(self, fields: Fields, indices: np.ndarray, rngs: Sequence[np.random.Generator]) -> None:
        """Robots start from the keyframe."""
        del fields, indices, rngs

    def score(self, fields: Fields, tasks: Any, before: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """What `judge` says."""
        del before
        return self.judge(fields, tasks)

    def terminated(self, fields: Fields) -> np.ndarray:
        """Never."""
        return np.zeros(len(fields["qpos"]), bool)

    def observe(self, fields: Fields) -> np.ndarray:
        """Positions of all joints, for who has no cameras."""
        return fields["qpos"]

    @functools.cached_property
    def _site_ids(self) -> dict[str, int]:
        return {self.model.site(i).name: i for i in range(self.model.nsite)}

    def site(self, fields: Fields, name: str) -> np.ndarray:
        """Position of a site, `[N, 3]` m."""
        return fields["site_xpos"].reshape(len(fields["qpos"]), -1, 3)[:, self._site_ids[name]]

    def site_axes(self, fields: Fields, name: str) -> np.ndarray:
        """Axes of a site as the columns of `[N, 3, 3]`."""
        return fields["site_xmat"].reshape(len(fields["qpos"]), -1, 3, 3)[:, self._site_ids[name]]


@dataclasses.dataclass(frozen=True)
class SawyerScene(Scene):
    """The Sawyer under joint deltas at 4 Hz: an action of 1 asks a joint for 0.04 rad from where it is (thesis, D.2.2).

    Every step reports `distance` in m, `success` as the thesis defines it, and both rewards, `dense_reward` and
    `sparse_reward`, which is 1 where the task is done and 0 elsewhere.

    sparse: which of the two is the reward.
    shaping: the dense reward, "thesis" or "reference".
    """

    sparse: bool = False
    shaping: str = "thesis"

    action_size = sawyer.NUM_JOINTS
    frame_skip = 100
    reach = 0.04

    def __post_init__(self) -> None:
        """Raises ValueError where there is no such reward."""
        if self.shaping not in REWARDS:
            raise ValueError(f"shaping={self.shaping!r} must be one of {', '.join(REWARDS)}")

    def command(self, fields: Fields, action: np.ndarray) -> None:
        """See the class."""
        target = fields["qpos"][:, : sawyer.NUM_JOINTS] + self.reach * action
        fields["ctrl"][:] = np.clip(target, sawyer.LOWEST, sawyer.HIGHEST)

    def rate(
        self, distance: np.ndarray, success: np.ndarray, done: np.ndarray
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Reward and signals.

        Args:
          distance: `[N]` m to the goal.
          success: `[N]` bool, by the thesis's metric.
          done: `[N]` bool, what the sparse reward rewards.
        """
        dense, sparse = REWARDS[self.shaping](distance), done.astype(np.float64)
        signals = {"distance": distance, "success": success, "dense_reward": dense, "sparse_reward": sparse}
        return sparse if self.sparse else dense, signals
