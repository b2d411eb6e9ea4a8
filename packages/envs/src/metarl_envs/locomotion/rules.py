"""What is observed, rewarded and forbidden in each family of locomotion tasks: the tables of PEARL's reference code.

In the shape descriptions, `N` denotes the environments side by side, `Dq`, `Dv`, `Du` the model's positions,
velocities and controls. All arrays are NumPy float64. Units: m, rad, s, kg.
"""

import abc
import dataclasses
from typing import Any, ClassVar, NamedTuple

import numpy as np

from metarl_envs.locomotion import robots
from metarl_envs.locomotion.robots import Robot
from metarl_envs.locomotion.tasks import DirectionTask, GoalTask, SignTask, VelocityTask
from metarl_envs.mujoco.scenario import Fields
from metarl_envs.tasks import Tasks

_ALONG_X = np.array([1, 0])


class Motion(NamedTuple):
    """What a reward may depend on.

    displacement: `[N, 2]` m along x and y during the step, of what `Rules.place` says.
    seconds: s of the step.
    control: `[N, Du]` as given to the actuators.
    fields: by name, MuJoCo's own arrays after the step: `qpos [N, Dq]`, `qvel [N, Dv]`, and what `Rules.derived` names.
    """

    displacement: np.ndarray
    seconds: float
    control: np.ndarray
    fields: Fields


@dataclasses.dataclass(frozen=True)
class Rules(abc.ABC):
    """One robot, and what it is asked to do.

    robot: whose model is simulated.
    """

    robot: Robot

    derived: ClassVar[tuple[str, ...]] = ()
    """Names of further fields that are read, all of the state after the step; gymnasium's own environments read them
    one simulation step late."""

    obs_size: ClassVar[int] = 0
    """Numbers in an observation."""

    action_scale: ClassVar[float] = 1.0
    """Share of the actuators' range that an action of 1 commands."""

    signals: ClassVar[tuple[str, ...]]
    """Sorted names of what `reward` reports."""

    def place(self, fields: Fields) -> np.ndarray:
        """Where the robot is, `[N, 2]` m along x and y: by default that of its root."""
        return fields["qpos"][:, :2]

    @abc.abstractmethod
    def observe(self, fields: Fields) -> np.ndarray:
        """What the agent sees, `[N, Do]`."""

    @abc.abstractmethod
    def reward(self, motion: Motion, tasks: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """The reward `[N]`, and signals `[N]` by name for the info."""

    def terminated(self, fields: Fields) -> np.ndarray:
        """Whether the robot has fallen, `[N]` bool: by default never."""
        return np.zeros(len(fields["qpos"]), bool)


@dataclasses.dataclass(frozen=True)
class _HalfCheetah(Rules):
    """Observation, 20: positions but the first (8), velocities (9), position of the torso (3). Nothing terminates."""

    robot: Robot = robots.HALF_CHEETAH

    obs_size = 20
    signals = ("control_cost", "x_velocity")

    def place(self, fields: Fields) -> np.ndarray:
        """Along x; the half-cheetah has no y."""
        return fields["qpos"][:, :1] * _ALONG_X

    def observe(self, fields: Fields) -> np.ndarray:
        """See the class."""
        qpos = fields["qpos"]
        obs = np.zeros((len(qpos), self.obs_size))
        obs[:, :8], obs[:, 8:17] = qpos[:, 1:], fields["qvel"]
        obs[:, 17], obs[:, 19] = qpos[:, 0], qpos[:, 1] + _TORSO_HEIGHT
        return obs


_TORSO_HEIGHT = 0.7
"""m; height of the half-cheetah's torso where its position is 0."""


class HalfCheetahVel(_HalfCheetah):
    """Run forward at a velocity: r = -|v_x - v*| - 0.05 |a|^2 (thesis, section 5.2.3, Half-Cheetah-Vel)."""

    def reward(self, motion: Motion, tasks: VelocityTask) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """See the class."""
        velocity = motion.displacement[:, 0] / motion.seconds
        cost = 0.05 * _square(motion.control)
        return -np.abs(velocity - tasks.velocity) - cost, {"x_velocity": velocity, "control_cost": cost}


@dataclasses.dataclass(frozen=True)
class HalfCheetahTrack(_HalfCheetah):
    """Run forward at a velocity, as MELD does from images: r = -|v_x - v*| - 0.01 |a|^2, 10 Hz (thesis, appendix D.2).

    The thesis prints the cost with a plus; its code subtracts it. `velocity_error`: |v_x - v*| in m/s; `success`: it is
    below 0.2.
    """

    robot: Robot = robots.SLOW_HALF_CHEETAH

    signals = ("control_cost", "success", "velocity_error", "x_velocity")

    def reward(self, motion: Motion, tasks: VelocityTask) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """See the class."""
        velocity = motion.displacement[:, 0] / motion.seconds
        cost, error = 0.01 * _square(motion.control), np.abs(velocity - tasks.velocity)
        signals = {"x_velocity": velocity, "control_cost": cost, "velocity_error": error, "success": error < 0.2}
        return -error - cost, signals


@dataclasses.dataclass(frozen=True)
class HalfCheetahTrackReference(HalfCheetahTrack):
    """The same with four fifths of the torque, as in MELD's code; |a| is that of the smaller actions."""

    action_scale = 0.8


class HalfCheetahDir(_HalfCheetah):
    """Run forward or backward: r = d v_x - 0.05 |a|^2, d = 1 or -1 (thesis, section 5.2.3, Half-Cheetah-Dir)."""

    def reward(self, motion: Motion, tasks: SignTask) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """See the class."""
        velocity = motion.displacement[:, 0] / motion.seconds
        cost = 0.05 * _square(motion.control)
        return tasks.sign * velocity - cost, {"x_velocity": velocity, "control_cost": cost}


@dataclasses.dataclass(frozen=True)
class AntDir(Rules):
    """Run in a direction (thesis, section 5.2.3, Ant-Fwd-Back; the reference's ant-dir).

        r = v . d - 0.5 |a|^2 - 5e-4 |clip(f, -1, 1)|^2 + 1

    v is the velocity of the torso, f the external forces on all bodies. Observation, 27: positions but x and y (13),
    velocities (14). Terminates where the torso's height is outside [0.2, 1.0] m.

    Differs from the reference: f is not zero. MuJoCo 2.0, which it ran on, left it so by mistake; the cost of contact
    is at most 0.04 a step.
    """

    robot: Robot = robots.ANT

    derived = ("cfrc_ext",)
    signals = ("contact_cost", "control_cost", "x_velocity", "y_velocity")
    obs_size = 27

    def observe(self, fields: Fields) -> np.ndarray:
        """See the class."""
        return np.concatenate([fields["qpos"][:, 2:], fields["qvel"]], axis=-1)

    def reward(self, motion: Motion, tasks: DirectionTask) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """See the class."""
        velocity = motion.displacement / motion.seconds
        cost, contact_cost = 0.5 * _square(motion.control), _ant_contact_cost(motion.fields)
        reward = _along(velocity, tasks) - cost - contact_cost + 1
        return reward, _velocity_signals(velocity) | {"control_cost": cost, "contact_cost": contact_cost}

    def terminated(self, fields: Fields) -> np.ndarray:
        """See the class."""
        height = fields["qpos"][:, 2]
        return (height < 0.2) | (height > 1.0)


@dataclasses.dataclass(frozen=True)
class AntGoal(Rules):
    """Go to a place (thesis, section 5.2.3, Ant-Goal-2D).

        r = -|x - x*| - |y - y*| - 0.1 |a|^2 - 5e-4 |clip(f, -1, 1)|^2

    x and y are the torso's, f the external forces on all bodies. Observation, 113: positions (15), velocities (14),
    clip(f, -1, 1) of all 14 bodies (84). Nothing terminates.

    Differs from the reference: f is not zero, as it was under its MuJoCo 2.0 by mistake, with 84 dead observations.
    """

    robot: Robot = robots.ANT

    derived = ("cfrc_ext",)
    signals = ("contact_cost", "control_cost", "l1_distance")
    obs_size = 113

    def observe(self, fields: Fields) -> np.ndarray:
        """See the class."""
        forces = np.clip(fields["cfrc_ext"], -1, 1)
        return np.concatenate([fields["qpos"], fields["qvel"], forces.reshape(len(forces), -1)], axis=-1)

    def reward(self, motion: Motion, tasks: GoalTask) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """See the class."""
        distance = np.abs(self.place(motion.fields) - tasks.goal).sum(axis=-1)
        cost, contact_cost = 0.1 * _square(motion.control), _ant_contact_cost(motion.fields)
        signals = {"l1_distance": distance, "control_cost": cost, "contact_cost": contact_cost}
        return -distance - cost - contact_cost, signals


@dataclasses.dataclass(frozen=True)
class HumanoidDir(Rules):
    """Run in a direction (thesis, section 5.2.3, Humanoid-Dir-2D).

        r = 0.25 d . (change of the centre of mass) / (time step of the simulation) - 0.1 |u|^2
            - min(5e-7 |f|^2, 10) + 5

    u are the controls in [-0.4, 0.4], f the external forces on all bodies. As in the reference, the change is over the
    5 simulation steps of a step but divided by the time of one, so the velocity counts 1.25. Observation, 376:
    positions but x and y (22), velocities (23), inertia and velocity about the centre of mass of all 14 bodies (140,
    84), actuator forces on all degrees of freedom (23), f (84). Terminates where the pelvis's height is outside [1, 2]
    m.

    Differs from the reference: f is not zero, as it was under its MuJoCo 2.0 by mistake.
    """

    robot: Robot = robots.HUMANOID

    derived = ("cinert", "cvel", "qfrc_actuator", "cfrc_ext", "xipos")
    signals = ("contact_cost", "control_cost", "x_velocity", "y_velocity")
    obs_size = 376

    def place(self, fields: Fields) -> np.ndarray:
        """The centre of mass."""
        mass = self.robot.model.body_mass
        return mass @ fields["xipos"][:, :, :2] / mass.sum()

    def observe(self, fields: Fields) -> np.ndarray:
        """See the class."""
        parts = [fields["qpos"][:, 2:], *(fields[name] for name in ("qvel", *self.derived[:4]))]
        return np.concatenate([part.reshape(len(part), -1) for part in parts], axis=-1)

    def reward(self, motion: Motion, tasks: DirectionTask) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """See the class."""
        velocity = motion.displacement / motion.seconds
        cost = 0.1 * _square(motion.control)
        contact_cost = np.minimum(5e-7 * _square(motion.fields["cfrc_ext"]), 10)
        reward = 0.25 * self.robot.frame_skip * _along(velocity, tasks) - cost - contact_cost + 5
        return reward, _velocity_signals(velocity) | {"control_cost": cost, "contact_cost": contact_cost}

    def terminated(self, fields: Fields) -> np.ndarray:
        """See the class."""
        height = fields["qpos"][:, 2]
        return (height < 1) | (height > 2)


@dataclasses.dataclass(frozen=True)
class _Params(Rules):
    """Run forward with an unknown body: r = v_x + 1 - 1e-3 |a|^2; tasks are `DynamicsTask`s, which rewards ignore."""

    signals = ("control_cost", "x_velocity")

    def place(self, fields: Fields) -> np.ndarray:
        """Along x; these robots have no y."""
        return fields["qpos"][:, :1] * _ALONG_X

    def observe(self, fields: Fields) -> np.ndarray:
        """Positions but the first, velocities clipped to [-10, 10]."""
        return np.concatenate([fields["qpos"][:, 1:], np.clip(fields["qvel"], -10, 10)], axis=-1)

    def reward(self, motion: Motion, tasks: Tasks) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """See the class."""
        del tasks
        velocity = motion.displacement[:, 0] / motion.seconds
        cost = 1e-3 * _square(motion.control)
        return velocity + 1 - cost, {"x_velocity": velocity, "control_cost": cost}


@dataclasses.dataclass(frozen=True)
class WalkerParams(_Params):
    """Walk forward (thesis, section 5.2.3, Walker-2D-Params).

    Observation, 17. Terminates where the torso's height is outside (0.8, 2) m or it leans by 1 rad or more.

    Differs from the reference: the robot is gymnasium's Walker2d-v5, whose feet have equal friction and whose
    simulation step is 0.002 s, so that a step is 0.008 s; the reference's is 0.016 s, as in
    `walker-params-reference-v0`.
    """

    robot: Robot = robots.WALKER

    obs_size = 17

    def terminated(self, fields: Fields) -> np.ndarray:
        """See the class."""
        height, lean = fields["qpos"][:, 1], fields["qpos"][:, 2]
        return (height <= 0.8) | (height >= 2) | (np.abs(lean) >= 1)


@dataclasses.dataclass(frozen=True)
class HopperParams(_Params):
    """Hop forward, with the rewards of `WalkerParams` (the reference's hopper-rand-params; not in the thesis).

    Observation, 11. Terminates where the torso's height is at most 0.7 m, it leans by 0.2 rad or more, or a number of
    the state but x and height reaches 100.

    Differs from the reference: a step is 0.008 s, as in gymnasium's Hopper-v5; its 0.016 s are in
    `hopper-params-reference-v0`.
    """

    robot: Robot = robots.HOPPER

    obs_size = 11

    def terminated(self, fields: Fields) -> np.ndarray:
        """See the class."""
        qpos = fields["qpos"]
        state = np.concatenate([qpos[:, 2:], fields["qvel"]], axis=-1)
        return (qpos[:, 1] <= 0.7) | (np.abs(qpos[:, 2]) >= 0.2) | (np.abs(state) >= 100).any(axis=-1)


def _square(values: np.ndarray) -> np.ndarray:
    return np.square(values).reshape(len(values), -1).sum(axis=-1)


def _along(velocity: np.ndarray, tasks: DirectionTask) -> np.ndarray:
    angle = tasks.angle.astype(np.float64)
    return velocity[:, 0] * np.cos(angle) + velocity[:, 1] * np.sin(angle)


def _velocity_signals(velocity: np.ndarray) -> dict[str, np.ndarray]:
    return {"x_velocity": velocity[:, 0], "y_velocity": velocity[:, 1]}


def _ant_contact_cost(fields: Fields) -> np.ndarray:
    return 5e-4 * _square(np.clip(fields["cfrc_ext"], -1, 1))
