"""Shelf-placing: the Sawyer brings a mug of unknown weight to a place on a shelf (thesis, section 5.3.3, D.2)."""

import dataclasses
from typing import Any, NamedTuple

import numpy as np

from metarl_envs.manipulation import sawyer
from metarl_envs.manipulation.mjcf import GROUND, camera, numbers
from metarl_envs.manipulation.scene import Fields, SawyerScene

LIGHTEST, HEAVIEST, WIDEST = 0.2, 1.2, 0.2
"""kg, kg, m; ranges of the mug's mass and of where on the shelf it goes. MELD's code has 5 to 15 kg without gravity."""

SUCCESS_DISTANCE = 0.05
"""m (thesis, appendix D.2.1)."""

_SHELF_X, _SHELF_Z, _MUG_HALF_HEIGHT = 0.8, 0.3, 0.045
_HAND = (
    '<geom type="cylinder" size="0.03 0.04" pos="0 0 0.05" mass="0.5" rgba="0.2 0.2 0.22 1"/>'
    '<geom type="box" size="0.008 0.012 0.03" pos="0 0.034 0.11" mass="0.05" rgba="0.3 0.3 0.32 1"/>'
    '<geom type="box" size="0.008 0.012 0.03" pos="0 -0.034 0.11" mass="0.05" rgba="0.3 0.3 0.32 1"/>'
    '<body name="mug" pos="0 0 0.165">'
    f'<geom class="solid" type="cylinder" size="0.036 {_MUG_HALF_HEIGHT}" mass="1" rgba="0.9 0.9 0.95 1"/>'
    '<geom type="cylinder" size="0.03 0.001" pos="0 0 -0.0455" mass="0" rgba="0.25 0.15 0.1 1"/>'
    '<geom type="capsule" fromto="0.05 0 -0.02 0.05 0 0.02" size="0.008" mass="0" rgba="0.2 0.4 0.8 1"/>'
    '<site name="tip"/></body>' + camera("wrist", (0.12, 0.0, -0.02), (0.0, 0.0, 0.25), 80)
)
_SHELF = (
    f'<geom class="solid" type="box" pos="{_SHELF_X} 0 {_SHELF_Z - 0.01}" size="0.1 0.32 0.01" rgba="0.5 0.33 0.2 1"/>'
    f'<geom class="solid" type="box" pos="{_SHELF_X + 0.11} 0 {_SHELF_Z}" size="0.01 0.32 {_SHELF_Z}"'
    ' rgba="0.42 0.28 0.17 1"/>'
)


class ShelfTask(NamedTuple):
    """What the mug weighs and where it goes. mass: float32 scalar, kg. target: float32 scalar, m along the shelf."""

    mass: np.ndarray
    target: np.ndarray


@dataclasses.dataclass(frozen=True)
class SawyerShelf(SawyerScene):
    """The hand holds the mug from the start; its weight pulls the arm down, which is all that tells of it.

    Joint deltas start from where a joint is, so that a sagging arm sinks further with every step that does not pull
    against it. `distance` is that of the mug's middle from where it stands on the shelf. Done within 5 cm.
    """

    def xml(self) -> str:
        """See `Scene`."""
        mark = f'<geom class="goal" type="cylinder" size="0.037 {_MUG_HALF_HEIGHT}"/>'
        return (
            f"<worldbody>{GROUND}{camera('scene', (0.75, -1.0, 0.75), (0.66, 0.0, 0.25), 50)}{sawyer.arm(_HAND)}"
            f'{_SHELF}<body name="goal" mocap="true">{mark}</body></worldbody><actuator>{sawyer.actuators()}</actuator>'
            f'<keyframe><key qpos="{numbers(sawyer.HOME)}" ctrl="{numbers(sawyer.HOME)}"/></keyframe>'
        )

    def draw_tasks(self, rng: np.random.RandomState, n: int) -> ShelfTask:
        """Masses and places, uniform."""
        mass, target = rng.uniform(LIGHTEST, HEAVIEST, n), rng.uniform(-WIDEST, WIDEST, n)
        return ShelfTask(mass.astype(np.float32), target.astype(np.float32))

    def goal_place(self, tasks: ShelfTask) -> np.ndarray:
        """Where the mug's middle is to be, `[N, 3]` m."""
        height = np.full_like(tasks.target, _SHELF_Z + _MUG_HALF_HEIGHT)
        return np.stack([np.full_like(tasks.target, _SHELF_X), tasks.target, height], axis=-1)

    def arrange(self, fields: Fields, tasks: ShelfTask) -> None:
        """Moves the goal's mark."""
        fields["mocap_pos"].reshape(-1, 3)[:] = self.goal_place(tasks)

    def change_model(self, batch: Any, tasks: ShelfTask) -> None:
        """Gives the mug its mass, and inertia in proportion."""
        mug = self.model.body("mug").id
        for field in ("body_mass", "body_inertia"):
            nominal = getattr(self.model, field)[mug]
            batch.expand(field)[:, mug] = np.multiply.outer(np.asarray(tasks.mass, np.float64), nominal)
        batch.set_const()

    def guide(self, fields: Fields, tasks: ShelfTask) -> np.ndarray:
        """Over the place first, then down to it."""
        tip, goal = self.site(fields, "tip"), self.goal_place(tasks)
        aside = np.linalg.norm(tip[:, :2] - goal[:, :2], axis=-1)
        return goal + (aside > 0.06)[:, None] * np.array([0, 0, 0.12])

    def judge(self, fields: Fields, tasks: ShelfTask) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """See the class."""
        distance = np.linalg.norm(self.site(fields, "tip") - self.goal_place(tasks), axis=-1)
        placed = distance < SUCCESS_DISTANCE
        return self.rate(distance, placed, placed)
