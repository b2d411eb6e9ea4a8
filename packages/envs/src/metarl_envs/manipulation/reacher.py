"""Reacher: the Sawyer's tip to a point in space (thesis, section 5.3.3 and appendix D.2)."""

import dataclasses
from typing import NamedTuple

import numpy as np

from metarl_envs.manipulation import sawyer
from metarl_envs.manipulation.mjcf import GROUND, camera, numbers
from metarl_envs.manipulation.scene import Fields, SawyerScene

LOW, HIGH = (0.75, -0.3, 0.3), (0.9, 0.3, 0.7)
"""m from the arm's base; corners of the box that goals are drawn from, that of MELD's code."""

SUCCESS_DISTANCE = 0.1
"""m (thesis, appendix D.2.1)."""

_HAND = (
    '<geom type="cylinder" size="0.03 0.04" pos="0 0 0.05" mass="0.5" rgba="0.2 0.2 0.22 1"/>'
    '<geom type="box" size="0.015 0.015 0.04" pos="0 0 0.13" mass="0.1" rgba="0.2 0.75 0.3 1"/>'
    '<site name="tip" pos="0 0 0.17"/>' + camera("wrist", (0.1, 0.0, 0.0), (0.0, 0.0, 0.22), 75)
)


class ReachTask(NamedTuple):
    """Where the tip is to be. goal: `[3]` float32, m."""

    goal: np.ndarray


@dataclasses.dataclass(frozen=True)
class SawyerReacher(SawyerScene):
    """Goals uniform in a box in front of the arm; they are not drawn in observations. Done within 10 cm."""

    turning_weight = 0.0

    def xml(self) -> str:
        """See `Scene`."""
        return (
            f"<worldbody>{GROUND}{camera('scene', (1.75, -0.9, 1.0), (0.62, 0.0, 0.42), 44)}{sawyer.arm(_HAND)}"
            '<body name="goal" mocap="true"><geom class="goal" type="sphere" size="0.04"/></body></worldbody>'
            f"<actuator>{sawyer.actuators()}</actuator>"
            f'<keyframe><key qpos="{numbers(sawyer.HOME)}" ctrl="{numbers(sawyer.HOME)}"/></keyframe>'
        )

    def draw_tasks(self, rng: np.random.RandomState, n: int) -> ReachTask:
        """See the class."""
        return ReachTask(rng.uniform(LOW, HIGH, (n, 3)).astype(np.float32))

    def arrange(self, fields: Fields, tasks: ReachTask) -> None:
        """Moves the goal's mark."""
        fields["mocap_pos"].reshape(-1, 3)[:] = tasks.goal

    def guide(self, fields: Fields, tasks: ReachTask) -> np.ndarray:
        """To the goal."""
        del fields
        return tasks.goal.astype(np.float64)

    def judge(self, fields: Fields, tasks: ReachTask) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """See the class."""
        distance = np.linalg.norm(self.site(fields, "tip") - tasks.goal, axis=-1)
        reached = distance < SUCCESS_DISTANCE
        return self.rate(distance, reached, reached)
