"""A robot's rules as a scenario: how it is placed and driven, and what its tasks change.

In the shape descriptions, `N` denotes the simulations, `Du` the model's controls.
"""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from metarl_envs.locomotion.rules import Motion, Rules
from metarl_envs.locomotion.tasks import MODEL_FIELDS, DynamicsTask
from metarl_envs.mujoco.scenario import DrawTasks, Fields
from metarl_envs.mujoco.simulation import Simulation

HORIZON = 200
"""Steps of an episode (thesis, section 5.2.3)."""


@dataclasses.dataclass(frozen=True)
class Locomotion:
    """A `metarl_envs.mujoco.Scenario` of one robot.

    rules: what is observed, rewarded and forbidden.
    draw_tasks: the distribution of tasks.
    horizon: steps of an episode.
    pictures: whether pictures are observed, of a camera at the side which moves along, and not what the rules say.
    """

    rules: Rules
    draw_tasks: DrawTasks
    horizon: int = HORIZON
    pictures: bool = False

    cameras = ("track",)
    settle_steps = 0
    keyframe = -1

    @property
    def action_size(self) -> int:
        """Actuators; actions in [-1, 1] are their range."""
        return self.rules.robot.action_size

    @property
    def obs_size(self) -> int:
        """The rules'."""
        return self.rules.obs_size

    @property
    def signals(self) -> tuple[str, ...]:
        """The rules'."""
        return self.rules.signals

    @property
    def terminates(self) -> bool:
        """Whether the rules forbid anything."""
        return type(self.rules).terminated is not Rules.terminated

    @property
    def model(self) -> Any:
        """The robot's."""
        return self.rules.robot.model

    @property
    def step_seconds(self) -> float:
        """Duration of a step of the environment, s."""
        return self.rules.robot.step_seconds

    @property
    def frame_skip(self) -> int:
        """The robot's."""
        return self.rules.robot.frame_skip

    @property
    def fields(self) -> tuple[str, ...]:
        """State, controls, and what the rules derive."""
        return ("qpos", "qvel", "ctrl", *self.rules.derived)

    @property
    def stage(self) -> str:
        """All, where the rules derive anything."""
        return "ACC" if self.rules.derived else "NONE"

    def change_model(self, batch: Any, tasks: Any) -> None:
        """Multiplies the numbers of the bodies by those of a `DynamicsTask`."""
        if isinstance(tasks, DynamicsTask):
            for part, field in MODEL_FIELDS.items():
                batch.expand(field)[:] = getattr(self.model, field) * getattr(tasks, part)
            batch.set_const()  # what MuJoCo derives from masses follows them

    def arrange(self, fields: Fields, tasks: Any) -> None:
        """There is nothing to move."""

    def start(self, fields: Fields, indices: np.ndarray, rngs: Sequence[np.random.Generator]) -> None:
        """Places the robots anew, with noise."""
        robot, model = self.rules.robot, self.model
        for i in indices:
            noise = rngs[i].uniform(-robot.position_noise, robot.position_noise, model.nq)
            fields["qpos"][i] = model.qpos0 + noise
            if robot.normal_velocity:
                fields["qvel"][i] = robot.velocity_noise * rngs[i].standard_normal(model.nv)
            else:
                fields["qvel"][i] = rngs[i].uniform(-robot.velocity_noise, robot.velocity_noise, model.nv)

    def command(self, fields: Fields, action: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Writes controls; returns where the robots are, `[N, 2]`, and the controls, `[N, Du]`."""
        centre, half = self._control_range
        control = centre + half * (self.rules.action_scale * action)
        place = np.array(self.rules.place(fields))
        fields["ctrl"][:] = control
        return place, control

    @functools.cached_property
    def _control_range(self) -> tuple[np.ndarray, np.ndarray]:
        """Centre and half the width of the actuators' range, `[Du]`."""
        low, high = self.model.actuator_ctrlrange.T
        return (high + low) / 2, (high - low) / 2

    def score(
        self, fields: Fields, tasks: Any, before: tuple[np.ndarray, np.ndarray]
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """The rules' reward and signals."""
        place, control = before
        seconds = self.frame_skip * self.model.opt.timestep
        return self.rules.reward(Motion(self.rules.place(fields) - place, seconds, control, fields), tasks)

    def terminated(self, fields: Fields) -> np.ndarray:
        """What the rules forbid."""
        return self.rules.terminated(fields)

    def observe(self, fields: Fields) -> np.ndarray:
        """What the rules show, float32."""
        return self.rules.observe(fields).astype(np.float32)


def read_dynamics(simulation: Simulation) -> DynamicsTask:
    """The multipliers that simulations run with, `[N, ...]`, read back from MuJoCo; 1 where the model has 0."""
    batch, model = simulation.batch, simulation.scenario.model

    def read(name: str) -> np.ndarray:
        nominal, values = getattr(model, name), batch.expanded(name)
        values = np.broadcast_to(nominal, (batch.nsim, *nominal.shape)) if values is None else values
        return np.divide(values, nominal, out=np.ones_like(values, dtype=float), where=nominal != 0)

    return DynamicsTask(**{part: read(field) for part, field in MODEL_FIELDS.items()})
