"""Peg-insertion: the Sawyer's peg into one of several boxes (thesis, section 5.3.3, appendices D.2 and D.6)."""

import dataclasses
from typing import ClassVar, NamedTuple

import numpy as np

from metarl_envs.manipulation import sawyer
from metarl_envs.manipulation.mjcf import GROUND, camera, numbers
from metarl_envs.manipulation.scene import Fields, SawyerScene

PEG_HALF_WIDTH, HOLE_HALF_WIDTH, WALL, BOX_HEIGHT = 0.015, 0.02, 0.01, 0.06
"""m; a peg of 3 cm, holes of 4 cm and 6 cm deep, the sizes of MELD's code."""

SLACK = 0.05
"""m from the bottom of the hole within which the peg counts as inserted (thesis, appendix D.2.1)."""

NUM_BOXES = 4

_HAND = (
    '<geom type="cylinder" size="0.03 0.04" pos="0 0 0.05" mass="0.5" rgba="0.2 0.2 0.22 1"/>'
    f'<geom class="solid" type="box" size="{PEG_HALF_WIDTH} {PEG_HALF_WIDTH} 0.06" pos="0 0 0.15" mass="0.1"'
    ' rgba="0.2 0.75 0.3 1"/><site name="tip" pos="0 0 0.21"/>' + camera("wrist", (0.1, 0.0, 0.0), (0.0, 0.0, 0.25), 75)
)


class PegTask(NamedTuple):
    """Where the boxes stand, and which is the goal. boxes: `[B, 2]` float32, m. goal: int32 scalar."""

    boxes: np.ndarray
    goal: np.ndarray


def box(name: str, rgba: str) -> str:
    """A box open at the top, on the table, to be moved about."""
    middle, half = HOLE_HALF_WIDTH + WALL / 2, BOX_HEIGHT / 2
    walls = [(middle, 0.0, WALL / 2, middle + WALL / 2), (-middle, 0.0, WALL / 2, middle + WALL / 2)]
    walls += [(0.0, middle, HOLE_HALF_WIDTH, WALL / 2), (0.0, -middle, HOLE_HALF_WIDTH, WALL / 2)]
    geoms = "".join(
        f'<geom class="solid" type="box" pos="{x} {y} {half}" size="{width} {depth} {half}" rgba="{rgba}"/>'
        for x, y, width, depth in walls
    )
    floor = f'<geom type="box" pos="0 0 0.001" size="{HOLE_HALF_WIDTH} {HOLE_HALF_WIDTH} 0.001" rgba="0.1 0.1 0.1 1"/>'
    return f'<body name="{name}" mocap="true">{geoms}{floor}</body>'


@dataclasses.dataclass(frozen=True)
class SawyerPeg(SawyerScene):
    """Four boxes at the corners of a rectangle of about 16 x 15 cm, each moved by up to a centimetre; one is the goal.

    `distance` is that of the peg's tip from the middle of the goal's bottom. `success`: the tip is in the goal's hole,
    at most 5 cm above its bottom. `depth` is how far the tip is below the goal's rim, in m, and 0 outside the hole.
    """

    more_signals = ("depth",)
    num_boxes: ClassVar[int] = NUM_BOXES

    def xml(self) -> str:
        """See `Scene`."""
        boxes = "".join(box(f"box{i}", "0.35 0.45 0.65 1") for i in range(self.num_boxes))
        mark = '<body name="goal" mocap="true"><geom class="goal" type="box" size="0.031 0.031 0.002"/></body>'
        return (
            f"<worldbody>{GROUND}{camera('scene', (1.15, -0.42, 0.55), (0.5, 0.02, 0.09), 36)}{sawyer.arm(_HAND)}"
            f"{boxes}{mark}</worldbody><actuator>{sawyer.actuators()}</actuator>"
            f'<keyframe><key qpos="{numbers(sawyer.LOW_HOME)}" ctrl="{numbers(sawyer.LOW_HOME)}"/></keyframe>'
        )

    def draw_tasks(self, rng: np.random.RandomState, n: int) -> PegTask:
        """A layout for each task; goals take turns, as in MELD's code."""
        near, far = rng.uniform(0.44, 0.45, (n, 2)), rng.uniform(0.60, 0.61, (n, 2))
        x = np.concatenate([near, far], axis=1)
        y = rng.uniform(0.07, 0.08, (n, NUM_BOXES)) * (-1, 1, -1, 1)
        return PegTask(np.stack([x, y], axis=-1).astype(np.float32), (np.arange(n) % NUM_BOXES).astype(np.int32))

    def arrange(self, fields: Fields, tasks: PegTask) -> None:
        """Moves the boxes, and the goal's mark to the goal's rim."""
        places = fields["mocap_pos"].reshape(len(tasks.boxes), self.num_boxes + 1, 3)
        places[:, :-1, :2] = tasks.boxes
        places[:, :-1, 2] = 0.0
        places[:, -1, :2] = self.goal_place(tasks)[:, :2]
        places[:, -1, 2] = BOX_HEIGHT

    def goal_place(self, tasks: PegTask) -> np.ndarray:
        """The middle of the goal's bottom, `[N, 3]` m."""
        goal = np.take_along_axis(tasks.boxes, tasks.goal[:, None, None], axis=1)[:, 0]
        return np.concatenate([goal, np.zeros((len(goal), 1))], axis=1)

    def guide(self, fields: Fields, tasks: PegTask) -> np.ndarray:
        """Over the goal first, then down into it."""
        tip, goal = self.site(fields, "tip"), self.goal_place(tasks)
        aside = np.linalg.norm(tip[:, :2] - goal[:, :2], axis=-1)
        above = np.where(tip[:, 2] > BOX_HEIGHT, aside > 0.004, aside > 0.02)
        return goal + above[:, None] * (0, 0, BOX_HEIGHT + 0.03)

    def judge(self, fields: Fields, tasks: PegTask) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """See the class."""
        offset = self.site(fields, "tip") - self.goal_place(tasks)
        distance = np.linalg.norm(offset, axis=-1)
        inside = np.abs(offset[:, :2]).max(-1) < HOLE_HALF_WIDTH
        inserted = inside & (offset[:, 2] < SLACK)
        reward, signals = self.rate(distance, inserted, inserted)
        return reward, signals | {"depth": np.where(inside, np.maximum(BOX_HEIGHT - offset[:, 2], 0.0), 0.0)}
