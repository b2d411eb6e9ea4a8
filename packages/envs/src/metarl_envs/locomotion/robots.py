"""The robots: gymnasium's models, loaded from the installed gymnasium, and how they are stepped and placed.

Nothing of them is stored here. What a model must be is: `load` compares it with the numbers that a benchmark's version
stands for, so that another gymnasium cannot change a benchmark silently.
"""

import dataclasses
import functools
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from metarl_envs.mujoco.library import import_mujoco

if TYPE_CHECKING:
    import mujoco

_SIGNATURE_FIELDS = (
    "body_mass",
    "body_inertia",
    "body_pos",
    "dof_armature",
    "dof_damping",
    "jnt_stiffness",
    "jnt_range",
    "geom_size",
    "geom_friction",
    "actuator_gear",
    "actuator_ctrlrange",
)


@dataclasses.dataclass(frozen=True)
class Robot:
    """A model and its use.

    model_file: in gymnasium's assets.
    frame_skip: simulation steps for each step of the environment.
    position_noise: half-width of the uniform noise on the first generalised positions.
    velocity_noise: half-width of the uniform noise on the first velocities, or its standard deviation.
    normal_velocity: whether that noise is normal.
    action_size: actuators.
    signature: see `signature`; of the model as it is loaded.
    total_mass: kg to which masses and inertias are scaled; None leaves them.
    time_step: s of a simulation step; None is the model's own.
    sensed_body: a body that gets an accelerometer, without which MuJoCo leaves the contact forces `cfrc_ext` at zero.
    """

    model_file: str
    frame_skip: int
    position_noise: float
    velocity_noise: float
    normal_velocity: bool
    action_size: int
    signature: float
    total_mass: float | None = None
    time_step: float | None = None
    sensed_body: str | None = None

    @functools.cached_property
    def model(self) -> "mujoco.MjModel":
        """The compiled model; not to be changed.

        Raises:
          ImportError: MuJoCo is not installed.
          RuntimeError: the installed gymnasium has another model.
        """
        mujoco = import_mujoco()
        spec = mujoco.MjSpec.from_file(str(_assets() / self.model_file))
        spec.compiler.settotalmass = -1  # deprecated: a warning and a log file at every load
        if self.sensed_body is not None:
            spec.body(self.sensed_body).add_site(name="accelerometer")
            spec.add_sensor(
                type=mujoco.mjtSensor.mjSENS_ACCELEROMETER,
                objtype=mujoco.mjtObj.mjOBJ_SITE,
                objname="accelerometer",
            )
        model = spec.compile()
        if self.total_mass is not None:
            mujoco.mj_setTotalmass(model, self.total_mass)
            mujoco.mj_setConst(model, mujoco.MjData(model))
        found = signature(model)
        if not np.isclose(found, self.signature, rtol=1e-6):
            raise RuntimeError(
                f"gymnasium's {self.model_file} is not the model of this benchmark version: signature {found!r}, "
                f"must be {self.signature!r}; install the gymnasium that metarl-envs was tested with"
            )
        if self.time_step is not None:
            model.opt.timestep = self.time_step
        return model

    @property
    def step_seconds(self) -> float:
        """Duration of a step of the environment, s."""
        return self.frame_skip * self.model.opt.timestep


def signature(model: "mujoco.MjModel") -> float:
    """A number that changes with any mass, inertia, length, damping, friction, gear, range or time step of a model."""
    values = np.concatenate([np.ravel(getattr(model, name)) for name in _SIGNATURE_FIELDS])
    weights = 1 + np.sin(np.arange(len(values)))
    return float(weights @ np.abs(values) + model.opt.timestep)


def _assets() -> Path:
    spec = importlib.util.find_spec("gymnasium.envs.mujoco")
    if spec is None or spec.origin is None:
        raise RuntimeError("the installed gymnasium has no MuJoCo models")
    return Path(spec.origin).parent / "assets"


HALF_CHEETAH = Robot(
    "half_cheetah.xml",
    frame_skip=5,
    position_noise=0.1,
    velocity_noise=0.1,
    normal_velocity=True,
    action_size=6,
    signature=1493.375505,
    total_mass=14.0,
)
SLOW_HALF_CHEETAH = dataclasses.replace(HALF_CHEETAH, frame_skip=10)
"""The same at 10 Hz."""
ANT = Robot(
    "ant.xml",
    frame_skip=5,
    position_noise=0.1,
    velocity_noise=0.1,
    normal_velocity=True,
    action_size=8,
    signature=1027.358938,
    sensed_body="torso",
)
HUMANOID = Robot(
    "humanoid.xml",
    frame_skip=5,
    position_noise=0.01,
    velocity_noise=0.01,
    normal_velocity=False,
    action_size=17,
    signature=2732.028226,
    sensed_body="torso",
)
WALKER = Robot(
    "walker2d_v5.xml",
    frame_skip=4,
    position_noise=0.005,
    velocity_noise=0.005,
    normal_velocity=False,
    action_size=6,
    signature=557.8813449,
)
HOPPER = Robot(
    "hopper.xml",
    frame_skip=4,
    position_noise=0.005,
    velocity_noise=0.005,
    normal_velocity=False,
    action_size=3,
    signature=969.9752904,
)
